"""Do quantile effects equal a quantile regression on the offer?

Without blocks the two are one number (Koenker and Bassett 1978, doi 10.2307/1913643, on a single
dummy). statsmodels finds it by reweighted least squares, which stop at 1e-6 of the coefficients
here, so agreement is asked to 1e-4 of a standard deviation of the outcome.
"""

from pathlib import Path

import pandas as pd
import pytest
import statsmodels.api as sm

import prakerja_eval as pe
from prakerja_eval.lottery.quantiles import quantiles

DATA = Path(__file__).parent / "data" / "lottery"


@pytest.fixture(scope="module")
def frame():
    # group sizes for which no decile falls between two people, where any value in between will do
    whole = pd.read_csv(DATA / "synthetic_lottery.csv").query("income > 0")
    won, lost = whole[whole.z == 1].head(503), whole[whole.z == 0].head(1007)
    return pd.concat([won, lost]).assign(id=lambda f: [f"SYN-{i:06d}" for i in range(len(f))])


@pytest.mark.parametrize("tau", [0.1, 0.25, 0.5, 0.75, 0.9])
def test_an_unblocked_quantile_effect_is_the_quantile_regression_on_the_offer(frame, tau):
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer="z"))
    found = quantiles(panel, "income", quantiles=tau).findings().frame.iloc[0]
    fit = sm.QuantReg(frame.income, sm.add_constant(frame.z)).fit(
        q=tau, vcov="robust", kernel="epa", bandwidth="hsheather", max_iter=5000, p_tol=1e-6
    )
    spread = frame.income.std()
    assert abs(found["estimate"] - fit.params["z"]) < 1e-4 * spread
    if tau == 0.1:  # incomes are bottom-coded at 0.15, which 13 % of the winners have
        assert "mass point" in found["status"]
        return
    # another estimate of the density (a kernel on residuals of both arms): alike, not equal
    assert 0.6 < found["std_error"] / fit.bse["z"] < 1.6
