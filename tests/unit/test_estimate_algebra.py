"""Do estimates combine by unit id, with the influence that the delta method and the law give?"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import LinearFit, LinearTerm, estimate_row
from prakerja_eval.numerics.linear import wls

ROLES = pe.Roles(unit="id", offer="won", blocks="block", received="trained", clusters="village")


def lottery(n=120, seed=5):
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(4), n // 4)
    won = (rng.random(n) < 0.3 + 0.1 * block).astype(int)
    trained = won * (rng.random(n) < 0.8)
    income = 2.0 + block + trained * (1 + block) + rng.normal(size=n)
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "block": block,
            "village": rng.integers(0, 15, n),
            "won": won,
            "trained": trained.astype(int),
            "income": income,
            "hours": income * 2 + rng.normal(size=n),
            "age": rng.normal(30, 5, n),
        }
    )


@pytest.fixture(scope="module")
def frame():
    return lottery()


@pytest.fixture(scope="module")
def panel(frame):
    return pe.read_panel(frame, ROLES)


@pytest.fixture(scope="module")
def itt(panel):
    return pe.lottery.itt(panel, "income")


def se(estimate, inference):
    return pe.infer(estimate, inference).frame["std_error"].to_numpy()


ALL = [
    pe.Robust("HC0"),
    pe.Robust("HC0", "normal"),
    pe.Robust("HC1"),
    pe.Robust("HC2"),
    pe.Robust("HC3"),
    pe.Classical(),
    pe.Clustered("unit", "none"),
    pe.Clustered("unit", "G"),
    pe.Clustered("village", "none"),
    pe.Clustered("village", "G"),
    pe.Clustered("village", "stata"),
    pe.Clustered("village", "CR2"),
    pe.Clustered("village", "CR3"),
    pe.MultiplierBootstrap(reps=199, by="village"),
]


@pytest.mark.parametrize("inference", ALL, ids=lambda i: i.label)
def test_the_standard_error_of_f_plus_f_is_twice_that_of_f(itt, inference):
    doubled = pe.contrast(pe.join(itt, itt), [1.0, 1.0])
    np.testing.assert_allclose(se(doubled, inference), 2 * se(itt, inference), rtol=1e-12)
    np.testing.assert_allclose(doubled.theta, 2 * itt.theta, rtol=1e-14)


def test_a_classical_variance_is_refused_across_regressions_and_given_within_one(panel, itt):
    two = pe.lottery.itt(panel, ["income", "hours"])
    with pytest.raises(NotEstimableError, match="within one regression"):
        pe.infer(pe.contrast(two, [1.0, 1.0]), pe.Classical())
    nothing = pe.contrast(pe.join(itt, itt), [1.0, -1.0])
    assert np.isnan(se(nothing, pe.Classical())[0])


def bare(estimate):
    """Give an estimate's parts without its regression."""
    names = ("theta", "psi", "sample", "units", "index", "counts", "defaults")
    return {name: getattr(estimate, name) for name in names} | {"terms": ((),)}


def test_joining_after_a_shuffle_of_rows_changes_nothing(frame):
    shuffled = frame.sample(frac=1, random_state=9)
    straight = pe.lottery.itt(pe.read_panel(frame, ROLES), ["income", "hours"])
    other = pe.lottery.itt(pe.read_panel(shuffled, ROLES), "hours")
    joined = pe.join(pe.subset(straight, outcome="income"), other)
    for inference in (pe.Robust("HC2"), pe.Clustered("village"), pe.Clustered("village", "CR2")):
        a, b = (pe.infer(e, inference).frame for e in (straight, joined))
        np.testing.assert_allclose(a["estimate"], b["estimate"], rtol=1e-12)
        np.testing.assert_allclose(a["std_error"], b["std_error"], rtol=1e-12)
        np.testing.assert_allclose(a["df"], b["df"], rtol=1e-12)
    tests = [pe.wald(e, pe.Clustered("village")).statistic for e in (straight, joined)]
    np.testing.assert_allclose(*tests, rtol=1e-10)
    difference = pe.contrast(pe.join(pe.subset(straight, outcome="hours"), other), [1.0, -1.0])
    assert np.abs(difference.psi).max() < 1e-14


