"""Weighting through the public names meets R's WeightIt 1.4.0 and cobalt 4.5.5 on lalonde."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.balance.kernel import balance, standard_deviations
from prakerja_eval.matching import EntropyBalance, InverseProbability
from prakerja_eval.matching.pairs.pairs import effective_sample_size
from prakerja_eval.matching.weighting.entropy import dual_influence, entropy_weights
from prakerja_eval.matching.weighting.entropy_moments import moment_columns
from prakerja_eval.matching.weighting.inverse_probability import Tilt, balancing_weights

LALONDE = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
BY_SCORE = ("ATT", "ATE", "ATC", "ATO", "ATM")
BALANCED = ("ATT", "ATE")


@pytest.fixture(scope="module")
def folder(shared_reference: Path) -> Path:
    return shared_reference / "matching"


@pytest.fixture(scope="module")
def frame(folder: Path) -> pd.DataFrame:
    data = pd.read_csv(folder / "lalonde_matchit.csv")
    return data.assign(row=np.arange(1, len(data) + 1))


@pytest.fixture(scope="module")
def lalonde(frame: pd.DataFrame) -> pe.Panel:
    return pe.read_panel(frame, pe.Roles(unit="row", received="treat"))


@pytest.fixture(scope="module")
def theirs(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "balweights_lalonde.csv")


@pytest.fixture(scope="module")
def effects(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "weighting_effects.csv").set_index("key")


@pytest.mark.parametrize("estimand", BY_SCORE)
def test_weights_of_the_reference_scores_are_its_weights(
    estimand: str, lalonde: pe.Panel, theirs: pd.DataFrame, folder: Path, effects: pd.DataFrame
) -> None:
    e = pd.read_csv(folder / "pscore_lalonde.csv")["ps_logit"].to_numpy()
    d = pe.matching.people(lalonde, LALONDE).treated
    w = balancing_weights(e, 1 - e, d, Tilt[estimand]).weight
    np.testing.assert_allclose(w, theirs[f"glm_{estimand}"], rtol=1e-11)
    sizes = [effective_sample_size(w[d]), effective_sample_size(w[~d])]
    row = effects.loc[f"lalonde:glm:{estimand}"]
    np.testing.assert_allclose(sizes, row[["ess_t", "ess_c"]], rtol=1e-11)
    np.testing.assert_allclose([w[d].max(), w[~d].max()], row[["max_w_t", "max_w_c"]], rtol=1e-11)
    np.testing.assert_allclose(w[~d].sum(), row["sum_w_c"], rtol=1e-11)


@pytest.mark.parametrize("estimand", BY_SCORE)
def test_score_weights_meet_weightit(
    estimand: str, lalonde: pe.Panel, theirs: pd.DataFrame, effects: pd.DataFrame
) -> None:
    """Unscaled weights, to 1e-7: R's glm stops 3e-8 short of the maximum of the likelihood."""
    made = pe.matching.weight(lalonde, InverseProbability(estimand), covariates=LALONDE)
    np.testing.assert_allclose(made.raw, theirs[f"glm_{estimand}"], rtol=1e-7)
    row, d = effects.loc[f"lalonde:glm:{estimand}"], made.propensity.treated
    np.testing.assert_allclose(made.effective, row[["ess_t", "ess_c"]], rtol=3e-8)
    largest = [made.raw[d].max(), made.raw[~d].max()]
    np.testing.assert_allclose(largest, row[["max_w_t", "max_w_c"]], rtol=1e-7)
    np.testing.assert_allclose(made.raw[~d].sum(), row["sum_w_c"], rtol=1e-8)


@pytest.mark.parametrize("estimand", BY_SCORE)
def test_effects_by_score_weights_meet_weightit(
    estimand: str, lalonde: pe.Panel, effects: pd.DataFrame
) -> None:
    """M-estimation by our ψ; HC0 and HC3 of the weighted regression, weights as known."""
    made = pe.matching.weight(lalonde, InverseProbability(estimand), covariates=LALONDE)
    found = pe.matching.difference(lalonde, made, "re78")
    row = effects.loc[f"lalonde:glm:{estimand}"]
    np.testing.assert_allclose(found.theta[0], row["est"], rtol=1e-8)
    got = found.findings().frame["std_error"].iloc[0]
    np.testing.assert_allclose(got, row["se_mest"], rtol=1e-8)
    known = _known(made.weights, made.propensity.treated, _outcome(lalonde))
    np.testing.assert_allclose(known, row[["se_hc0", "se_hc3"]], rtol=1e-8)


