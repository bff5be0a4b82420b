"""Do robust intervals hold what they claim? Brute force written another way, and simulation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from honest_cases import covariance_of, event_study
from scipy.optimize import linprog
from scipy.stats import norm, truncnorm

from prakerja_eval.did.honest_flci import fixed_length, folded_quantile
from prakerja_eval.did.honest_sets import relative, smoothness
from prakerja_eval.did.honest_test import Test as Rule
from prakerja_eval.did.honest_test import least_favourable, rejected
from prakerja_eval.did.restrictions import RelativeMagnitudes, Search, Smoothness
from prakerja_eval.did.sensitivity import honest
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import join, subset

BETA = np.array([0.04, -0.03, 0.05, 0.42, 0.55, 0.61, 0.9])  # event times -4, -3, -2; 0 to 3
TIMES = (-4, -3, -2, 0, 1, 2, 3)
COVARIANCE = covariance_of(7, seed=3)
QUICK = Search(points=200, draws=5_000)
EVERY = [
    RelativeMagnitudes((0.0, 0.5, 1.0), method) for method in ("conditional_hybrid", "conditional")
] + [
    Smoothness((0.0, 0.02, 0.1), method) for method in ("flci", "conditional_hybrid", "conditional")
]


def study(scale=1.0, **more):
    return event_study(BETA, COVARIANCE * scale, TIMES, **more)


def ends(found, m):
    row = found.frame[found.frame["m"] == m].iloc[0]
    return np.array([row["conf_low"], row["conf_high"]])


def changes(kind):
    """Rows of first or second differences of (delta_-4..-2, 0, delta_0..3), written out."""
    path = np.zeros((8, 7))
    path[[0, 1, 2, 4, 5, 6, 7], range(7)] = 1
    first = path[1:] - path[:-1]
    return first if kind == "first" else first[1:] - first[:-1]


def allowed(restriction, m, weights):
    """The identified set by linear programmes over delta with delta_pre = beta_pre."""
    fixed = {"A_eq": np.eye(7)[:3], "b_eq": BETA[:3], "bounds": (None, None)}
    if restriction == "smoothness":
        rows = changes("second")[-4:]
        bound = np.full(4, m)
    else:
        rows = changes("first")[-4:]
        bound = np.full(4, m * np.abs(changes("first")[:3, :3] @ BETA[:3]).max())
    cost = np.append(np.zeros(3), weights)
    both = {"A_ub": np.vstack([rows, -rows]), "b_ub": np.append(bound, bound), **fixed}
    least = linprog(cost, **both).fun
    most = -linprog(-cost, **both).fun
    return weights @ BETA[3:] - np.array([most, least])


WEIGHTS = [[1, 0, 0, 0], [0.25] * 4, [0, -1, 0, 2]]


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("restriction", [r for r in EVERY if r.method != "flci"])
def test_without_noise_the_interval_is_the_identified_set(restriction, weights):
    found = honest(study(scale=1e-12), restriction, contrast=weights, search=QUICK)
    kind = "smoothness" if isinstance(restriction, Smoothness) else "relative"
    for m in restriction.m:
        expected = allowed(kind, m, np.array(weights, dtype=float))
        # the noise that is left has a standard error near 1e-7
        np.testing.assert_allclose(ends(found, m), expected, atol=3e-6)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_without_noise_the_fixed_length_holds_the_set_and_touches_it_for_the_worst(weights):
    m = 0.2  # more than any bend of BETA before treatment, 0.15
    low, high = ends(honest(study(scale=1e-12), Smoothness(m), contrast=weights), m)
    expected = allowed("smoothness", m, np.array(weights, dtype=float))
    assert low < expected[0] + 3e-6
    assert high > expected[1] - 3e-6
    # with a straight line before, the set itself is as long as the worst case
    line = event_study(np.append([0.3, 0.2, 0.1], BETA[3:]), COVARIANCE * 1e-12, TIMES)
    low, high = ends(honest(line, Smoothness(m), contrast=weights), m)
    assert high - low == pytest.approx(expected[1] - expected[0], abs=6e-6)


def test_a_straight_line_is_extrapolated_by_generalised_least_squares():
    # beta = slope * time + effects: regress with the inverse covariance as weights
    distance = np.array(TIMES) + 1.0
    design = np.column_stack([distance, np.vstack([np.zeros((3, 4)), np.eye(4)])])
    weight = np.linalg.inv(COVARIANCE)
    spread = np.linalg.inv(design.T @ weight @ design)
    effect = (spread @ design.T @ weight @ BETA)[1]
    expected = effect + norm.ppf([0.025, 0.975]) * np.sqrt(spread[1, 1])
    np.testing.assert_allclose(ends(honest(study(), Smoothness(0)), 0), expected, rtol=1e-9)


def test_with_one_wave_before_the_line_goes_through_it():
    covariance = covariance_of(2, seed=1)
    found = honest(event_study([0.1, 0.5], covariance, (-2, 0)), Smoothness((0, 0.3)))
    sd = np.sqrt(covariance.sum())
    np.testing.assert_allclose(ends(found, 0), 0.6 + norm.ppf([0.025, 0.975]) * sd, rtol=1e-9)
    half = folded_quantile(0.3 / sd, 0.05) * sd
    np.testing.assert_allclose(ends(found, 0.3), 0.6 + np.array([-half, half]), rtol=1e-9)


def test_the_folded_quantile_leaves_alpha_outside():
    for t in (0.0, 0.3, 2.0, 50.0):
        c = folded_quantile(t, 0.05)
        assert norm.cdf(c - t) - norm.cdf(-c - t) == pytest.approx(0.95, abs=1e-12)


@pytest.mark.parametrize("m", [0.005, 0.02, 0.1])
def test_no_other_weights_before_treatment_give_a_shorter_interval(m):
    found = fixed_length(m, np.array([1.0, 0, 0, 0]), COVARIANCE, 0.05)
    bend = changes("second")

    def half_length(a, b):
        # the third weight makes v ignore straight lines; its bias by a linear programme
        v = np.array([a, b, 1.0 - 3 * a - 2 * b, 1.0, 0, 0, 0])
        sides = {"A_ub": np.vstack([bend, -bend]), "b_ub": np.full(12, m)}
        sd = np.sqrt(v @ COVARIANCE @ v)
        return sd * folded_quantile(-linprog(-v, **sides, bounds=(None, None)).fun / sd, 0.05)

    a, b = found.weight[:2]
    assert half_length(a, b) == pytest.approx(found.half_length, rel=1e-9)
    away = [0.0, 1e-3, -1e-3, 0.03, -0.03, 0.3, -0.3]
    others = [half_length(a + da, b + db) for da in away for db in away]
    assert min(others) >= found.half_length * (1 - 1e-9)


def by_linear_programmes(theta, m, largest, sign, size):
    """The conditional test of one piece of Delta^RM: nuisance and truncation by programmes."""
    first = changes("first")
    sides = np.vstack([first[-4:], -first[-4:]]) - sign * m * first[largest]
    sd = np.sqrt(np.diag(sides @ COVARIANCE @ sides.T))
    nuisance = sides[:, 4:]  # effects after the first
    y = sides @ BETA - sides[:, 3] * theta
    common = sides @ COVARIANCE @ sides.T

    def largest_violation(values):
        cost = np.append(1.0, np.zeros(3))
        return linprog(
            cost, A_ub=-np.column_stack([sd, nuisance]), b_ub=-values, bounds=(None, None)
        )

    solved = largest_violation(y)
    if solved.fun <= 0:
        return False
    gamma = -solved.ineqlin.marginals
    variance = gamma @ common @ gamma
    move = common @ gamma / variance
    rest = y - move * solved.fun

    def edge(far):
        near = solved.fun
        if largest_violation(rest + move * far).fun <= far + 1e-9:
            return far
        for _ in range(25):
            middle = (near + far) / 2
            kept = largest_violation(rest + move * middle).fun <= middle + 1e-9
            near, far = (middle, far) if kept else (near, middle)
        return near

    spread = np.sqrt(variance)
    low, high = edge(-30.0), edge(30.0)
    p = truncnorm.sf(solved.fun / spread, low / spread, high / spread)
    return bool(p < size)


@pytest.mark.parametrize(("m", "largest", "sign"), [(1.0, 1, 1.0), (0.5, 2, -1.0), (2.0, 0, -1.0)])
def test_the_conditional_test_is_that_of_linear_programmes(m, largest, sign):
    piece = relative(m, largest, sign, np.array([1.0, 0, 0, 0]), COVARIANCE)
    grid = np.linspace(0.1, 0.8, 15)
    ours = rejected(grid, BETA, COVARIANCE, piece, Rule(0.05, np.inf))
    theirs = [by_linear_programmes(theta, m, largest, sign, 0.05) for theta in grid]
    np.testing.assert_array_equal(ours, theirs)


def test_the_least_favourable_value_is_exceeded_as_often_as_asked():
    piece = smoothness(0.1, np.array([1.0, 0, 0, 0]), COVARIANCE)
    root = np.linalg.cholesky(COVARIANCE).T
    value = least_favourable(
        piece, np.random.default_rng(1).standard_normal((40_000, 7)) @ root, 0.1
    )
    fresh = np.random.default_rng(2).standard_normal((40_000, 7)) @ root
    # 3 Monte Carlo standard errors of the difference of two such shares
    assert np.mean((fresh @ piece.row.T).max(axis=1) > value) == pytest.approx(0.1, abs=0.0064)


@pytest.mark.parametrize("restriction", EVERY)
def test_intervals_are_nested_in_m(restriction):
    frame = honest(study(), restriction, search=QUICK).frame.iloc[1:]
    assert (np.diff(frame["conf_low"].astype(float)) < 0).all()
    assert (np.diff(frame["conf_high"].astype(float)) > 0).all()


@pytest.mark.parametrize("method", ["flci", "conditional_hybrid", "conditional"])
def test_smoothness_covers_the_edge_of_its_set(method):
    # the worst trend: bends of m at each wave, all to one side; the effect is 0.3
    m, bends = 0.3, np.array([-1, 1, 1, 1, 1, 1]) * 0.3  # so wide that one edge matters
    trend = np.linalg.solve(np.vstack([changes("second"), np.eye(7)[2]]), np.append(bends, 0.05))
    truth = trend + np.append(np.zeros(3), [0.3] * 4)
    assert coverage(truth, Smoothness(m, method), 0.3, draws=1000) == pytest.approx(0.95, abs=0.021)


def test_relative_magnitudes_cover_the_edge_of_their_set():
    # one clear largest step before, met in full by each step after
    steps = np.array([0.0, 0.2, 0.0, 0.2, 0.2, 0.2, 0.2])
    path = np.append(0.0, steps.cumsum())
    truth = np.delete(path - path[3], 3) + np.append(np.zeros(3), [0.3] * 4)
    found = coverage(truth, RelativeMagnitudes(1.0), 0.3, draws=400)
    assert found == pytest.approx(0.95, abs=0.033)


def coverage(truth, restriction, effect, draws):
    """Share of tests that keep the effect; tolerances are 3 Monte Carlo standard errors."""
    generator = np.random.default_rng(7)
    root = np.linalg.cholesky(COVARIANCE).T
    first, m = np.eye(4)[0], restriction.m[0]
    beta = truth + generator.standard_normal((draws, 7)) @ root
    if restriction.method == "flci":
        found = fixed_length(m, first, COVARIANCE, 0.05)
        return np.mean(np.abs(beta @ found.weight - effect) <= found.half_length)
    if isinstance(restriction, Smoothness):
        pieces = [smoothness(m, first, COVARIANCE)]
    else:
        places = [(s, sign) for s in range(3) for sign in (1.0, -1.0)]
        pieces = [relative(m, s, sign, first, COVARIANCE) for s, sign in places]
    rules = [Rule(0.05, np.inf)] * len(pieces)
    if restriction.method == "conditional_hybrid":
        xi = generator.standard_normal((50_000, 7)) @ root
        rules = [Rule(0.045 / 0.995, least_favourable(p, xi, 0.005)) for p in pieces]
    held = [
        [not rejected(np.array([effect]), b, COVARIANCE, p, r)[0] for b in beta]
        for p, r in zip(pieces, rules, strict=True)
    ]
    return np.any(held, axis=0).mean()


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [
        (RelativeMagnitudes((0.5, 20.0)), RelativeMagnitudes((0.3,))),
        (Smoothness((0.0, 5.0)), Smoothness((0.01, 0.02, 0.03))),
    ],
)
def test_the_breakdown_value_does_not_depend_on_the_sizes_asked(coarse, fine):
    found = honest(study(), coarse, search=QUICK)
    again = honest(study(), fine, search=QUICK)
    assert found.breakdown == pytest.approx(again.breakdown, rel=2e-4)
    near = (0.999 * found.breakdown, found.breakdown)
    around = honest(study(), type(coarse)(near), search=QUICK)
    assert ends(around, near[0])[0] > 0
    assert ends(around, near[1])[0] <= 0


def test_an_effect_that_is_nothing_breaks_down_at_zero():
    weak = event_study(BETA * 0.1, COVARIANCE, TIMES)
    assert honest(weak, Smoothness((0.01,))).breakdown == 0
    assert "without any violation" in repr(honest(weak, Smoothness()))


def test_an_interval_at_the_edge_of_the_search_is_open():
    narrow = Search(points=100, far=0.5)
    found = honest(study(), RelativeMagnitudes(1, "conditional"), search=narrow)
    assert np.isinf(ends(found, 1)).all()
    assert found.frame["status"].iloc[1].startswith("open below and above")


@pytest.mark.parametrize("restriction", EVERY)
def test_a_mirrored_study_in_another_unit_has_the_mirrored_interval(restriction):
    found = honest(study(), restriction, search=QUICK)
    unit = 1e6
    mirrored = event_study(-unit * BETA, unit**2 * COVARIANCE, TIMES)
    scale = unit if isinstance(restriction, Smoothness) else 1.0
    sizes = tuple(scale * m for m in restriction.m)
    again = honest(mirrored, type(restriction)(sizes, restriction.method), search=QUICK)
    hybrid = restriction.method == "conditional_hybrid"
    for m, size in zip(restriction.m, sizes, strict=True):
        # mirrored, the hybrid meets other draws: 2 % of a length
        rtol = 2e-2 if hybrid else 1e-7
        np.testing.assert_allclose(-ends(again, size)[::-1] / unit, ends(found, m), rtol=rtol)


def test_the_first_row_is_the_original_interval():
    found = honest(study(), Smoothness(), contrast="average")
    row, plain = found.frame.iloc[0], BETA[3:].mean()
    half = norm.ppf(0.975) * np.sqrt(COVARIANCE[3:, 3:].mean())
    np.testing.assert_allclose([row["conf_low"], row["conf_high"]], [plain - half, plain + half])
    assert (row["restriction"], row["status"], np.isnan(row["m"])) == ("none", "ok", True)
    assert found.target == "mean of event times 0, 1, 2, 3"


def test_the_reference_may_be_left_out_or_earlier():
    found = honest(study(), Smoothness(0.1)).frame
    without = honest(study(reference=None), Smoothness(0.1)).frame
    pd.testing.assert_frame_equal(found, without)
    earlier = event_study(BETA, COVARIANCE, (-5, -4, -3, -1, 0, 1, 2), reference=-2)
    assert honest(earlier, Smoothness(0.1)).target == "event time 0"
    shifted = honest(earlier, Smoothness(0.1), contrast=[1, 0, 0, 0]).frame
    pd.testing.assert_frame_equal(found, shifted)


def test_the_same_seed_gives_the_same_interval_and_another_nearly_so():
    one, same, other = (
        ends(honest(study(), RelativeMagnitudes(1), search=Search(points=100, seed=s)), 1)
        for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert 0 < np.abs(one - other).max() < 0.01 * (one[1] - one[0])


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (study(specification="never treated, base varying"), 'base_period="universal"'),
        (event_study(BETA, COVARIANCE, range(-3, 4), reference=None), 'base_period="universal"'),
        (event_study(BETA, COVARIANCE, (-7, -5, -2, 0, 1, 2, 3)), "equal length"),
        (study(specification="base universal; 3 and all after binned"), "pools"),
        (join(study(), study(outcome="hours")), "outcome"),
    ],
)
def test_what_is_no_event_study_of_long_differences_is_refused(estimate, words):
    with pytest.raises(UsageError, match=words):
        honest(estimate, Smoothness())


def test_a_study_without_waves_before_the_reference_is_refused():
    with pytest.raises(NotEstimableError, match="no coefficient before the reference"):
        honest(subset(study(), rows=[3, 4, 5]), Smoothness())


def test_a_singular_covariance_is_refused():
    bare = subset(study(), rows=[0, 1, 2, 4, 5, 6, 7])
    few = replace(bare, psi=bare.psi * (np.arange(7) < 5)[:, None])  # five people, seven rows
    with pytest.raises(NotEstimableError, match="singular"):
        honest(few, Smoothness())


@pytest.mark.parametrize(
    "make",
    [
        lambda: RelativeMagnitudes(()),
        lambda: RelativeMagnitudes((-1.0,)),
        lambda: RelativeMagnitudes("many"),
        lambda: RelativeMagnitudes((1.0,), "flci"),
        lambda: Smoothness((np.nan,)),
        lambda: Smoothness((1.0,), "flic"),
        lambda: Search(points=1),
        lambda: Search(far=0),
        lambda: Search(seed=True),
        lambda: honest(study(), "smoothness"),
        lambda: honest(study(), Smoothness(), contrast=[1, 0]),
        lambda: honest(study(), Smoothness(), contrast=[0, 0, 0, 0]),
        lambda: honest(study(), Smoothness(), contrast="last"),
        lambda: honest(study(), Smoothness(), level=95),
    ],
)
def test_wrong_options_are_refused(make):
    with pytest.raises(UsageError):
        make()


def test_it_prints_as_text_and_html():
    found = honest(event_study(BETA, COVARIANCE, TIMES, outcome="a<b"), Smoothness((0, 0.1)))
    assert "The interval contains zero from m =" in repr(found)
    assert "a&lt;b" in found._repr_html_()


def test_the_figure_takes_it():
    from prakerja_eval import figures

    found = honest(study(), RelativeMagnitudes((0.5, 1)), search=QUICK)
    assert figures.sensitivity(found, breakdown=found.breakdown).axes
