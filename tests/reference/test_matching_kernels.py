"""Matching kernels meet R MatchIt 4.7.2, R Matching 4.10-8 and Stata's teffects psmatch.

Sources: shared reference folder `matching` (README.md there says which option each key stands for);
the figures of Stata are from a published log of teffects psmatch on cattaneo2, printed there.
"""

from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.effects.abadie_imbens import (
    constant_sigma2,
    local_sigma2,
    matching_variance,
)
from prakerja_eval.matching.effects.effects import matched_effect, outcome_lines
from prakerja_eval.matching.effects.estimated_score import FittedScore, score_correction
from prakerja_eval.matching.pairs.greedy import Order, nearest_without_replacement
from prakerja_eval.matching.pairs.neighbours import Ties, nearest_with_replacement
from prakerja_eval.matching.pairs.pairs import (
    Pairs,
    both_ways,
    effective_sample_size,
    in_sample,
    matching_weights,
    total_distance,
)
from prakerja_eval.numerics.logit import logit

CLOSED = 1e-8  # no optimiser between the reference's scores and these numbers


class Sample(NamedTuple):
    y: np.ndarray
    treated: np.ndarray
    score: np.ndarray
    linear: np.ndarray


@pytest.fixture(scope="module")
def folder(shared_reference):
    return shared_reference / "matching"


# MatchIt: who is matched with whom ---------------------------------------------------------------


class Spec(NamedTuple):
    options: dict
    caliper: float = np.inf  # in standard deviations of the score over all units
    score: str = "ps_logit"
    replace: bool = False
    exact: bool = False
    atc: bool = False


MATCHIT = {
    "nn1": Spec({}),
    "nn2": Spec({"ratio": 2}),
    "nn1_data": Spec({"order": Order.DATA}),
    "nn1_smallest": Spec({"order": Order.SMALLEST}),
    "nn1_closest": Spec({"order": Order.CLOSEST}),
    "nn1_cal02": Spec({}, caliper=0.2),
    "nn1_cal01_closest": Spec({"order": Order.CLOSEST}, caliper=0.1),
    "nn1_linlogit_cal02": Spec({}, caliper=0.2, score="linpred_logit"),
    "nn1_probit": Spec({}, score="ps_probit"),
    "nn1_reuse3": Spec({"max_uses": 3}),
    "nn1_exact": Spec({}, exact=True),
    "nn1_exact_cal02": Spec({}, caliper=0.2, exact=True),
    "nn1_rep": Spec({}, replace=True),
    "nn4_rep": Spec({"ratio": 4}, replace=True),
    "nn1_rep_cal02": Spec({}, caliper=0.2, replace=True),
    "nn1_atc_cal": Spec({"order": Order.SMALLEST}, caliper=0.2, atc=True),
}


class Matched(NamedTuple):
    pairs: Pairs  # positions in the sample
    weights: np.ndarray
    treated: np.ndarray


@pytest.fixture(scope="module")
def lalonde(folder):
    return pd.read_csv(folder / "lalonde_matchit.csv").join(
        pd.read_csv(folder / "pscore_lalonde.csv")
    )


def match(lalonde: pd.DataFrame, spec: Spec) -> Matched:
    s = lalonde[spec.score].to_numpy()
    treated = lalonde.treat.to_numpy() == 1
    focal, other = np.flatnonzero(treated), np.flatnonzero(~treated)
    options = dict(spec.options)
    if np.isfinite(spec.caliper):
        options["caliper"] = spec.caliper * s.std(ddof=1)
    if spec.exact:
        race = pd.factorize(lalonde.race)[0]
        options["groups"] = (race[focal], race[other])
    if spec.atc:
        # The reference stands all rows in one line by score and row number, here the treated
        # first; the kernel stands focal units before their equals. Read the line backwards.
        focal, other = other, focal[::-1]
        backwards = {Order.SMALLEST: Order.LARGEST}
        options["order"] = backwards[options["order"]]
        s = -s
    if spec.replace:
        pairs = nearest_with_replacement(s[focal], s[other], ties=Ties.FIRST, **options)
    else:
        pairs = nearest_without_replacement(s[focal], s[other], **options)
    w = matching_weights(pairs, len(focal), len(other))
    weights = np.zeros(len(s))
    weights[focal], weights[other] = w.focal, w.comparison
    return Matched(in_sample(pairs, focal, other), weights, treated)


