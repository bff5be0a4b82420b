"""Is the restricted wild cluster bootstrap what its papers say? Against re-estimation of each draw.

Brute force makes every y* (and d*) and estimates anew by least squares with a restriction solved
as a Lagrangian, so it shares neither algebra nor code with the kernel. Counts are compared exactly:
draws whose t-ratio equals the data's but for rounding (1e-9) count as at least as large in both.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from study_files import STUDY, write_study
from study_files import people as study_people

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.draws import multiplier_weights
from prakerja_eval.estimate.families import sharpened_q

TIE = 1e-9


def people(n=72, groups=6, seed=1, effect=0.5):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": [f"SYN-{i:06d}" for i in range(n)], "won": np.arange(n) % 2})
    frame["village"] = np.arange(n) // 2 % groups
    frame["block"] = rng.integers(0, 3, n)
    frame["age"] = rng.normal(size=n)
    frame["weight"] = rng.uniform(0.5, 2.0, n)
    frame["trained"] = np.where(rng.random(n) < 0.7, frame.won, 1 - frame.won)
    shock = rng.normal(size=groups)[frame.village]
    frame["income"] = effect * frame.trained + shock * (0.3 + frame.won) + rng.normal(size=n)
    return frame


def panel(frame, weight=None, blocks="block"):
    roles = {"unit": "id", "offer": "won", "received": "trained", "clusters": "village"}
    return pe.read_panel(frame, pe.Roles(**roles, blocks=blocks, weight=weight))


def first(estimate, spec, **options):
    return pe.infer(estimate, spec, **options).frame.iloc[0]


# -- brute force ----------------------------------------------------------------------------------


def saturated(frame):
    """Return cell dummies of block and arm, and the population-weighted contrast."""
    cell = 2 * frame.block.to_numpy() + frame.won.to_numpy()
    share = np.bincount(frame.block, frame.weight) / frame.weight.sum()
    return np.eye(6)[cell], np.column_stack([-share, share]).ravel()


def fixed_effects(frame):
    X = np.column_stack([frame.won, np.eye(3)[frame.block], frame.age])
    return X.astype(float), np.eye(5)[0]


def restricted(y, X, c, w, value):
    """Least squares subject to c'b = value, by its Lagrangian."""
    p = X.shape[1]
    system = np.block([[X.T @ (w[:, None] * X), c[:, None]], [c[None, :], np.zeros((1, 1))]])
    return np.linalg.solve(system, np.append(X.T @ (w * y), value))[:p]


def t_of_regression(y, X, c, w, codes, value):
    root = np.sqrt(w)
    b = np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0]
    lever = X @ np.linalg.inv(X.T @ (w[:, None] * X)) @ c
    scores = np.bincount(codes, lever * w * (y - X @ b))
    return (c @ b - value) / np.sqrt(scores @ scores)


def brute_regression(y, X, c, w, codes, value, draws):
    b = restricted(y, X, c, w, value)
    left = y - X @ b
    t = t_of_regression(y, X, c, w, codes, value)
    stars = [t_of_regression(X @ b + v[codes] * left, X, c, w, codes, value) for v in draws]
    return sum(s**2 >= t**2 * (1 - TIE) for s in stars)


def t_of_ratio(y, d, X, c, w, codes, value):
    M = np.linalg.inv(X.T @ (w[:, None] * X))
    take = c @ M @ X.T @ (w * d)
    theta = c @ M @ X.T @ (w * y) / take
    u = y - theta * d
    u = u - X @ (M @ X.T @ (w * u))
    scores = np.bincount(codes, (X @ M @ c) * w * u) / take
    return (theta - value) / np.sqrt(scores @ scores)


def brute_ratio(y, d, X, c, w, codes, value, draws):
    """Davidson and MacKinnon (2010): the first stage is fitted with the restricted residual."""
    fitted = X @ restricted(y - value * d, X, c, w, 0.0)
    u = y - value * d - fitted
    Z, root = np.column_stack([X, u]), np.sqrt(w)
    pi = np.linalg.lstsq(Z * root[:, None], d * root, rcond=None)[0][:-1]
    v_left = d - X @ pi
    t = t_of_ratio(y, d, X, c, w, codes, value)
    count = 0
    for v in draws:
        d_star = X @ pi + v[codes] * v_left
        y_star = value * d_star + fitted + v[codes] * u
        count += t_of_ratio(y_star, d_star, X, c, w, codes, value) ** 2 >= t**2 * (1 - TIE)
    return count


