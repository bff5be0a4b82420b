"""Kernel sums meet the double loop, and kernel matching follows from them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching import Kernel, Radius, match, people, propensity
from prakerja_eval.matching.kernels.kernel_matching import SHAPES
from prakerja_eval.matching.kernels.kernel_smooth import Shape, kernel_sums

# Written from the formulas, with their slopes in |u|; the constants in front cancel.
HEIGHT = {
    "epanechnikov": lambda u: np.where(u <= 1, 1 - u**2, 0),
    "biweight": lambda u: np.where(u <= 1, (1 - u**2) ** 2, 0),
    "tricube": lambda u: np.where(u <= 1, (1 - u**3) ** 3, 0),
    "triangular": lambda u: np.where(u <= 1, 1 - u, 0),
    "uniform": lambda u: np.where(u <= 1, 1.0, 0),
    "gaussian": lambda u: np.exp(-(u**2) / 2),
}
SLOPE = {
    "epanechnikov": lambda u: np.where(u <= 1, -2 * u, 0),
    "biweight": lambda u: np.where(u <= 1, -4 * u * (1 - u**2), 0),
    "tricube": lambda u: np.where(u <= 1, -9 * u**2 * (1 - u**3) ** 2, 0),
    "triangular": lambda u: np.where(u <= 1, -1.0, 0),
    "gaussian": lambda u: -u * np.exp(-(u**2) / 2),
}


def shape_of(name: str) -> Shape:
    return Shape(np.array(SHAPES[name], dtype=float))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("width", [0.4, 6.0, 40.0])
def test_sums_and_slopes_meet_the_double_loop(name: str, width: float) -> None:
    rng = np.random.default_rng(3)
    source = np.sort(rng.uniform(-width, width, 150))
    target = rng.uniform(-width - 1, width + 1, 2000)
    values = rng.normal(size=(150, 2))
    gap = source - target[:, None]
    got = kernel_sums(shape_of(name), source, values, target)
    np.testing.assert_allclose(got, HEIGHT[name](np.abs(gap)) @ values, atol=1e-11)
    if name in SLOPE:
        slope = SLOPE[name](np.abs(gap)) * np.where(gap > 0, -1, 1)
        got = kernel_sums(shape_of(name), source, values, target, slope=True)
        np.testing.assert_allclose(got, slope @ values, atol=1e-11)


# quarters: people stand on the very edges of windows and boxes, and on one another
@settings(max_examples=60, deadline=None)
@given(
    source=st.lists(st.integers(-12, 12), min_size=1, max_size=60),
    target=st.lists(st.integers(-14, 14), min_size=1, max_size=20),
    name=st.sampled_from(sorted(SHAPES)),
)
def test_people_on_the_edge_of_a_window_are_counted_as_the_double_loop_does(source, target, name):
    a, b = np.sort(np.array(source)) / 4, np.array(target) / 4
    got = kernel_sums(shape_of(name), a, np.ones((len(a), 1)), b)[:, 0]
    want = HEIGHT[name](np.abs(a - b[:, None])).sum(axis=1)
    np.testing.assert_allclose(got, want, atol=1e-12)


def simulated(n: int = 200, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.normal(size=n)
    trained = rng.binomial(1, 1 / (1 + np.exp(-age)))
    pay = age + 2 * trained + rng.normal(size=n)
    weight = rng.uniform(0.5, 2.0, n)
    return pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(n)],
            "trained": trained,
            "age": age,
            "pay": pay,
            "weight": weight,
        }
    )


def panel_of(frame: pd.DataFrame, **roles: str) -> pe.Panel:
    return pe.read_panel(frame, pe.Roles(unit="id", received="trained", **roles))


@pytest.mark.parametrize("estimand", ["ATT", "ATC", "ATE"])
@pytest.mark.parametrize("design", [Kernel("epanechnikov", 0.05), Radius(0.03), Kernel("gaussian")])
def test_each_person_is_compared_with_the_weighted_mean_of_those_nearby(design, estimand):
    frame = simulated()
    panel = panel_of(frame, weight="weight")
    score = propensity(panel, ["age"])
    design = replace(design, estimand=estimand)
    matched = match(panel, design, score=score)
    name = design.kernel if isinstance(design, Kernel) else "uniform"
    d, y, b = (frame[c].to_numpy() for c in ("trained", "pay", "weight"))
    gaps, served, reached = [], np.zeros(len(d)), np.zeros(len(d), dtype=bool)
    for i in range(len(d)):
        if (estimand == "ATT" and not d[i]) or (estimand == "ATC" and d[i]):
            continue
        u = np.abs(score.score - score.score[i]) / design.bandwidth
        k = np.where(d != d[i], b * HEIGHT[name](u), 0.0)
        if k.sum() > 0:
            gaps.append((b[i], (2 * d[i] - 1) * (y[i] - k @ y / k.sum())))
            served += b[i] * k / k.sum()
            reached[i] = True
    size, gap = np.array(gaps).T
    found = pe.matching.att(panel, matched, "pay")
    np.testing.assert_allclose(found.theta[0], size @ gap / size.sum(), rtol=1e-9)
    raw = np.where(reached, b, 0.0) + served
    for arm in (d == 1, d == 0):
        share = matched.weights[arm] / matched.weights[arm].sum()
        np.testing.assert_allclose(share, raw[arm] / raw[arm].sum(), atol=1e-12)
    weighted = pe.matching.difference(panel, matched, "pay")
    np.testing.assert_allclose(weighted.theta, found.theta, rtol=1e-9)


def test_influence_is_the_derivative_in_a_persons_sampling_weight_through_the_public_verbs():
    frame = simulated(120)

    def estimate(weight: np.ndarray) -> pe.Estimate:
        panel = panel_of(frame.assign(weight=weight), weight="weight")
        made = match(panel, Kernel(bandwidth=0.1, scale="logit"), covariates=["age"])
        return pe.matching.att(panel, made, "pay")

    weight, step = frame["weight"].to_numpy(), 1e-5
    psi = pd.Series(estimate(weight).psi[:, 0], index=estimate(weight).units.index)
    for i in (0, 17, 63):
        up, down = weight.copy(), weight.copy()
        up[i] *= 1 + step
        down[i] *= 1 - step
        slope = (estimate(up).theta[0] - estimate(down).theta[0]) / (2 * step)
        # a central difference: about 1e-10 of truncation, and the score's fit to 1e-9
        np.testing.assert_allclose(slope, psi[f"p{i}"], rtol=1e-5, atol=1e-7)


def test_a_uniform_kernel_is_radius_matching_and_takes_the_score_as_known():
    panel = panel_of(simulated())
    found = [
        pe.matching.att(panel, match(panel, design, covariates=["age"]), "pay").findings().frame
        for design in (Kernel("uniform", 0.05), Radius(0.05))
    ]
    for column in ("estimate", "std_error"):
        assert found[0][column].iloc[0] == found[1][column].iloc[0]
    assert "score taken as known" in found[1]["specification"].iloc[0]


def test_shuffling_and_a_comparison_person_far_away_change_nothing():
    frame = simulated()
    panel = panel_of(frame)
    score = propensity(panel, ["age"])
    design = Kernel(bandwidth=0.02)
    plain = pe.matching.att(panel, match(panel, design, covariates=["age"]), "pay")
    mixed = panel_of(frame.sample(frac=1, random_state=2))
    again = pe.matching.att(mixed, match(mixed, design, covariates=["age"]), "pay")
    np.testing.assert_allclose(again.theta, plain.theta, rtol=1e-9)
    served = match(panel, design, score=score).weights > 0
    d = frame["trained"].to_numpy()
    idle = ~served & (d == 0)
    assert idle.any()  # nobody asks for them: their outcomes move nothing
    moved = panel_of(frame.assign(pay=np.where(idle, 1e6, frame["pay"])))
    found = pe.matching.att(moved, match(moved, design, score=score), "pay")
    np.testing.assert_allclose(found.theta, plain.theta, rtol=1e-9)


def test_people_with_nobody_near_are_dropped_counted_and_named():
    frame = pd.DataFrame(
        {"id": list("abcd"), "trained": [1, 1, 0, 0], "age": [1.0, 2, 1, 2], "pay": [1.0, 2, 3, 4]}
    )
    panel = panel_of(frame)
    score = propensity(panel_of(simulated()), ["age"])
    d = frame["trained"].to_numpy() == 1
    placed = np.array([0.30, 0.90, 0.31, 0.29])
    score = replace(
        score,
        units=frame.set_index("id"),
        treated=d,
        score=placed,
        linear_predictor=logit_of(placed),
        covariates=frame[["age"]].to_numpy(),
        weight=np.ones(4),
        supported=np.ones(4, dtype=bool),
        fit=None,
    )
    made = match(panel, Radius(0.05), score=score)
    assert made.n_dropped == 1
    assert list(made.unmatched.index) == ["b"]
    assert made.unmatched["reason"].iloc[0] == "nobody within the bandwidth"
    row = pe.matching.att(panel, made, "pay").findings().frame.iloc[0]
    assert (row["estimate"], row["estimand"]) == (1.0 - 3.5, "feasible ATT")
    assert np.isnan(row["std_error"])
    assert row["status"] == "score not parametric"
    with pytest.raises(NotEstimableError, match="near in score"):
        match(panel, Radius(0.001), score=score)


def logit_of(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), float("inf")])
def test_a_bandwidth_or_radius_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=r"Kernel\(bandwidth\)"):
        Kernel(bandwidth=value)
    with pytest.raises(UsageError, match=r"Radius\(radius\)"):
        Radius(value)


def test_an_unknown_kernel_and_people_without_a_score_are_refused():
    with pytest.raises(UsageError, match="'epanechnikov', 'biweight'"):
        Kernel("cosine")
    panel = panel_of(simulated())
    with pytest.raises(UsageError, match="need a score"):
        match(panel, Kernel(), score=people(panel, ["age"]))


def test_equal_outcomes_in_each_arm_have_no_standard_error_of_rounding() -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"id": range(80), "x": rng.normal(size=80), "d": np.arange(80) % 2})
    frame["y"] = 3.3 + 1.7 * frame["d"]
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    made = match(panel, Kernel(bandwidth=0.3), covariates=["x"])
    row = pe.matching.att(panel, made, "y").findings().frame.iloc[0]
    assert row["estimate"] == pytest.approx(1.7)
    assert np.isnan(row["std_error"])


def test_the_unit_of_sampling_weights_drops_nobody() -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"id": range(80), "x": rng.normal(size=80), "d": np.arange(80) % 2})
    frame["y"] = frame["x"] + rng.normal(size=80)
    found = []
    for unit in (1.0, 1e-9):
        panel = pe.read_panel(frame.assign(w=unit), pe.Roles("id", received="d", weight="w"))
        made = match(panel, Kernel(kernel="gaussian", bandwidth=0.03), covariates=["x"])
        found.append((made.n_dropped, pe.matching.att(panel, made, "y").theta[0]))
    assert found[0] == pytest.approx(found[1])