@pytest.mark.parametrize("estimand", BALANCED)
def test_the_weights_of_weightit_are_ours_for_the_means_that_they_reach(
    estimand: str, lalonde: pe.Panel, theirs: pd.DataFrame, effects: pd.DataFrame
) -> None:
    """WeightIt's optimiser stops with means up to 3e-5 standard deviations off.

    Asked for the means that its weights have, ours are the same weights to 1e-11, and so are its
    effect and, with the means it aims at as known, its M-estimation standard error.
    """
    people = pe.matching.people(lalonde, LALONDE)
    d, y = people.treated, _outcome(lalonde)
    ones = np.ones(len(d))
    Z = moment_columns(people.covariates, ones, 1, products=False).columns
    row, w = effects.loc[f"lalonde:ebal:{estimand}"], ones.copy()
    pull, psi = np.zeros(len(d)), np.zeros(len(d))
    for arm, sign in ((d, 1.0), (~d, -1.0)):
        want = theirs[f"ebal_{estimand}"].to_numpy()[arm]
        means = want @ Z[arm] / want.sum()
        aimed = Z.mean(axis=0) if estimand == "ATE" else Z[d].mean(axis=0)
        gap = np.abs(means - aimed).max()
        if estimand == "ATE" or sign < 0:
            assert 1e-6 < gap < 3e-5
            found = entropy_weights(Z[arm] - means, ones[arm])
            np.testing.assert_allclose(found.weight, want / want.sum(), rtol=1e-11)
            w[arm] = found.weight
        own = np.where(arm, w, 0.0) / w[arm].sum()
        pull = np.where(arm, sign * (y - own @ y), 0.0)
        psi += own * pull
        if estimand == "ATE" or sign < 0:
            by_dual = (own[:, None] * (Z - means)).T @ pull
            psi += dual_influence(Z, means, own, 0 * ones) @ by_dual
    theta = np.average(y[d], weights=w[d]) - np.average(y[~d], weights=w[~d])
    np.testing.assert_allclose(theta, row["est"], rtol=1e-10)
    np.testing.assert_allclose(_known(w, d, y), row[["se_hc0", "se_hc3"]], rtol=1e-8)
    # its estimating equations are not quite zero where it stopped: they move this by 1e-5 of itself
    np.testing.assert_allclose(np.sqrt(psi @ psi), row["se_mest"], rtol=2e-6)


@pytest.mark.parametrize("estimand", BALANCED)
def test_exact_balance_moves_weightit_no_farther_than_its_imbalance(
    estimand: str, lalonde: pe.Panel, theirs: pd.DataFrame, effects: pd.DataFrame
) -> None:
    row = effects.loc[f"lalonde:ebal:{estimand}"]
    design = EntropyBalance(estimand, drawn=False)
    made = pe.matching.weight(lalonde, design, covariates=LALONDE)
    found = pe.matching.difference(lalonde, made, "re78")
    # 3e-5 standard deviations of imbalance, times slopes of up to 500 dollars a deviation
    np.testing.assert_allclose(found.theta[0], row["est"], rtol=2e-5)
    np.testing.assert_allclose(made.raw, theirs[f"ebal_{estimand}"], rtol=2e-4)
    got = found.findings().frame["std_error"].iloc[0]
    np.testing.assert_allclose(got, row["se_mest"], rtol=2e-6)
    d = made.propensity.treated
    known = _known(made.weights, d, _outcome(lalonde))
    np.testing.assert_allclose(known, row[["se_hc0", "se_hc3"]], rtol=2e-6)
    np.testing.assert_allclose(made.effective, row[["ess_t", "ess_c"]], rtol=1e-5)
    np.testing.assert_allclose(made.raw[~d].sum(), row["sum_w_c"], rtol=1e-12)


@pytest.mark.parametrize("key", [f"glm:{e}" for e in BY_SCORE] + [f"ebal:{e}" for e in BALANCED])
def test_balance_meets_cobalt(key: str, lalonde: pe.Panel, folder: Path) -> None:
    """All covariates but black, our reference value; indicators have no variance ratio.

    For ATE, ATO and ATM cobalt divides by sqrt((s1^2 + s0^2) / 2) of the unweighted arms.
    """
    how, estimand = key.split(":")
    design = (EntropyBalance if how == "ebal" else InverseProbability)(estimand)
    made = pe.matching.weight(lalonde, design, covariates=LALONDE)
    names = list(made.propensity.names)
    X, d = made.propensity.covariates, made.propensity.treated
    one, zero = standard_deviations(X, d), standard_deviations(X, ~d)
    sd = {"ATT": one, "ATC": zero}.get(estimand, np.sqrt((one**2 + zero**2) / 2))
    table = pd.read_csv(folder / "weighting_balance_cobalt.csv")
    rows = table[table["key"] == f"lalonde:{key}"].set_index("var")
    # what is left under ebal is theirs, in units of an arm's deviation; elsewhere it is the score's
    atol = 5e-5 if how == "ebal" else 2e-8
    for suffix, w in (("un", np.ones(len(d))), ("adj", made.weights)):
        stats = balance(X, d, w, sd)
        for j, name in enumerate(names):
            want = rows.loc[name.replace("[", "_").rstrip("]")]
            tight = {"rtol": 1e-8} if suffix == "un" else {"rtol": 1e-7, "atol": atol}
            np.testing.assert_allclose(stats.smd[j], want[f"diff_{suffix}"], **tight)
            np.testing.assert_allclose(stats.ecdf_max[j], want[f"ks_{suffix}"], **tight)
            tight |= {"rtol": 1e-4} if how == "ebal" else {}
            np.testing.assert_allclose(stats.variance_ratio[j], want[f"vr_{suffix}"], **tight)


def _outcome(panel: pe.Panel) -> np.ndarray:
    return panel.frame["re78"].to_numpy(dtype=float)


def _known(w: np.ndarray, d: np.ndarray, y: np.ndarray) -> list[float]:
    """HC0 and HC3 of the weighted regression of y on the arm: leverage is the share of an arm."""
    share = np.where(d, w / w[d].sum(), w / w[~d].sum())
    mean = np.where(d, np.average(y[d], weights=w[d]), np.average(y[~d], weights=w[~d]))
    part = share * (y - mean)
    return [float(np.sqrt((part**2).sum())), float(np.sqrt(((part / (1 - share)) ** 2).sum()))]