def signs(groups):
    return [np.array(v) for v in product([1.0, -1.0], repeat=groups)]


def arrays(frame, weight):
    w = frame.weight.to_numpy() if weight else np.ones(len(frame))
    return frame.income.to_numpy(), frame.trained.to_numpy(float), w, frame.village.to_numpy()


DESIGNS = {
    "saturated": (pe.lottery.Design(), saturated, "weight"),
    "fixed effects and a covariate": (
        pe.lottery.Design(block_weights="strata_fe", covariates=("age",)),
        fixed_effects,
        None,
    ),
}


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("seed", range(3))
def test_a_regression_is_re_estimated_in_each_of_the_2_to_the_g_draws(name, seed):
    design, matrix, weight = DESIGNS[name]
    frame = people(seed=seed)
    found = first(
        pe.lottery.itt(panel(frame, weight), "income", design), pe.WildClusterBootstrap("village")
    )
    y, _, w, codes = arrays(frame, weight)
    X, c = matrix(frame)
    count = brute_regression(y, X, c, w, codes, 0.0, signs(6))
    assert found["p_value"] * 64 == count
    assert found["inference"] == "wild cluster bootstrap by village (rademacher, all 64 draws)"


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("seed", range(3))
def test_a_ratio_is_re_estimated_with_its_efficient_first_stage(name, seed):
    design, matrix, weight = DESIGNS[name]
    frame = people(seed=seed)
    found = first(
        pe.lottery.late(panel(frame, weight), "income", design), pe.WildClusterBootstrap("village")
    )
    y, d, w, codes = arrays(frame, weight)
    X, c = matrix(frame)
    assert found["p_value"] * 64 == brute_ratio(y, d, X, c, w, codes, 0.0, signs(6))


@pytest.mark.parametrize("verb", [pe.lottery.itt, pe.lottery.late])
@pytest.mark.parametrize("name", DESIGNS)
def test_values_just_inside_the_interval_are_kept_and_those_just_outside_rejected(verb, name):
    design, matrix, weight = DESIGNS[name]
    frame = people(n=96, groups=8, seed=5)
    estimate = verb(panel(frame, weight), "income", design)
    found = first(estimate, pe.WildClusterBootstrap("village"), level=0.9)
    y, d, w, codes = arrays(frame, weight)
    X, c = matrix(frame)
    middle = float(estimate.theta[0])
    for end in (found["conf_low"], found["conf_high"]):
        inside, outside = (middle + (end - middle) * f for f in (1 - 1e-6, 1 + 1e-6))
        p = []
        for value in (inside, outside):
            if verb is pe.lottery.itt:
                p.append(brute_regression(y, X, c, w, codes, value, signs(8)) / 256)
            else:
                p.append(brute_ratio(y, d, X, c, w, codes, value, signs(8)) / 256)
        assert p[0] > 0.1 >= p[1]


@pytest.mark.parametrize("weights", ["webb", "mammen", "rademacher"])
def test_random_draws_are_counted_with_one_added_above_and_below(weights):
    groups = 20  # 2^20 is more than is gone through
    frame = people(n=120, groups=groups, seed=2)
    spec = pe.WildClusterBootstrap("village", reps=199, seed=3, weights=weights)
    found = first(pe.lottery.itt(panel(frame), "income"), spec)
    frame["weight"] = 1.0
    X, c = saturated(frame)
    y, _, w, codes = arrays(frame, None)
    draws = multiplier_weights(np.random.Generator(np.random.PCG64(3)), (199, groups), weights)
    assert found["p_value"] == (1 + brute_regression(y, X, c, w, codes, 0.0, draws)) / 200
    assert found["inference"].endswith(f"({weights}, 199 draws)")