@pytest.mark.parametrize("key", MATCHIT)
def test_matching_weights_of_every_unit_meet_matchit(folder, lalonde, key):
    expected = pd.read_csv(folder / "weights_lalonde.csv")[key].to_numpy()
    np.testing.assert_allclose(match(lalonde, MATCHIT[key]).weights, expected, rtol=CLOSED, atol=0)


@pytest.mark.parametrize("key", MATCHIT)
def test_counts_and_distances_meet_matchit(folder, lalonde, key):
    expected = pd.read_csv(folder / "matchit_counts.csv", index_col="key").loc[f"lalonde:{key}"]
    pairs, w, t = match(lalonde, MATCHIT[key])
    assert np.count_nonzero(w[t]) == expected.matched_t
    assert np.count_nonzero(w[~t]) == expected.matched_c
    assert len(pairs.focal) == expected.n_pairs
    np.testing.assert_allclose(effective_sample_size(w[t]), expected.ess_t, rtol=CLOSED)
    np.testing.assert_allclose(effective_sample_size(w[~t]), expected.ess_c, rtol=CLOSED)
    np.testing.assert_allclose(total_distance(pairs), expected.sum_pair_psdist, rtol=CLOSED)


@pytest.mark.parametrize("key", MATCHIT)
def test_differences_in_weighted_means_meet_matchit(folder, lalonde, key):
    table = pd.read_csv(folder / "matchit_effects.csv")
    rows = (table.key == f"lalonde:{key}") & (table.adj == "difference in weighted means")
    pairs, w, t = match(lalonde, MATCHIT[key])
    y = lalonde.re78.to_numpy()
    effect = matched_effect(y, t, pairs)
    np.testing.assert_allclose(effect.estimate, table[rows].est.iloc[0], rtol=CLOSED)
    means = np.average(y[t], weights=w[t]) - np.average(y[~t], weights=w[~t])
    np.testing.assert_allclose(effect.estimate, means, rtol=1e-12)


@pytest.mark.parametrize("key", ["nn1", "nn1_cal02"])
def test_pairs_meet_matchit_row_by_row(folder, lalonde, key):
    table = pd.read_csv(folder / f"pairs_lalonde_{key}.csv").dropna().astype(int)
    pairs = match(lalonde, MATCHIT[key]).pairs
    np.testing.assert_array_equal(pairs.focal + 1, table.treated)
    np.testing.assert_array_equal(pairs.comparison + 1, table.c1)


# Matching: Abadie-Imbens with ties averaged ------------------------------------------------------

TIED = 1e-5  # on the squared distance of standardised scores


@pytest.fixture(scope="module", params=["nsw_dw", "lalonde"])
def sample(request, folder, lalonde):
    if request.param == "lalonde":
        d = lalonde
        scores = d.ps_logit.to_numpy(), d.linpred_logit.to_numpy()
    else:
        d = pd.read_csv(folder / "nsw_dw.csv")
        columns = ["age", "educ", "black", "hisp", "marr", "nodeg", "re74", "re75"]
        X = np.column_stack((np.ones(len(d)), d[columns].to_numpy(float)))
        fit = logit(d.treat.to_numpy(float), X, np.ones(len(d)))
        scores = fit.probability, fit.linear_predictor
    return request.param, Sample(d.re78.to_numpy(), d.treat.to_numpy() == 1, *scores)


@pytest.fixture(scope="module")
def expected(folder):
    return pd.read_csv(folder / "Matching_Match.csv", index_col=["data", "spec"])


