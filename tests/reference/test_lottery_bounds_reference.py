"""Do Lee bounds give the figures of the reference page, and what does cutting at a quantile give?

Sources: `reference/lottery/README.md`. Its JTPA figures are by quantile-cut trimming; they are made
again here in four lines, and stand beside ours, which count the person at the cut in part.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.lottery.lee import lee_bounds

SYNTHETIC = Path(__file__).parent / "data" / "lottery" / "synthetic_lottery.csv"


@pytest.fixture(scope="module")
def synthetic():
    frame = pd.read_csv(SYNTHETIC)
    frame["id"] = [f"SYN-{i:06d}" for i in range(len(frame))]
    return frame.assign(income=frame.income.where(frame.responded == 1))


def limits(frame, offer, outcome, blocks=(), **options):
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer=offer, blocks=blocks))
    return lee_bounds(panel, outcome, **options).frame.iloc[0][["lower", "upper"]].astype(float)


def quantile_cut(y, won):
    """Leave out whole values beyond the sample quantile of the winners, who answer more."""
    first, second = y[won & ~np.isnan(y)], y[~won & ~np.isnan(y)]
    kept = np.mean(~np.isnan(y[~won])) / np.mean(~np.isnan(y[won]))
    low = first[first <= np.quantile(first, kept)]
    high = first[first >= np.quantile(first, 1 - kept)]
    return low.mean() - second.mean(), high.mean() - second.mean()


@pytest.mark.parametrize(
    ("blocks", "options", "printed"),
    [
        ("stratum", {}, (-0.1437, 0.3450)),
        ("stratum", {"design": pe.lottery.Design(method="ipw")}, (-0.2444, 0.3249)),
        ((), {}, (-0.1814, 0.3746)),
    ],
)
def test_the_synthetic_lottery_as_printed(synthetic, blocks, options, printed):
    assert tuple(limits(synthetic, "z", "income", blocks, **options).round(4)) == printed


def test_cutting_at_a_quantile_loses_every_tie_at_zero(synthetic):
    cut = quantile_cut(synthetic.income.to_numpy(), synthetic.z.to_numpy() == 1)
    assert round(cut[1], 4) == 0.2806


@pytest.mark.parametrize(
    ("sex", "printed", "exact"),
    [(1, (0.02606, 0.03972), (0.02664, 0.04030)), (0, (0.08059, 0.21878), (0.08081, 0.21953))],
)
def test_jtpa_by_quantile_cut_as_printed_and_by_the_exact_fraction(
    shared_reference, sex, printed, exact
):
    frame = pd.read_csv(shared_reference / "lottery" / "jtpa.csv").query("sex == @sex")
    log = np.log(frame.earnings.where(frame.earnings > 0))
    frame = frame.assign(id=[f"SYN-{i:06d}" for i in range(len(frame))], log=log)
    won = frame.assignmt.to_numpy() == 1
    assert tuple(np.round(quantile_cut(log.to_numpy(), won), 5)) == printed
    found = limits(frame, "assignmt", "log")
    # exact fraction, written differently: the kept mass filled person by person
    first, rest = np.sort(log[won].dropna().to_numpy()), log[~won].dropna()
    mass = len(first) * log[~won].notna().mean() / log[won].notna().mean()
    for side, values in (("lower", first), ("upper", first[::-1])):
        whole = int(mass)
        total = values[:whole].sum() + (mass - whole) * values[whole]
        assert found[side] == pytest.approx(total / mass - rest.mean(), rel=1e-10)
    assert tuple(found.round(5)) == exact