# -- what must hold whatever the numbers ----------------------------------------------------------


def test_the_standard_error_is_that_of_stata_s_clusters_and_the_statistic_its_t():
    estimate = pe.lottery.itt(panel(people()), "income")
    found = first(estimate, pe.WildClusterBootstrap("village"))
    plain = first(estimate, pe.Clustered("village", "stata"))
    assert found["std_error"] == plain["std_error"]
    assert found["statistic"] == plain["estimate"] / plain["std_error"]
    assert np.isinf(found["df"])


def test_where_everyone_takes_what_the_offer_gives_late_and_itt_are_one_test():
    frame = people(seed=4).assign(trained=lambda f: f.won)
    both = [verb(panel(frame), "income") for verb in (pe.lottery.itt, pe.lottery.late)]
    rows = [first(e, pe.WildClusterBootstrap("village")) for e in both]
    for column in ("p_value", "conf_low", "conf_high"):
        np.testing.assert_allclose(rows[0][column], rows[1][column], rtol=1e-8)


def test_the_order_of_people_and_the_unit_of_the_outcome_do_not_matter():
    frame = people(n=120, groups=10, seed=7)
    spec = pe.WildClusterBootstrap("village")
    shuffled = frame.sample(frac=1, random_state=1).assign(income=lambda f: 5 - 1e6 * f.income)
    for verb in (pe.lottery.itt, pe.lottery.late):
        mine, other = (first(verb(panel(f), "income"), spec) for f in (frame, shuffled))
        assert mine["p_value"] == other["p_value"]
        # the order of addition differs, and the ends are bisected to 1e-12 of a standard error
        np.testing.assert_allclose(mine["conf_low"], other["conf_high"] / -1e6, rtol=1e-8)
        np.testing.assert_allclose(mine["conf_high"], other["conf_low"] / -1e6, rtol=1e-8)


@pytest.mark.parametrize("verb", [pe.lottery.itt, pe.lottery.late])
def test_twice_or_minus_an_effect_is_the_same_test(verb):
    estimate = verb(panel(people(n=120, groups=10, seed=7)), "income")
    spec = pe.WildClusterBootstrap("village")
    plain = first(estimate, spec)
    turned = first(pe.contrast(estimate, [-2.0]), spec)
    assert turned["p_value"] == plain["p_value"]
    np.testing.assert_allclose(turned["conf_low"], -2 * plain["conf_high"], rtol=1e-9)
    np.testing.assert_allclose(turned["conf_high"], -2 * plain["conf_low"], rtol=1e-9)


def test_outcomes_are_tested_row_by_row():
    frame = people(n=120, groups=20, seed=8)
    frame["hours"] = frame.age + frame.won
    spec = pe.WildClusterBootstrap("village", reps=199)
    both = pe.infer(pe.lottery.itt(panel(frame), ("income", "hours")), spec).frame
    for row, outcome in enumerate(("income", "hours")):
        alone = first(pe.lottery.itt(panel(frame), outcome), spec)
        columns = ["p_value", "conf_low", "conf_high", "std_error", "status"]
        assert both.iloc[row][columns].equals(alone[columns])


def test_rows_with_the_wild_bootstrap_as_default_are_drawn_beside_others():
    estimate = pe.lottery.itt(panel(people()), "income")
    spec = pe.WildClusterBootstrap("village")
    both = pe.join(
        estimate, pe.rename(pe.lottery.itt(panel(people()), "income"), specification="wild")
    )
    mixed = pe.infer(replace(both, defaults=(estimate.defaults[0], spec))).frame
    assert mixed["inference"].iloc[0] == "HC2"
    assert mixed["p_value"].iloc[1] == first(estimate, spec)["p_value"]


# -- few clusters, weak first stages, refusals ----------------------------------------------------


