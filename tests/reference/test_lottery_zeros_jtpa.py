"""Do earnings with zeros give the numbers that others get from the JTPA experiment?

Sources: exp(b) - 1 of a Poisson fit without blocks, `reference/lottery/README.md` (ten digits, so
rtol 1e-9 leaves room for rounding and nothing else); statsmodels with a dummy for every site.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import prakerja_eval as pe
from prakerja_eval.lottery.zeros import zeros

RATIO = {"men": 0.06067216776, "women": 0.1018760223}


@pytest.fixture(scope="module")
def jtpa(shared_reference):
    frame = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    frame["id"] = [f"SYN-{i:06d}" for i in range(len(frame))]
    return {"men": frame[frame.sex == 1], "women": frame[frame.sex == 0]}


def panel_of(frame, **roles):
    return pe.read_panel(frame, pe.Roles(unit="id", offer="assignmt", **roles))


@pytest.mark.parametrize("sex", RATIO)
def test_poisson_and_percent_of_the_comparison_mean_are_the_published_ratio(jtpa, sex):
    found = zeros(panel_of(jtpa[sex]), "earnings", parts=("poisson", "percent"))
    np.testing.assert_allclose(found.theta, RATIO[sex], rtol=1e-9)


@pytest.mark.parametrize("covariates", [(), ("prevearn", "married", "black")])
def test_poisson_with_sites_is_that_of_statsmodels_with_a_dummy_for_every_site(jtpa, covariates):
    frame = jtpa["men"]
    design = pe.lottery.Design(shares="superpopulation", covariates=covariates)
    found = zeros(panel_of(frame, blocks="site"), "earnings", design, parts=("poisson",))
    sites = pd.get_dummies(frame["site"]).to_numpy(float)
    scaled = frame[list(covariates)] / frame[list(covariates)].std()
    X = np.column_stack([frame["assignmt"], scaled, sites])
    fit = sm.GLM(frame["earnings"], X, sm.families.Poisson()).fit(tol=1e-14, cov_type="HC0")
    ratio = np.exp(fit.params.iloc[0])
    np.testing.assert_allclose(found.theta[0], ratio - 1, rtol=1e-8)
    plain = pe.infer(found, pe.Robust("HC0", reference="normal")).frame
    np.testing.assert_allclose(plain["std_error"][0], ratio * fit.bse.iloc[0], rtol=1e-8)
