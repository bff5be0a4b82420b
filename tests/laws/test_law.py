"""Is the claimed influence of every smooth kernel the derivative with respect to the weights?

The witness is the kernel's own estimate, moved by hand: central differences of theta in the weight
of each unit. The step of 1e-5 leaves about 1e-10 (truncation) plus 1e-16 / 1e-5 / |psi| (rounding),
so agreement is asked to 1e-7 of the largest |psi| of a parameter.
"""

import did_imputation  # noqa: F401  its kernels join the law
import did_rows  # noqa: F401  its kernels join the law
import did_twfe  # noqa: F401  its kernels join the law
import lottery_bounds  # noqa: F401  its kernels join the law
import lottery_response  # noqa: F401  its kernels join the law
import lottery_types  # noqa: F401  its kernels join the law
import lottery_zeros  # noqa: F401  its kernels join the law
import matching_doubly_robust  # noqa: F401  its kernels join the law
import matching_effects  # noqa: F401  its kernels join the law
import matching_strata  # noqa: F401  its kernels join the law
import matching_weights  # noqa: F401  its kernels join the law
import numpy as np
import pytest
from kernels import BASES, KERNELS, Law, S

from prakerja_eval.did import kernel as did
from prakerja_eval.numerics.iv import tsls
from prakerja_eval.numerics.linear import wls

STEP = 1e-5
TOLERANCE = 1e-7


def law_gap(law: Law) -> float:
    """Largest distance of psi from the finite difference, relative to the parameter's psi."""
    n = law.psi.shape[0]
    slope = np.empty_like(law.psi)
    for i in range(n):
        up, down = np.ones(n), np.ones(n)
        up[i] += STEP
        down[i] -= STEP
        slope[i] = (law.theta(up) - law.theta(down)) / (2 * STEP)
    return float((np.abs(slope - law.psi).max(axis=0) / np.abs(law.psi).max(axis=0)).max())


# unequal weights are the harder case; equal ones run with the long witnesses
@pytest.mark.parametrize("base", ["unequal", pytest.param("equal", marks=pytest.mark.witness)])
@pytest.mark.parametrize("name", KERNELS)
def test_influence_is_the_derivative_in_the_unit_weights(name, base):
    assert law_gap(KERNELS[name](BASES[base])) < TOLERANCE


@pytest.mark.parametrize("name", KERNELS)
def test_influence_sums_to_zero_because_scaling_all_weights_changes_nothing(name):
    psi = KERNELS[name](BASES["unequal"]).psi
    assert (np.abs(psi.sum(axis=0)) < 1e-9 * np.abs(psi).sum(axis=0)).all()


def test_the_law_catches_ipw_without_its_logit_step():
    ones = np.ones(S.n)
    fit = did.ipw(S.dy[:, None], S.treated, S.X_small, ones)
    odds = (1 - S.treated) * fit.score / (1 - fit.score)
    treated = S.treated * (S.dy - fit.att - fit.comparison_mean) / S.treated.sum()
    psi_with_known_score = treated - odds * (S.dy - fit.comparison_mean) / odds.sum()
    right = KERNELS["did, ipw"](ones)
    assert law_gap(right) < TOLERANCE
    alone = Law(lambda v: right.theta(v)[:1], psi_with_known_score[:, None])
    assert law_gap(alone) > 1e-3


def test_the_law_catches_influence_divided_by_n_twice():
    right = KERNELS["wls"](np.ones(S.n))
    assert law_gap(Law(right.theta, right.psi / S.n)) > 1.0


def test_over_identified_scores_alone_break_the_law_and_just_identified_ones_keep_it():
    ones = np.ones(S.n)
    for name, extra in (
        ("tsls, just identified", [S.offer]),
        ("tsls, over-identified", [S.offer, S.dose]),
    ):
        Z = np.column_stack([S.X_small, *extra])
        X = np.column_stack([S.X_small, S.received])
        gap = law_gap(Law(KERNELS[name](ones).theta, tsls(S.y, X, Z, ones).psi_scores))
        assert (gap < TOLERANCE) == (name == "tsls, just identified")


def test_a_unit_of_weight_two_is_two_units():
    twice = np.ones(S.n)
    twice[7] = 2.0
    rows = np.append(np.arange(S.n), 7)
    np.testing.assert_allclose(
        wls(S.y, S.X, twice).beta, wls(S.y[rows], S.X[rows], np.ones(S.n + 1)).beta, rtol=1e-9
    )