def test_join_is_an_outer_join_in_which_outsiders_have_influence_zero(frame):
    parts = [pe.read_panel(frame[rows], ROLES) for rows in (slice(0, 60), slice(30, 120))]
    first, second = (pe.lottery.itt(p, "income") for p in parts)
    joined = pe.join(first, second)
    assert list(joined.units.index) == list(frame["id"])
    np.testing.assert_array_equal(joined.psi[60:, 0], 0.0)
    np.testing.assert_array_equal(joined.psi[:30, 1], 0.0)
    np.testing.assert_array_equal(joined.psi[:60, 0], first.psi[:, 0])
    np.testing.assert_array_equal(joined.sample.sum(axis=0), [60, 90])
    # the padding leaves each row's own standard error as it was
    for inference in (pe.Robust("HC2"), pe.Clustered("village"), pe.Clustered("village", "CR2")):
        apart = np.concatenate([se(first, inference), se(second, inference)])
        np.testing.assert_allclose(se(joined, inference), apart, rtol=1e-12)
    # and the covariance is that of the people in common
    both = first.psi[30:60, 0] @ second.psi[:30, 0]
    found = pe.estimate.variance(joined, pe.Clustered("unit", "none")).covariance[0, 1]
    np.testing.assert_allclose(found, both, rtol=1e-12)


def test_join_of_one_estimate_is_that_estimate_and_of_none_is_refused(itt):
    assert pe.join(itt) is itt
    with pytest.raises(UsageError, match="at least one"):
        pe.join()


def test_joining_is_associative(panel):
    rows = [pe.lottery.itt(panel, name) for name in ("income", "hours", "trained")]
    left = pe.join(pe.join(rows[0], rows[1]), rows[2])
    flat = pe.join(*rows)
    np.testing.assert_array_equal(left.psi, flat.psi)
    pd.testing.assert_frame_equal(left.index, flat.index)
    pd.testing.assert_frame_equal(left.units, flat.units)


def test_a_cluster_column_on_which_estimates_disagree_is_left_out_and_refused(frame):
    moved = frame.assign(village=frame.village.where(frame.index > 0, 99))
    rows = [pe.lottery.itt(pe.read_panel(f, ROLES), "income") for f in (frame, moved)]
    joined = pe.join(*rows)
    assert joined.differing == ("village",)
    with pytest.raises(UsageError, match="joined estimates disagree"):
        pe.infer(joined, pe.Clustered("village"))
    # a later join does not bring it back
    again = pe.join(joined, rows[0])
    with pytest.raises(UsageError, match="joined estimates disagree"):
        pe.infer(again, pe.Clustered("village"))


def test_a_cluster_column_that_one_estimate_lacks_is_refused_for_its_units(frame):
    plain = pe.Roles(unit="id", offer="won", blocks="block")
    first = pe.lottery.itt(pe.read_panel(frame[:60], ROLES), "income")
    second = pe.lottery.itt(pe.read_panel(frame[60:], plain), "income")
    with pytest.raises(NotEstimableError, match="60 units have no value"):
        pe.infer(pe.join(first, second), pe.Clustered("village"))


def test_a_contrast_is_the_combination_of_thetas_and_of_influence(panel):
    both = pe.lottery.itt(panel, ["income", "hours"])
    weights = np.array([[2.0, 0.0], [-0.5, 1.0]])
    made = pe.contrast(both, weights, outcome="a mix")
    np.testing.assert_allclose(made.theta, both.theta @ weights, rtol=1e-14)
    np.testing.assert_allclose(made.psi, both.psi @ weights, rtol=1e-12, atol=1e-15)
    assert list(made.index["outcome"]) == ["a mix", "a mix"]
    assert list(made.index["estimand"]) == ["ITT", "ITT"]
    unlabelled = pe.contrast(both, [1.0, 1.0])
    assert unlabelled.index["outcome"].iloc[0] is None
    assert unlabelled.index["estimator"].iloc[0] == "lottery.itt"


@pytest.mark.parametrize(
    "weights", [[1.0], [1.0, 2.0, 3.0], [0.0, 0.0], [np.nan, 1.0], ["a", "b"], [[[1.0]]]]
)
def test_a_contrast_with_wrong_weights_is_refused(panel, weights):
    with pytest.raises(UsageError, match="weights"):
        pe.contrast(pe.lottery.itt(panel, ["income", "hours"]), weights)


