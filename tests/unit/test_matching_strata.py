"""Strata hold both arms or nobody, weigh as the estimand asks, and are refused where they lie."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.matching import Coarsened, Exact, Subclass, match, people, propensity
from prakerja_eval.matching.strata.stratum_weights import stratum_weights
from prakerja_eval.matching.strata.subclass import subclasses
from prakerja_eval.numerics.lone_arms import lone_arm_scores

ESTIMANDS = ("ATT", "ATC", "ATE")


def panel_of(frame: pd.DataFrame, **roles: str) -> pe.Panel:
    data = frame.assign(id=[f"p{i}" for i in range(len(frame))])
    return pe.read_panel(data, pe.Roles(unit="id", received="trained", **roles))


def simulated(n: int = 300, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 60, n)
    place = rng.choice(["hill", "coast", "town"], n)
    trained = rng.binomial(1, 1 / (1 + np.exp(-(age - 40) / 12)))
    pay = 10 + age / 10 + 2 * trained + (place == "town") + rng.normal(size=n)
    weight = rng.uniform(0.5, 2, n)
    return pd.DataFrame(
        {"trained": trained, "age": age, "place": place, "pay": pay, "weight": weight}
    )


units = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.floats(0.1, 5.0)), min_size=2, max_size=40
)


@settings(max_examples=60, deadline=None)
@given(units=units, estimand=st.sampled_from(ESTIMANDS))
def test_each_arm_is_spread_over_the_strata_as_the_focal_people_are(units, estimand):
    cell, treated, base = (np.array(column) for column in zip(*units, strict=True))
    focal = {"ATT": treated, "ATC": ~treated, "ATE": np.ones_like(treated)}[estimand]
    made = stratum_weights(cell, treated, focal, base, np.ones_like(treated))
    used = made.stratum >= 0
    for code in range(5):
        here = cell == code
        both = treated[here].any() and (~treated[here]).any()
        assert (used[here] == both).all()
        assert (made.weights[here] > 0).all() if both else not made.weights[here].any()
    if not used.any():
        return
    shares = np.bincount(cell[used & focal], base[used & focal], minlength=5)
    for arm in (treated & used, ~treated & used):
        spread = np.bincount(cell[arm], made.weights[arm], minlength=5)
        np.testing.assert_allclose(spread / spread.sum(), shares / shares.sum(), atol=1e-12)
        np.testing.assert_allclose(made.weights[arm].sum(), base[arm].sum())
    if estimand != "ATE":
        np.testing.assert_allclose(made.weights[focal & used], base[focal & used])


@settings(max_examples=40, deadline=None)
@given(
    scores=st.lists(st.floats(0.01, 0.99), min_size=8, max_size=40, unique=True),
    n=st.integers(1, 6),
)
def test_subclasses_are_about_as_large_and_keep_the_order_of_scores(scores, n):
    score = np.array(scores)
    code = subclasses(score, np.ones(len(score), dtype=bool), n)
    sizes = np.bincount(code, minlength=n)
    assert len(sizes) == n
    assert sizes.max() - sizes.min() <= 2
    assert (np.diff(code[np.argsort(score)]) >= 0).all()


@pytest.mark.parametrize("design", [Subclass(4), Coarsened(bins=4), Exact(on=("place",))])
def test_shuffling_rows_changes_no_effect(design):
    frame = simulated()
    order = np.random.default_rng(1).permutation(len(frame))
    found = []
    for data in (frame, frame.iloc[order]):
        panel = panel_of(data)
        made = match(panel, design, covariates=["age", "place"])
        found.append(pe.matching.att(panel, made, "pay").findings().frame.iloc[0])
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(found[0][column], found[1][column], rtol=1e-9)
    assert found[0]["n"] == found[1]["n"]


def test_people_of_one_stratum_agree_and_nobody_crosses_it():
    frame = simulated()
    design = Coarsened(
        cuts={"age": (25, 40)}, together={"place": [["hill", "coast"]]}, on=("age", "place")
    )
    made = match(panel_of(frame), design)
    band = np.digitize(frame["age"], (25, 40))
    town = frame["place"] == "town"
    want = pd.factorize(pd.Series(list(zip(band, town, strict=True))))[0]
    pairs = pd.crosstab(made.cell, want).to_numpy() > 0
    assert (pairs.sum(axis=0) == 1).all()
    assert (pairs.sum(axis=1) == 1).all()
    assert set(made.strata["place"]) == {"hill/coast", "town"}


def test_the_variance_within_strata_is_neymans_with_the_shares_drawn():
    frame = simulated()
    panel = panel_of(frame)
    made = match(panel, Exact(on=("place",)))
    got = pe.matching.att(panel, made, "pay").findings().frame.iloc[0]
    treated = frame["trained"].sum()
    estimate, variance, parts = 0.0, 0.0, []
    for _, here in frame.groupby("place"):
        one, zero = (here.loc[here["trained"] == d, "pay"] for d in (1, 0))
        share, gap = len(one) / treated, one.mean() - zero.mean()
        estimate += share * gap
        # sample variance over n in an arm: HC2
        variance += share**2 * (one.var() / len(one) + zero.var() / len(zero))
        parts.append((len(one), gap))
    # shares drawn: treated people's own strata effects around their mean
    variance += sum(k * (gap - estimate) ** 2 for k, gap in parts) / treated**2
    np.testing.assert_allclose(got["estimate"], estimate, rtol=1e-10)
    np.testing.assert_allclose(got["std_error"], np.sqrt(variance), rtol=1e-10)


def test_sampling_weights_count_in_strata_as_copies_do():
    frame = simulated(60).assign(weight=lambda f: 1 + (np.arange(60) % 2))
    twice = pd.concat([frame, frame[frame["weight"] == 2]])
    design = Exact(on=("place",), estimand="ATE")
    found = []
    for data, roles in ((frame, {"weight": "weight"}), (twice, {})):
        panel = panel_of(data, **roles)
        found.append(pe.matching.att(panel, match(panel, design), "pay").theta[0])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


def test_people_without_a_counterpart_are_counted_and_the_estimand_says_so():
    frame = pd.DataFrame(
        {"trained": [1, 1, 0, 0, 1, 0, 0], "place": list("aaaabcc"), "pay": [5.0, 6, 1, 2, 9, 4, 4]}
    )
    panel = panel_of(frame)
    made = match(panel, Exact(on=("place",)))
    assert made.n_dropped == 1
    assert list(made.unmatched.index) == ["p4", "p5", "p6"]
    assert list(made.unmatched["reason"]) == ["no comparison unit", *["no treated unit"] * 2]
    assert list(made.frame["compared"]) == [True, False, False]
    row = pe.matching.att(panel, made, "pay").findings().frame.iloc[0]
    assert row["estimate"] == 4.0
    assert row["estimand"] == "feasible ATT"
    assert "2 of 3 treated with 2 of 4" in repr(made)


def test_a_stratum_that_lost_an_arm_to_attrition_is_left_out_of_the_wave():
    frame = pd.DataFrame(
        {
            "trained": [1, 1, 0, 0] * 2,
            "place": list("aaaabbbb"),
            "pay": [3.0, 5, 1, 2, 9, 9, np.nan, np.nan],
        }
    )
    panel = panel_of(frame)
    row = pe.matching.att(panel, match(panel, Exact(on=("place",))), "pay").findings().frame.iloc[0]
    assert (row["estimate"], row["n"], row["estimand"]) == (2.5, 4, "feasible ATT")


def test_strata_with_one_person_in_an_arm_are_compared_among_themselves_or_have_no_error():
    frame = pd.DataFrame(
        {"trained": [1, 0, 0] * 4, "place": np.repeat(list("abcd"), 3), "pay": np.arange(12.0) ** 2}
    )
    panel = panel_of(frame)
    row = pe.matching.att(panel, match(panel, Exact(on=("place",))), "pay").findings().frame.iloc[0]
    gaps = [g["pay"].iloc[0] - g["pay"].iloc[1:].mean() for _, g in frame.groupby("place")]
    # of K blocks with equal shares the formula is the sample variance of their differences over K
    np.testing.assert_allclose(row["std_error"], np.std(gaps, ddof=1) / 2, rtol=1e-10)
    two = panel_of(frame[:6])
    row = pe.matching.att(two, match(two, Exact(on=("place",))), "pay").findings().frame.iloc[0]
    assert np.isnan(row["std_error"])
    assert row["status"] != "ok"
    assert lone_arm_scores(np.ones(2), np.ones(2) / 2) is None


def _waves() -> pe.Panel:
    frame = pd.DataFrame(
        {
            "id": np.repeat(list("abcd"), 2),
            "year": [1, 2] * 4,
            "trained": np.repeat([1, 0, 1, 0], 2),
            "job": ["farm", "shop", *["farm"] * 6],
        }
    )
    return pe.read_panel(frame, pe.Roles(unit="id", wave="year", received="trained"))


TIED = pd.DataFrame({"trained": [1, 0, 1, 0], "x": [0, 0, 1, 1], "place": list("aabb")})


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Subclass(0), UsageError, "whole number from 1"),
        (lambda: Subclass(estimand="ATO"), UsageError, "'ATT', 'ATC', 'ATE'"),
        (lambda: Coarsened(bins="scott"), UsageError, "'sturges' or whole numbers"),
        (lambda: Coarsened(bins=0), UsageError, "whole numbers from 1"),
        (lambda: Coarsened(cuts={"age": (3, 2)}), UsageError, "numbers that rise"),
        (lambda: Coarsened(bins={"x": 2}, cuts={"x": (1,)}), UsageError, "both bins and cuts"),
        (lambda: Coarsened(together={"p": ["ab"]}), UsageError, "lists of values"),
        (
            lambda: match(panel_of(TIED), Coarsened(bins={"place": 3}, on=("place",))),
            UsageError,
            "'place' into bins, but it holds words",
        ),
        (
            lambda: match(panel_of(TIED), Coarsened(together={"x": [["0"]]}, on=("x",))),
            UsageError,
            "'x' holds numbers",
        ),
        (
            lambda: match(panel_of(TIED), Coarsened(together={"place": [["z"]]}, on=("place",))),
            UsageError,
            "names z; the values are a, b",
        ),
        (
            lambda: match(panel_of(TIED), Coarsened(cuts={"age": (3,)}, on=("x",))),
            UsageError,
            "for age, which is not among the columns matched on: x",
        ),
        (lambda: match(panel_of(TIED), Exact()), UsageError, "names the columns to match on"),
        (
            lambda: match(panel_of(TIED.assign(x=[0, 1, 2, 3])), Exact(on=("x",))),
            NotEstimableError,
            "none of the 4 strata",
        ),
        (
            lambda: match(panel_of(TIED.assign(x=[0.0, np.nan, 2, 3])), Exact(on=("x",))),
            DataError,
            "'x' is missing for 1 of 4",
        ),
        (lambda: match(_waves(), Exact(on=("job",))), UsageError, "varies over waves for 1"),
        (
            lambda: match(panel_of(simulated()), Subclass(4), covariates=["place"]),
            NotEstimableError,
            "3 distinct scores",
        ),
        (
            lambda: match(panel_of(TIED), Subclass(), score=people(panel_of(TIED), ["x"])),
            UsageError,
            "needs a score",
        ),
    ],
)
def test_bad_input_is_refused_with_what_and_how_to_mend(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_options_of_pairs_are_refused_for_strata():
    panel = panel_of(simulated())
    made = match(panel, Subclass(), score=propensity(panel, ["age"]))
    with pytest.raises(UsageError, match="are for pairs"):
        pe.matching.att(panel, made, "pay", bias_adjust=True)
