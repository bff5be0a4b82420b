"""Is the first stage strong enough for the interval? Judged by the inference in force."""

from dataclasses import replace

import numpy as np

from prakerja_eval.estimate.corrections import sum_rows
from prakerja_eval.estimate.estimate import Estimate
from prakerja_eval.estimate.specs import Inference
from prakerja_eval.estimate.terms import FirstStage, LinearTerm
from prakerja_eval.estimate.variance import variance

WEAK_F = 10.0


def weak_first_stages(estimate: Estimate, inference: Inference | None) -> dict[int, str]:
    """Return a warning for each row whose first stage has F below 10 (Staiger and Stock 1997).

    Parameters
    ----------
    estimate : Estimate
        K parameters.
    inference : Inference, optional
        The one in force; left out, each row's default.

    Returns
    -------
    dict of row to text
        F is the squared t-ratio of the first stage under the same inference.
    """
    found = {}
    for k, terms in enumerate(estimate.terms):
        if len(terms) != 1 or not isinstance(terms[0], LinearTerm) or terms[0].first is None:
            continue
        strength = _strength(estimate, k, terms[0].first, inference)
        if np.isnan(strength):
            found[k] = "the strength of the first stage is not known under this inference"
        elif strength < WEAK_F:
            found[k] = f"weak first stage (F = {strength:.1f}): the interval is not reliable"
    return found


def _strength(estimate: Estimate, k: int, first: FirstStage, inference: Inference | None) -> float:
    """Return the squared t-ratio of a first stage; infinite where everyone takes up."""
    term = first.term
    psi = sum_rows([(term.fit.rows, term.core())], len(estimate.units))
    if not psi.any():
        return np.inf
    alone = replace(
        estimate,
        theta=np.array([first.theta]),
        psi=psi[:, None],
        sample=estimate.sample[:, [k]],
        index=estimate.index.iloc[[k]],
        counts=estimate.counts.iloc[[k]].assign(status="ok"),
        terms=((term,),),
        defaults=(estimate.defaults[k],),
    )
    return float((first.theta / variance(alone, inference).std_error()[0]) ** 2)