def test_a_row_that_could_not_be_estimated_does_not_spoil_a_contrast_without_it(itt):
    lost = estimate_row(
        np.nan,
        np.full(len(itt.units), np.nan),
        itt.units,
        {"estimator": "lost"},
        {"n": len(itt.units), "status": "not estimable here"},
        pe.Robust("HC2"),
    )
    both = pe.join(itt, lost)
    kept = pe.contrast(both, [2.0, 0.0])
    np.testing.assert_allclose(kept.theta, 2 * itt.theta)
    np.testing.assert_allclose(se(kept, pe.Robust()), 2 * se(itt, pe.Robust()), rtol=1e-12)
    spoilt = pe.infer(pe.contrast(both, [1.0, 1.0]), pe.Clustered("unit")).frame.iloc[0]
    assert np.isnan(spoilt["std_error"])
    assert spoilt["status"] == "not estimable here"
    frame = pe.infer(both, pe.Clustered("unit")).frame
    assert list(frame["status"]) == ["ok", "not estimable here"]
    assert frame[["estimate", "std_error", "p_value", "conf_low"]].iloc[1].isna().all()
    assert np.isfinite(frame["std_error"].iloc[0])


# A population mean by group, whose weighted average over groups is known in closed form.


def group_means(y, group, w):
    """Means and shares of three groups as Estimates, with their influence under weights w."""
    ids = pd.DataFrame({"weight": w}, index=[f"u{i}" for i in range(len(y))])
    means, shares = [], []
    for g in range(3):
        inside = (group == g).astype(float)
        mean = np.average(y, weights=w * inside)
        share = np.average(inside, weights=w)
        psi_mean = w * inside * (y - mean) / np.sum(w * inside)
        psi_share = w * (inside - share) / w.sum()
        label = {"estimator": "mean", "cohort": g}
        means.append(estimate_row(mean, psi_mean, ids, label, {}, pe.Clustered("unit", "none")))
        shares.append(estimate_row(share, psi_share, ids, label, {}, pe.Clustered("unit", "none")))
    return pe.join(*means), pe.join(*shares)


@pytest.fixture(scope="module")
def grouped():
    rng = np.random.default_rng(2)
    group = rng.integers(0, 3, 200)
    return rng.normal(size=200) + group, group


def test_aggregating_group_means_by_their_shares_gives_the_mean_and_its_influence(grouped):
    y, group = grouped
    means, shares = group_means(y, group, np.ones(200))
    found = pe.aggregate(means, shares, cohort="all")
    np.testing.assert_allclose(found.theta[0], y.mean(), rtol=1e-13)
    np.testing.assert_allclose(found.psi[:, 0], (y - y.mean()) / 200, rtol=1e-10, atol=1e-15)
    assert found.index["cohort"].iloc[0] == "all"


def test_aggregation_with_estimated_shares_is_the_delta_method_by_hand(grouped):
    y, group = grouped
    means, shares = group_means(y, group, np.ones(200))
    # shares of the first two groups only, so that they do not add up to one
    means, shares = pe.subset(means, rows=[0, 1]), pe.subset(shares, rows=[0, 1])
    found = pe.aggregate(means, shares)
    (a, b), (p, q) = means.theta, shares.theta
    gradient = np.array([p, q, (a - b) * q / (p + q), (b - a) * p / (p + q)]) / (p + q)
    by_hand = np.hstack([means.psi, shares.psi]) @ gradient
    np.testing.assert_allclose(found.theta[0], (p * a + q * b) / (p + q), rtol=1e-14)
    np.testing.assert_allclose(found.psi[:, 0], by_hand, rtol=1e-10, atol=1e-16)
    fixed = pe.aggregate(means, shares.theta)
    assert np.abs(fixed.psi - found.psi).max() > 1e-4


def test_aggregation_with_estimated_shares_obeys_the_law(grouped):
    y, group = grouped

    def theta(w):
        means, shares = group_means(y, group, w)
        return pe.aggregate(pe.subset(means, rows=[0, 2]), pe.subset(shares, rows=[0, 2]))

    found, step = theta(np.ones(200)), 1e-5
    for i in range(0, 200, 23):
        up, down = np.ones(200), np.ones(200)
        up[i] += step
        down[i] -= step
        slope = (theta(up).theta[0] - theta(down).theta[0]) / (2 * step)
        np.testing.assert_allclose(found.psi[i, 0], slope, rtol=1e-7, atol=1e-11)


def test_whoever_moves_only_a_share_counts_as_a_unit_of_the_average(grouped):
    y, group = grouped
    means, shares = group_means(y, group, np.ones(200))
    inside = pe.subset(means, rows=[0, 1])
    mask = np.column_stack([group == 0, group == 1])
    inside = inside.__class__(
        **{n: getattr(inside, n) for n in ("theta", "psi", "units", "index", "counts", "terms")},
        sample=mask,
        defaults=inside.defaults,
    )
    found = pe.aggregate(inside, pe.subset(shares, rows=[0, 1]))
    assert pe.infer(found).frame["n_clusters"].iloc[0] == 200
    fixed = pe.aggregate(inside, [1.0, 1.0])
    assert pe.infer(fixed).frame["n_clusters"].iloc[0] == np.sum(group < 2)