def test_five_clusters_cannot_reach_five_percent_and_webb_s_weights_can():
    frame = people(n=60, groups=5, effect=0).assign(income=lambda f: f.income + 50 * f.won)
    estimate = pe.lottery.itt(panel(frame), "income")
    found = first(estimate, pe.WildClusterBootstrap("village"))
    assert found["p_value"] == 2 / 32
    assert "no p-value below about 0.0625" in found["status"]
    assert "weights='webb'" in found["status"]
    assert found["conf_low"] == -np.inf
    assert found["conf_high"] == np.inf
    assert "no end" in found["status"]
    webb = first(estimate, pe.WildClusterBootstrap("village", weights="webb"))
    assert webb["p_value"] < 0.05
    assert webb["status"] == "ok"
    six = pe.lottery.itt(panel(people(n=60, groups=6)), "income")
    assert "at most 0.0312 of the time" in first(six, pe.WildClusterBootstrap("village"))["status"]
    seven = pe.lottery.itt(panel(people(n=70, groups=7)), "income")
    assert first(seven, pe.WildClusterBootstrap("village"))["status"] == "ok"
    strict = first(six, pe.WildClusterBootstrap("village"), level=0.99)
    assert "no p-value below" in strict["status"]


def test_a_weak_first_stage_gives_an_interval_without_end_and_says_so():
    frame = people(n=160, groups=16, seed=3)
    rng = np.random.default_rng(0)
    frame["trained"] = rng.integers(0, 2, len(frame))
    found = first(pe.lottery.late(panel(frame), "income"), pe.WildClusterBootstrap("village"))
    assert "weak first stage" in found["status"]
    assert "the interval has no end" in found["status"]
    assert np.isinf(found[["conf_low", "conf_high"]].astype(float)).any()


def test_a_cluster_that_alone_identifies_a_block_has_no_standard_error():
    frame = people().assign(village=lambda f: f.block)
    found = first(pe.lottery.itt(panel(frame), "income"), pe.WildClusterBootstrap("village"))
    assert "one cluster alone" in found["status"]
    assert found[["std_error", "p_value", "conf_low", "conf_high"]].isna().all()


def refused():
    frame = people()
    whole = panel(frame)
    itt = pe.lottery.itt
    both = itt(whole, ("income", "age"))
    yield "combines several", pe.contrast(both, [1.0, -1.0])
    yield "lies outside", itt(whole, "income", pe.lottery.Design(shares="superpopulation"))
    late = pe.lottery.late(whole, "income")
    yield "combines several", pe.contrast(pe.join(late, itt(whole, "income")), [1.0, -1.0])
    treated = panel(frame.assign(won=frame.trained), blocks=())
    pairs = pe.matching.match(treated, pe.matching.Nearest(), covariates=["age"])
    yield "this is a matching", pe.matching.att(treated, pairs, "income")


@pytest.mark.parametrize("case", range(4))
def test_what_has_no_single_regression_is_refused_in_a_sentence(case):
    words, estimate = list(refused())[case]
    with pytest.raises(NotEstimableError, match=words):
        pe.infer(estimate, pe.WildClusterBootstrap("village"))


def test_more_clusters_than_it_is_for_are_refused():
    frame = people(n=60_000, groups=30_000)
    frame["block"] = np.arange(len(frame)) // 2 % 300
    estimate = pe.lottery.itt(panel(frame), "income")
    with pytest.raises(NotEstimableError, match=r"30000 clusters, .*few clusters"):
        pe.infer(estimate, pe.WildClusterBootstrap("village"))


def test_an_unknown_cluster_column_is_a_wrong_call():
    with pytest.raises(UsageError, match="no cluster column 'district'"):
        pe.infer(pe.lottery.itt(panel(people()), "income"), pe.WildClusterBootstrap("district"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": "gamma"}, "'rademacher', 'mammen', 'webb'"),
        ({"reps": 9}, "at least 99"),
        ({"seed": -1}, "whole number"),
    ],
)
def test_options_name_what_is_allowed(options, words):
    with pytest.raises(UsageError, match=words):
        pe.WildClusterBootstrap("village", **options)


def test_a_joint_test_says_that_it_is_no_bootstrap():
    frame = people()
    frame["hours"] = frame.age
    both = pe.lottery.itt(panel(frame), ("income", "hours"))
    test = pe.wald(both, pe.WildClusterBootstrap("village"))
    plain = pe.wald(both, pe.Clustered("village", "stata"))
    assert test.p_value == plain.p_value
    assert "tests one parameter" in repr(test)