def averaged(s: Sample, score: np.ndarray, ratio: int, caliper: float, estimand: str) -> Pairs:
    z = score / score.std(ddof=1)
    t, c = np.flatnonzero(s.treated), np.flatnonzero(~s.treated)
    ways = {"att": [(t, c)], "atc": [(c, t)], "ate": [(t, c), (c, t)]}[estimand]
    found = [
        in_sample(nearest_with_replacement(z[f], z[o], ratio, caliper, Ties.AVERAGE, TIED), f, o)
        for f, o in ways
    ]
    return found[0] if len(found) == 1 else both_ways(*found)


MATCHING = {
    "ps_att_m1": ("score", 1, np.inf, "att"),
    "ps_att_m4": ("score", 4, np.inf, "att"),
    "lp_att_m1": ("linear", 1, np.inf, "att"),
    "ps_att_m1_cal02": ("score", 1, 0.2, "att"),
    "ps_atc_m1": ("score", 1, np.inf, "atc"),
    "ps_ate_m1": ("score", 1, np.inf, "ate"),
    "ps_ate_m4": ("score", 4, np.inf, "ate"),
}


@pytest.mark.parametrize("spec", MATCHING)
def test_estimates_with_averaged_ties_meet_r_matching(sample, expected, spec):
    name, s = sample
    score, *how = MATCHING[spec]
    row = expected.loc[(name, spec)]
    pairs = averaged(s, getattr(s, score), *how)
    effect = matched_effect(s.y, s.treated, pairs)
    np.testing.assert_allclose(effect.estimate, row.est, rtol=CLOSED)
    assert len(pairs.focal) == row.n_matched_rows
    sought = {"att": s.treated.sum(), "atc": (~s.treated).sum(), "ate": len(s.y)}[how[2]]
    assert sought - effect.focal.sum() == row.ndrops
    controls = np.where(s.treated[pairs.focal], pairs.comparison, pairs.focal)
    assert len(np.unique(controls)) == row.n_unique_controls


@pytest.mark.parametrize("spec", [k for k in MATCHING if k != "ps_att_m1_cal02"])
def test_population_variance_meets_r_matching(sample, expected, spec):
    name, s = sample
    score, *how = MATCHING[spec]
    effect = matched_effect(s.y, s.treated, averaged(s, getattr(s, score), *how))
    v = matching_variance(effect, constant_sigma2(effect))
    np.testing.assert_allclose(np.sqrt(v.population), expected.loc[(name, spec)].ai_se, rtol=CLOSED)


def test_within_a_caliper_the_reference_counts_a_dropped_unit_with_an_effect_of_zero(
    sample, expected
):
    # R Matching divides by all 185 treated and adds (0 - tau)^2 for the one it dropped; here the
    # 184 matched ones are the population. The two are the same numbers.
    name, s = sample
    effect = matched_effect(s.y, s.treated, averaged(s, s.score, 1, 0.2, "att"))
    v = matching_variance(effect, constant_sigma2(effect)).population
    assert effect.focal.sum() == 184
    theirs = expected.loc[(name, "ps_att_m1_cal02")].ai_se ** 2 * 185**2
    np.testing.assert_allclose(v * 184**2 + effect.estimate**2, theirs, rtol=CLOSED)


def test_sample_variance_meets_r_matching(sample, expected):
    name, s = sample
    effect = matched_effect(s.y, s.treated, averaged(s, s.score, 1, np.inf, "att"))
    se = np.sqrt(matching_variance(effect, constant_sigma2(effect)).sample)
    np.testing.assert_allclose(se, expected.loc[(name, "ps_att_m1_sample")].ai_se, rtol=CLOSED)


def test_variance_from_four_neighbours_of_the_same_arm_meets_r_matching(sample, expected):
    name, s = sample
    effect = matched_effect(s.y, s.treated, averaged(s, s.score, 1, np.inf, "att"))
    z = s.score / s.score.std(ddof=1)
    sigma2 = local_sigma2(s.y, s.treated, z, neighbours=4, tie_tolerance=TIED)
    se = np.sqrt(matching_variance(effect, sigma2).population)
    np.testing.assert_allclose(se, expected.loc[(name, "ps_att_m1_varcalc4")].ai_se, rtol=CLOSED)


