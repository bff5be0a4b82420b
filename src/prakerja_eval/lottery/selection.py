"""Which of many covariates belong in the regression? Double selection by lasso within blocks."""

import numpy as np

from prakerja_eval.lottery.sample import Sample
from prakerja_eval.numerics.lasso import plug_in_lasso, within_blocks
from prakerja_eval.typing import FloatArray, IntArray


def selected(y: FloatArray, sample: Sample) -> IntArray:
    """Return the covariates that the lasso keeps for ``y`` or for the offer.

    Block means are taken out of y, the offer and the covariates, and y and the offer are each
    regressed on all covariates by the lasso of ``numerics.lasso``. Within a block the offer is
    random, so what predicts it is imbalance by chance, which the regression then mends.

    Parameters
    ----------
    y : (m,) array
        An outcome, or receipt. A ratio needs the union over both: one set for its two differences.
    sample : Sample
        m rows with p covariates. Rows count as independent between the units that were drawn
        (``sample.assigned``), so that the waves of a person, or the people of a cluster, do not.
        How blocks are averaged does not change which covariates explain y within them.

    Returns
    -------
    int array
        Positions of the columns of ``sample.covariates``, rising; empty where none is kept.

    References
    ----------
    Belloni, Chernozhukov and Hansen (2014), doi 10.1093/restud/rdt044.
    """
    w = sample.weight
    X = within_blocks(sample.covariates, sample.block, w)
    targets = within_blocks(np.column_stack([y, sample.arm]), sample.block, w)
    kept = [np.flatnonzero(plug_in_lasso(t, X, w, sample.assigned).beta) for t in targets.T]
    return np.union1d(*kept)
