"""Entropy balancing against general optimisers, and what must not change it."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching import EntropyBalance
from prakerja_eval.matching.weighting.entropy import ImbalanceError, entropy_weights, independent

NAMES = ("age", "pay", "urban")
seeds = st.integers(0, 10_000)


def people(seed: int = 1, n: int = 150) -> pd.DataFrame:
    """Draw two arms some way apart."""
    rng = np.random.default_rng(seed)
    trained = (rng.random(n) < 0.4).astype(int)
    age, pay = rng.normal(35 + 3 * trained, 9), rng.gamma(2.0, 1 + 0.4 * trained)
    urban = (rng.random(n) < 0.4 + 0.2 * trained).astype(int)
    frame = pd.DataFrame({"id": [f"SYN-{i:04d}" for i in range(n)], "age": age, "pay": pay})
    income = pay + 0.2 * age + trained + rng.normal(size=n)
    return frame.assign(urban=urban, trained=trained, income=income, w=rng.integers(1, 4, n))


def panel(frame: pd.DataFrame, weight: str | None = None) -> pe.Panel:
    data = frame if weight else frame.drop(columns="w", errors="ignore")
    return pe.read_panel(data, pe.Roles(unit="id", received="trained", weight=weight))


def weights(frame: pd.DataFrame, design: EntropyBalance | None = None, names=NAMES) -> np.ndarray:
    return pe.matching.weight(panel(frame), design or EntropyBalance(), covariates=names).weights


@settings(max_examples=20)
@given(seeds)
def test_weights_are_those_that_a_general_optimiser_finds_for_the_primal(seed):
    """SLSQP minimises sum w log(n w) itself, without the dual; it stops near 1e-7."""
    rng = np.random.default_rng(seed)
    D = rng.normal(size=(8, 2)) - rng.uniform(-0.2, 0.2, 2)
    base = rng.uniform(0.5, 2.0, 8)
    if not _reachable(D, margin=0.02):
        return
    found = entropy_weights(D, base)
    start = found.weight * 0.5 + 0.5 / 8
    primal = minimize(
        lambda w: float((w * np.log(w / base)).sum()),
        start,
        jac=lambda w: np.log(w / base) + 1,
        bounds=[(1e-12, 1)] * 8,
        constraints={
            "type": "eq",
            "fun": lambda w: np.append(w @ D, w.sum() - 1),
            "jac": lambda _: np.vstack([D.T, np.ones(8)]),
        },
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    np.testing.assert_allclose(found.weight, primal.x, atol=1e-5)
    assert float((found.weight * np.log(found.weight / base)).sum()) <= primal.fun + 1e-9


def _reachable(D: np.ndarray, margin: float = 0.0) -> bool:
    """Ask a linear programme whether weights of at least the margin have means of zero."""
    n, k = D.shape
    A = np.vstack([D.T, np.ones(n)])
    found = linprog(np.zeros(n), A_eq=A, b_eq=np.append(np.zeros(k), 1.0), bounds=(margin, 1))
    return bool(found.status == 0)


@settings(max_examples=30)
@given(seeds, st.floats(0.0, 2.5))
def test_a_target_is_refused_exactly_where_no_weights_reach_it(seed, shift):
    rng = np.random.default_rng(seed)
    D = rng.normal(size=(25, 3)) - shift * rng.uniform(0.5, 1.0, 3)
    if _reachable(D):
        found = entropy_weights(D, np.ones(25))
        assert np.abs(found.weight @ D).max() <= 1e-10
        assert (found.weight > 0).all()
    else:
        with pytest.raises(ImbalanceError):
            entropy_weights(D, np.ones(25))


def test_a_target_on_the_edge_is_met_by_leaving_out_whom_it_excludes():
    """Nobody treated has the third value: comparison people who have it weigh nothing."""
    frame = people()
    rng = np.random.default_rng(3)
    kind = np.where(frame["trained"] == 1, rng.integers(0, 2, len(frame)), rng.integers(0, 3, 150))
    frame["kind"] = np.array(["a", "b", "c"])[kind]
    whole = weights(frame, names=(*NAMES, "kind"))
    gone = ((frame["kind"] == "c") & (frame["trained"] == 0)).to_numpy()
    assert gone.any()
    assert whole[gone].max() < 1e-9
    rest = weights(frame[~gone], names=(*NAMES, "kind"))
    np.testing.assert_allclose(whole[~gone], rest, rtol=1e-8, atol=1e-9)


@settings(max_examples=6)
@given(st.floats(-1e5, 1e5), st.floats(1e-6, 1e6), st.sampled_from([1, 2, 3]))
def test_units_and_origins_of_covariates_change_no_weight(origin, unit, moments):
    frame, design = people(), EntropyBalance(moments=moments)
    moved = frame.assign(age=((frame["age"] - 35) + origin) * unit)
    # a covariate 1e4 standard deviations from zero has twelve digits left, and cubes lose some
    np.testing.assert_allclose(weights(moved, design), weights(frame, design), rtol=1e-6)


@settings(max_examples=6)
@given(seeds)
def test_the_order_of_rows_and_of_covariates_changes_no_weight(seed):
    frame = people()
    order = np.random.default_rng(seed).permutation(len(frame))
    shuffled = weights(frame.iloc[order], names=NAMES[::-1])
    np.testing.assert_allclose(shuffled, weights(frame)[order], rtol=1e-9)


@pytest.mark.parametrize("estimand", ["ATT", "ATC", "ATE"])
def test_every_moment_asked_for_is_met_in_the_arms_that_are_weighted(estimand):
    frame = people()
    made = pe.matching.weight(
        panel(frame),
        EntropyBalance(estimand, moments=2, interactions=True),
        covariates=NAMES,
    )
    d, X = frame["trained"].to_numpy() == 1, frame[list(NAMES)].to_numpy(float)
    moments = np.column_stack([X, X[:, :2] ** 2, X[:, [0]] * X[:, 1:], X[:, 1] * X[:, 2]])
    moments /= moments.std(axis=0)
    focal = {"ATT": d, "ATC": ~d, "ATE": np.ones_like(d)}[estimand]
    for arm in (d, ~d):
        w = made.weights[arm]
        np.testing.assert_allclose(w @ moments[arm] / w.sum(), moments[focal].mean(axis=0))
        np.testing.assert_allclose(w.sum(), focal.sum())
        free = np.ptp(w) > 1e-6
        assert free == (estimand == "ATE" or not focal[arm].all())


def test_a_person_of_sampling_weight_two_is_two_people():
    frame = people()
    twice = frame.loc[frame.index.repeat(frame["w"])].reset_index(drop=True)
    twice["id"] = [f"SYN-{i:04d}" for i in range(len(twice))]
    first = (np.cumsum(frame["w"]) - frame["w"]).to_numpy()
    for design in (EntropyBalance(moments=2), EntropyBalance("ATE")):
        one = pe.matching.weight(panel(frame, "w"), design, covariates=NAMES).weights
        np.testing.assert_allclose(one, weights(twice, design)[first] * frame["w"], rtol=1e-8)


def test_influence_is_the_derivative_in_sampling_weights_through_the_public_names():
    """Six people's sampling weights moved by hand; squares, so that scales move too."""
    frame = people(n=80).astype({"w": float})
    design = EntropyBalance("ATE", moments=2)

    def estimate(data):
        with_weights = panel(data, "w")
        made = pe.matching.weight(with_weights, design, covariates=("age", "pay"))
        return pe.matching.difference(with_weights, made, "income")

    psi, at = estimate(frame).psi[:, 0], []
    for i in range(6):
        up, down = (frame.copy() for _ in range(2))
        up.loc[i, "w"] *= 1 + 1e-5
        down.loc[i, "w"] *= 1 - 1e-5
        at.append((estimate(up).theta[0] - estimate(down).theta[0]) / 2e-5)
    np.testing.assert_allclose(psi[:6], at, atol=1e-7 * np.abs(psi).max())


