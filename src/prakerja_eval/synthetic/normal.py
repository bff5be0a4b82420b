"""The normal distribution on arrays."""

import numpy as np
from scipy.special import ndtr, ndtri

from prakerja_eval.typing import FloatArray


def normal_cdf(x: FloatArray) -> FloatArray:
    """Return the standard normal distribution function."""
    return np.asarray(ndtr(x))


def normal_quantile(p: FloatArray) -> FloatArray:
    """Return the standard normal quantile."""
    return np.asarray(ndtri(p))