WILD = 'design = { block_weights = "treated" }\ninference = { wild = { by = "village", seed = 2 } }'


@pytest.mark.parametrize("groups", [5, 9])
def test_a_study_entry_names_it_and_gets_its_numbers(tmp_path, groups):
    frame = study_people()
    frame["village"] = frame["person_id"].str[-3:].astype(int) % groups
    text = STUDY.replace("[groups]", 'clusters = "village"\n\n[groups]').replace(
        "baseline = 1\nclusters", ""
    )
    text = text.replace('design = { block_weights = "treated" }', WILD)
    results = pe.Study.read(write_study(tmp_path, text, frame)).run()
    found = results.findings.frame.set_index("name").loc["lottery"]
    roles = pe.Roles("person_id", "wave", 1, offer="won", received="trained", clusters="village")
    estimate = pe.lottery.late(
        pe.read_panel(frame, roles), "income", pe.lottery.Design(block_weights="treated")
    )
    direct = first(estimate, pe.WildClusterBootstrap("village", seed=2))
    assert found["p_value"] == direct["p_value"]
    assert found["conf_low"] == direct["conf_low"]
    assert found["inference"] == direct["inference"]
    assert np.isinf(found["conf_low"]) == (groups == 5)
    page = pe.report(results, tmp_path / "report")
    assert "wild cluster bootstrap by village" in page.page.read_text("utf-8")


# -- families and sharpened q-values --------------------------------------------------------------


def brute_sharpened(p):
    """Anderson's recipe as printed: go down the grid and keep the last level that rejects."""
    p, m = np.asarray(p), len(p)
    order, out = np.argsort(p), np.ones(m)
    for step in range(1000, 0, -1):
        u = step / 1000 / (1 + step / 1000)
        rank = np.arange(1, m + 1)
        hits = np.flatnonzero(p[order] <= u * rank / m + 1e-15)
        r = hits.max() + 1 if len(hits) else 0
        again = np.arange(m) if r == m else np.flatnonzero(p[order] <= u * rank / (m - r) + 1e-15)
        if len(again):
            out[order[: again.max() + 1]] = step / 1000
    return out


@pytest.mark.parametrize("seed", range(20))
def test_sharpened_q_values_are_those_of_the_search_down_the_grid(seed):
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(0.4, 1.5, rng.integers(1, 15)), 4)
    np.testing.assert_allclose(sharpened_q(p), brute_sharpened(p), atol=1e-12)


def test_outcomes_are_corrected_within_their_own_family():
    frame = people()
    rng = np.random.default_rng(1)
    for name in ("a", "b", "c", "d"):
        frame[name] = rng.normal(size=len(frame)) + 0.4 * frame.won
    estimate = pe.lottery.itt(panel(frame), ("a", "b", "c", "d"))
    families = {"money": ("a", "c"), "health": "b"}
    found = pe.infer(estimate, adjust=pe.Adjustment("holm", families=families)).frame
    p = found["p_value"].to_numpy()
    small, large = sorted(p[[0, 2]])
    expected = {small: min(2 * small, 1.0), large: min(max(2 * small, large), 1.0)}
    assert found["family"].iloc[:3].tolist() == ["money", "health", "money"]
    assert pd.isna(found["family"].iloc[3])
    np.testing.assert_allclose(found["p_adjusted"].iloc[[0, 2]], [expected[p[0]], expected[p[2]]])
    assert found["p_adjusted"].iloc[1] == p[1]
    assert np.isnan(found["p_adjusted"].iloc[3])


def test_families_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="names 'a' twice"):
        pe.Adjustment("bh", families={"one": ("a", "b"), "two": ("a",)})
    with pytest.raises(UsageError, match="takes a name and its outcomes"):
        pe.Adjustment("bh", families="income")
    estimate = pe.lottery.itt(panel(people()), "income")
    with pytest.raises(UsageError, match="the outcome 'wages'; there are income"):
        pe.infer(estimate, adjust=pe.Adjustment("bh", families={"money": ("wages",)}))