def test_moments_taken_as_known_leave_the_estimate_and_give_up_their_part_of_the_influence():
    frame = people()
    rows = []
    for drawn in (True, False):
        made = pe.matching.weight(panel(frame), EntropyBalance(drawn=drawn), covariates=NAMES)
        rows.append(pe.matching.difference(panel(frame), made, "income"))
    np.testing.assert_array_equal(rows[0].theta, rows[1].theta)
    d, X = frame["trained"].to_numpy() == 1, frame[list(NAMES)].to_numpy(float)
    gap = (rows[0].psi - rows[1].psi)[:, 0]
    np.testing.assert_array_equal(gap[~d], 0.0)
    # among the treated it is what the balanced comparison mean owes to their covariates: a line
    left = gap[d] - X[d] @ np.linalg.lstsq(X[d] - X[d].mean(axis=0), gap[d], rcond=None)[0]
    assert np.ptp(left) < 1e-9 * np.abs(gap).max()
    assert np.abs(gap[d]).max() > 1e-3


def test_imbalance_that_no_weights_mend_names_the_covariate_and_both_numbers():
    frame = people()
    frame.loc[frame["trained"] == 1, "pay"] += 40
    with pytest.raises(NotEstimableError, match="'pay' is farthest off: its mean must become 4"):
        weights(frame)
    only = people().assign(urban=lambda f: f["trained"])
    with pytest.raises(NotEstimableError, match=r"comparison people balance.*'urban'"):
        weights(only)


def test_covariates_that_say_nothing_are_refused_by_name():
    frame = people().assign(one=1.0, both=lambda f: f["age"] - 2 * f["pay"])
    with pytest.raises(NotEstimableError, match="'one'"):
        weights(frame, names=("age", "one"))
    with pytest.raises(NotEstimableError, match="'both' is a combination"):
        weights(frame, names=("age", "pay", "both"))


def test_products_that_repeat_a_covariate_are_left_out():
    """The square of an indicator is the indicator."""
    frame = people()
    once, squared = (weights(frame, EntropyBalance(moments=m), ("urban",)) for m in (1, 2))
    np.testing.assert_allclose(once, squared, rtol=1e-9)
    C = np.cov(np.random.default_rng(1).normal(size=(3, 50)))
    mixed = np.array([[1, 0, 0, 0.0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    spread = np.block([[C, np.zeros((3, 1))], [np.zeros((1, 3)), np.zeros((1, 1))]])
    kept = independent(mixed @ spread @ mixed.T)
    np.testing.assert_array_equal(kept, [True, True, False, True])


def test_more_moments_cost_effective_people_and_the_words_say_which():
    made = [
        pe.matching.weight(panel(people()), EntropyBalance(moments=m), covariates=NAMES)
        for m in (1, 2, 3)
    ]
    sizes = [m.effective["comparison"] for m in made]
    assert all(b < a for a, b in pairwise(sizes))
    words = [m.in_words for m in made]
    assert words[0] == "entropy balancing"
    assert words[2] == "entropy balancing, squares and cubes"
    assert list(made[0].frame.columns) == ["treated", "weight"]
    assert "propensity score" not in set(made[0].balance().frame["covariate"])


def test_options_name_what_they_take():
    with pytest.raises(UsageError, match="'ATT', 'ATC', 'ATE'"):
        EntropyBalance("ATO")
    with pytest.raises(UsageError, match="1, 2, 3"):
        EntropyBalance(moments=4)
