"""Matching in samples drawn by what people are like meets the effect in the population."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.typing import FloatArray

DRAWS, PEOPLE, SAMPLED = 200, 6_000, 1_000


def chance(x: FloatArray, z: FloatArray) -> FloatArray:
    """Return the chance of treatment."""
    made: FloatArray = 1 / (1 + np.exp(1.2 - 0.7 * (x + z)))
    return made


def effect_on_the_treated() -> float:
    """Return E[1 + x | treated] by Gauss-Hermite quadrature over two normal covariates."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    x, z = np.meshgrid(nodes, nodes, indexing="ij")
    mass = np.outer(weights, weights) * chance(x, z)
    return float((mass * (1 + x)).sum() / mass.sum())


def sample(seed: int, sampled_by: str) -> pd.DataFrame:
    """Draw people by a chance that follows the score, or that varies among those of one score."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((7, seed))))
    x, z = rng.normal(size=(2, PEOPLE))
    score = chance(x, z)
    treated = rng.random(PEOPLE) < score
    by = {"score": x + z, "covariate": 1.2 * (x - z)}[sampled_by]
    q = 0.1 + 0.8 / (1 + np.exp(-by))
    q *= SAMPLED / q.sum()
    y = x + 0.5 * z**2 + 2 * x * (z < 0) + treated * (1 + x) + rng.normal(size=PEOPLE)
    frame = {"id": np.arange(PEOPLE), "trained": treated * 1, "x": x, "z": z, "income": y}
    return pd.DataFrame(frame | {"w": 1 / q, "score": score})[rng.random(PEOPLE) < q]


@pytest.mark.witness
@pytest.mark.parametrize("sampled_by", ["score", "covariate"])
def test_samples_drawn_unevenly_tell_of_the_population(sampled_by: str) -> None:
    """On the true score: no bias, and coverage within three binomial errors of .95."""
    truth, rows = effect_on_the_treated(), []
    for seed in range(DRAWS):
        frame = sample(seed, sampled_by)
        panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained", weight="w"))
        s = frame["score"].to_numpy()
        fitted = pe.matching.propensity(panel, ["x", "z"])
        known = replace(fitted, score=s, linear_predictor=np.log(s / (1 - s)))
        pairs = pe.matching.match(panel, score=known)
        found = pe.infer(pe.matching.att(panel, pairs, "income"), pe.AbadieImbens("known"))
        rows.append(found.frame.loc[0, ["estimate", "std_error"]].astype(float))
    theta, se = np.array(rows).T
    assert abs(theta.mean() - truth) < 3 * theta.std(ddof=1) / np.sqrt(DRAWS)
    covered = np.mean(np.abs(theta - truth) < 1.96 * se)
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / DRAWS)