@pytest.mark.parametrize("shares", [[1.0, -1.0, 0.0], [1.0], [np.nan, 1.0, 1.0], [0.0] * 3])
def test_shares_that_make_no_average_are_refused(grouped, shares):
    means, _ = group_means(*grouped, np.ones(200))
    with pytest.raises(UsageError, match="share"):
        pe.aggregate(means, shares)


def test_subset_keeps_rows_by_position_and_by_label(panel):
    three = pe.lottery.itt(panel, ["income", "hours", "trained"])
    assert list(pe.subset(three, rows=[2, 0]).index["outcome"]) == ["trained", "income"]
    picked = pe.subset(three, outcome=("hours", "income"))
    assert list(picked.index["outcome"]) == ["income", "hours"]
    np.testing.assert_array_equal(picked.psi, three.psi[:, :2])
    np.testing.assert_allclose(se(picked, pe.Robust()), se(three, pe.Robust())[:2], rtol=1e-15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": [3]}, "positions from 0 to 2"),
        ({"rows": [-1]}, "positions from 0 to 2"),
        ({"rows": [True, False, True]}, "positions from 0 to 2"),
        ({"rows": []}, "no parameter"),
        ({"outcome": "wages"}, "no parameter"),
        ({"result": "income"}, "no index column"),
    ],
)
def test_subset_refuses_what_is_not_there(panel, options, message):
    three = pe.lottery.itt(panel, ["income", "hours", "trained"])
    with pytest.raises(UsageError, match=message):
        pe.subset(three, **options)


def test_rename_returns_another_estimate(itt):
    renamed = pe.rename(itt, specification="plain", outcome=str.upper)
    assert renamed.index[["specification", "outcome"]].iloc[0].tolist() == ["plain", "INCOME"]
    assert itt.index[["specification", "outcome"]].iloc[0].tolist() == ["unadjusted", "income"]
    with pytest.raises(UsageError, match="no index column"):
        pe.rename(itt, label="x")


def test_the_arrays_of_an_estimate_cannot_be_written(itt):
    for array in (itt.theta, itt.psi, itt.sample):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        itt.theta = np.zeros(1)


def test_an_estimate_with_parts_of_different_sizes_is_refused(itt):
    parts = bare(itt) | {"psi": itt.psi[:-1]}
    with pytest.raises(ValueError, match="other sizes"):
        itt.__class__(**parts)
    twice = itt.units.set_axis(["same"] * len(itt.units))
    with pytest.raises(ValueError, match="repeat"):
        itt.__class__(**(bare(itt) | {"units": twice}))


def test_a_contrast_within_one_regression_has_the_textbook_variance():
    rng = np.random.default_rng(4)
    X = np.column_stack([np.ones(50), rng.normal(size=(50, 2))])
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=50)
    fit = wls(y, X, np.ones(50))
    linear = LinearFit(fit.residuals, fit.weights, fit.bread, np.arange(50), design=X)
    units = pd.DataFrame({"weight": np.ones(50)}, index=[f"u{i}" for i in range(50)])
    rows = [
        estimate_row(
            fit.beta[k],
            fit.psi[:, k],
            units,
            {"estimator": "ols", "cohort": k},
            {"n": 50},
            pe.Robust(),
            [LinearTerm(linear, np.eye(3)[k])],
        )
        for k in (1, 2)
    ]
    joined = pe.join(*rows)
    difference = pe.contrast(joined, [1.0, -1.0])
    c = np.array([0.0, 1.0, -1.0])
    h = np.einsum("ij,jk,ik->i", X, fit.bread, X)
    meat = (X * (fit.residuals**2 / (1 - h))[:, None]).T @ X
    hc2 = np.sqrt(c @ fit.bread @ meat @ fit.bread @ c)
    np.testing.assert_allclose(se(difference, pe.Robust("HC2"))[0], hc2, rtol=1e-10)
    sigma2 = fit.residuals @ fit.residuals / 47
    covariance = pe.estimate.variance(joined, pe.Classical()).covariance
    np.testing.assert_allclose(covariance, sigma2 * fit.bread[1:, 1:], rtol=1e-10)
