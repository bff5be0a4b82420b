"""Does the wild cluster bootstrap give other packages' p-values, draw for draw?

JTPA: the shared page's figures, all 2^16 draws of signs. Synthetic lottery: wildboottest 0.3.2
(Python), all 2^12 draws, villages being districts modulo 12; it compares without a tolerance, so
that draws equal to the data's own (v and -v of all ones) may fall out: one pair, 2/4096, apart.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.estimate.families import sharpened_q

DATA = Path(__file__).parent / "data" / "lottery"
FIXED = pe.lottery.Design(block_weights="strata_fe")


@pytest.mark.parametrize(
    ("male", "blocks", "p"),
    [
        (True, (), 0.0197144),
        (False, (), 0.0081787),
        (True, "site", 0.0222778),
        (False, "site", 0.0090332),
    ],
)
def test_jtpa_by_its_16_sites(shared_reference, male, blocks, p):
    frame = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    frame = frame[frame.sex == male].assign(id=lambda f: [f"SYN-{i:06d}" for i in f.index])
    roles = pe.Roles(unit="id", offer="assignmt", clusters="site", blocks=blocks)
    estimate = pe.lottery.itt(pe.read_panel(frame, roles), "earnings", FIXED)
    found = pe.infer(estimate, pe.WildClusterBootstrap("site")).frame.iloc[0]
    assert abs(found["p_value"] - p) < 5e-8  # seven printed digits
    assert found["inference"].endswith("all 65536 draws)")
    assert found["status"] == "ok"


@pytest.mark.parametrize(
    ("outcome", "covariates", "t", "p"),
    [
        ("income", (), 2.487541, 0.023438),
        ("income", ("x1", "x2"), 2.597625, 0.017578),
        ("employed", (), 6.16777, 0.000488),
    ],
)
def test_the_synthetic_lottery_by_12_villages_as_wildboottest(outcome, covariates, t, p):
    frame = pd.read_csv(DATA / "synthetic_lottery.csv")
    frame = frame.assign(id=[f"SYN-{i}" for i in frame.index], village=frame.district % 12)
    roles = pe.Roles(unit="id", offer="z", clusters="village", blocks="stratum")
    design = pe.lottery.Design(block_weights="strata_fe", covariates=covariates)
    estimate = pe.lottery.itt(pe.read_panel(frame, roles), outcome, design)
    found = pe.infer(estimate, pe.WildClusterBootstrap("village")).frame.iloc[0]
    np.testing.assert_allclose(found["statistic"], t, atol=5e-6)
    assert -1e-6 < found["p_value"] - p < 2 / 4096 + 1e-6


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (
            [0.02, 0.01, 0.03, 0.08, 0.168, 0.168, 0.168],
            [0.076, 0.076, 0.076, 0.087, 0.107, 0.107, 0.107],
        ),
        ([0.001, 0.005, 0.01, 0.05, 0.1, 0.5], [0.007, 0.013, 0.016, 0.039, 0.064, 0.137]),
    ],
)
def test_sharpened_q_values_as_anderson_s_own_program_prints_them(p, q):
    assert sharpened_q(np.array(p)).tolist() == q