def test_bias_adjustment_meets_r_matching(sample, expected):
    name, s = sample
    pairs = averaged(s, s.score, 1, np.inf, "att")
    used = matched_effect(s.y, s.treated, pairs).used
    lines = outcome_lines(s.y, s.treated, s.score[:, None], used)
    effect = matched_effect(s.y, s.treated, pairs, lines)
    row = expected.loc[(name, "ps_att_m1_bias")]
    np.testing.assert_allclose(effect.estimate, row.est, rtol=CLOSED)
    se = np.sqrt(matching_variance(effect, constant_sigma2(effect)).population)
    np.testing.assert_allclose(se, row.ai_se, rtol=CLOSED)


# Stata: correction for an estimated score --------------------------------------------------------


@pytest.fixture(scope="module")
def cattaneo():
    source = files("statsmodels.treatment.tests.results") / "cataneo2.csv"
    with source.open() as text:
        d = pd.read_csv(text)
    Z = d[["mmarried_", "mage", "fage", "medu", "prenatal1_"]].to_numpy(float)
    treated = d.mbsmoke_.to_numpy() == 1
    X = np.column_stack((np.ones(len(d)), Z))
    return d.bweight.to_numpy(float), treated, X, logit(treated.astype(float), X, np.ones(len(d)))


def on_probability(treated, F, estimand):
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    found = [in_sample(nearest_with_replacement(F[t], F[c]), t, c)]
    if estimand == "ate":
        found.append(in_sample(nearest_with_replacement(F[c], F[t]), c, t))
    return found[0] if len(found) == 1 else both_ways(*found)


@pytest.mark.parametrize(
    ("estimand", "estimate", "std_error"),
    [("ate", -229.4492, 25.88746), ("att", -224.5927, 30.55147)],
)
def test_estimated_score_meets_stata_psmatch_to_the_digits_it_prints(
    cattaneo, estimand, estimate, std_error
):
    y, treated, X, fit = cattaneo
    effect = matched_effect(y, treated, on_probability(treated, fit.probability, estimand))
    known = matching_variance(effect, local_sigma2(y, treated, fit.probability, neighbours=1))
    correction = score_correction(y, treated, X, FittedScore.of(fit), effect, X[:, 1:])
    assert abs(effect.estimate - estimate) < 0.5e-4
    assert abs(np.sqrt(known.population + correction.variance) - std_error) < 0.5e-5
    # Without the correction the fourth digit is already another.
    assert abs(np.sqrt(known.population) - std_error) > 0.01


def test_the_correction_of_the_atc_is_that_of_the_att_of_not_being_treated(cattaneo):
    y, treated, X, fit = cattaneo
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    F = fit.probability
    pairs = in_sample(nearest_with_replacement(F[c], F[t]), c, t)
    mirror = FittedScore.of(logit((~treated).astype(float), X, np.ones(len(y))))
    effects = (matched_effect(y, arm, pairs) for arm in (treated, ~treated))
    here = score_correction(y, treated, X, FittedScore.of(fit), next(effects), X[:, 1:])
    there = score_correction(y, ~treated, X, mirror, next(effects), X[:, 1:])
    np.testing.assert_allclose(here.variance, there.variance, rtol=1e-6)  # two logit fits


def test_the_correction_is_refused_where_a_caliper_drops_treated_units(cattaneo):
    y, treated, X, fit = cattaneo
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    F = fit.probability
    pairs = in_sample(nearest_with_replacement(F[t], F[c], caliper=1e-6), t, c)
    effect = matched_effect(y, treated, pairs)
    with pytest.raises(NotEstimableError, match="caliper"):
        score_correction(y, treated, X, FittedScore.of(fit), effect, X[:, 1:])
