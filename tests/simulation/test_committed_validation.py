"""Do the committed simulations keep their claims, and are they those of this code?

The long run is `make validate`. Here its committed results are read: every claim is judged again,
scenarios and seed are compared with the code, and the first draws of each scenario run again.
"""

import numpy as np
import pytest

from .judge import FIRST, misses
from .scenarios import SEED, scenarios
from .staggered_claims import FAILS
from .validate import KEYS, page, read, table

# (scenario, row) with a real shortfall -> the criteria missed. Documented, never tuned away.
# After matching without replacement the score's estimation is not derived: the influence is that
# of a known score, without the score's own on the treated people whom the experiment shares.
# Lee's limits are drawn in where few answer: the mean of the lowest k of n lies above that of the
# distribution by (n - k) / (2 k (n + 1) i) standard deviations, i the infinite sample's (Burrows
# 1972). Trimming written differently, 12,000 draws, gives the same bias (+.008 and -.008, a
# twelfth of a standard error) and an sd of .0939, over which the mean standard error is 1.014: the
# ratio missed by the noise of 1,000 draws.
SHORTFALLS: dict[tuple[str, str], str] = {
    (
        "difference, experiment and matching without replacement",
        "matching less experiment, score fitted",
    ): "coverage, se_ratio",
    ("lottery, bounds under attrition", "upper limit"): "se_ratio, bias",
}
ACROSS_MACHINES = 1e-6  # scores are fitted by iteration


@pytest.fixture(scope="module")
def committed(project_root):
    return read(project_root / "reports" / "validation" / "coverage.csv")


@pytest.fixture(scope="module")
def first_draws():
    return table(FIRST)


def spec(frame):
    return [tuple(map(str, row)) for row in frame[KEYS].itertuples(index=False)]


def test_the_committed_rows_are_the_claims_of_the_code(committed):
    listed = [
        (s.name, row.name, row.label, row.side, str(row.claim), str(SEED), str(s.draws))
        for s, _ in scenarios()
        for row in s.rows
    ]
    assert spec(committed) == listed
    assert (committed["draws"] >= 1_000).all()


def test_every_claim_keeps_rule_11(committed):
    missed = {
        (r["scenario"], r["row"]): ", ".join(misses(r["side"], r))
        for r in committed[committed["claim"]].to_dict("records")
        if misses(r["side"], r)
    }
    assert missed == SHORTFALLS


def test_two_way_fixed_effects_are_shown_to_fail_where_effects_grow(committed):
    shown = committed[committed["row"] == FAILS].set_index("scenario")["coverage"]
    same, grow = (f"did, two-way fixed effects where effects {w}" for w in ("are the same", "grow"))
    assert shown[grow] < 0.01
    assert shown[same] > 0.9


def test_the_committed_page_is_that_of_the_committed_table(committed, project_root):
    text = (project_root / "reports" / "validation" / "coverage.md").read_text(encoding="utf-8")
    assert text == page(committed, [s for s, _ in scenarios()])


@pytest.mark.witness
@pytest.mark.parametrize("column", ["truth", "first_mean", "first_mean_se"])
def test_the_first_draws_run_again_give_the_committed_numbers(committed, first_draws, column):
    np.testing.assert_allclose(committed[column], first_draws[column], rtol=ACROSS_MACHINES)


@pytest.mark.witness
def test_first_draws_are_finite_and_near_the_truth(first_draws):
    judged = first_draws[first_draws["claim"]]
    assert np.isfinite(judged[["mean", "mc_sd", "mean_se", "coverage"]]).all(axis=None)
    assert (judged["mean_se"] > 0).all()
    # Forty draws: the mean within 4 standard errors of the truth, coverage of 95 % above 80 %.
    # (sets and wide intervals have no estimate that is judged)
    point = judged[judged["side"] != "at least"]
    assert (point["bias"].abs() < 4 * point["bias_mc_se"]).all()
    # (the documented shortfalls cover .89 to .94, which forty draws may well show as .8)
    short = [key in SHORTFALLS for key in zip(judged["scenario"], judged["row"], strict=True)]
    assert (judged["coverage"][~np.array(short)] > 0.8).all()


def test_a_row_that_covers_too_little_or_too_much_is_missed():
    good = {
        "coverage": 0.95,
        "coverage_mc_se": 0.005,
        "se_ratio": 1.0,
        "bias": 0.0,
        "bias_mc_se": 0.1,
    }
    assert misses("two-sided", good) == []
    assert misses("two-sided", good | {"coverage": 0.93}) == ["coverage"]
    assert misses("two-sided", good | {"coverage": 0.97}) == ["coverage"]
    assert misses("conservative", good | {"coverage": 0.99, "se_ratio": 1.3}) == []
    assert misses("conservative", good | {"coverage": 0.93}) == ["coverage"]
    assert misses("two-sided", good | {"se_ratio": 0.94}) == ["se_ratio"]
    assert misses("two-sided", good | {"bias": 0.31}) == ["bias"]
    assert misses("at least", good | {"coverage": 0.99, "se_ratio": 3.0, "bias": 9.0}) == []
    assert misses("at least", good | {"coverage": 0.93}) == ["coverage"]
    nothing = dict.fromkeys(good, float("nan"))
    assert misses("two-sided", nothing) == ["coverage", "se_ratio", "bias"]
