"""What may the trend of the treated do after treatment? Restrictions, and how they are searched."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import one_of

RelativeMethod: TypeAlias = Literal["conditional_hybrid", "conditional"]
SmoothnessMethod: TypeAlias = Literal["flci", "conditional_hybrid", "conditional"]


@dataclass(frozen=True, slots=True)
class RelativeMagnitudes:
    """A step of the differential trend after treatment is at most m times the largest before.

    Parameters
    ----------
    m : tuple of float
        Sizes at which intervals are made, 0 or more.
    method : {"conditional_hybrid", "conditional"}
        The conditional test that first rejects by the least favourable critical value, as the
        paper recommends; or the conditional test alone. Fixed-length intervals do not exist here.
    """

    m: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0)
    method: RelativeMethod = "conditional_hybrid"

    def __post_init__(self) -> None:
        object.__setattr__(self, "m", _sizes(self.m, "RelativeMagnitudes"))
        one_of(self.method, RelativeMethod, "RelativeMagnitudes(method)")


@dataclass(frozen=True, slots=True)
class Smoothness:
    """The slope of the differential trend changes by at most m from one step to the next.

    Parameters
    ----------
    m : tuple of float, optional
        Sizes in units of the outcome, 0 (a straight line) or more. Left out: 0, 1/4, 1/2, 3/4 and
        1 times the standard error of the effect.
    method : {"flci", "conditional_hybrid", "conditional"}
        The shortest interval of fixed length, as the paper recommends; or as in
        ``RelativeMagnitudes``.
    """

    m: tuple[float, ...] | None = None
    method: SmoothnessMethod = "flci"

    def __post_init__(self) -> None:
        if self.m is not None:
            object.__setattr__(self, "m", _sizes(self.m, "Smoothness"))
        one_of(self.method, SmoothnessMethod, "Smoothness(method)")


@dataclass(frozen=True, slots=True)
class Search:
    """Where, and with which draws, the conditional tests look for the ends of an interval.

    Parameters
    ----------
    points : int
        Values of the effect tested; ends are refined between them.
    far : float
        Standard errors beyond the estimated bounds up to which the conditional test is searched; an
        interval that reaches them is open. The hybrid's is bounded, and searched whole.
    draws : int
        Behind the least favourable critical value.
    seed : int
        Of these draws (numpy's PCG64).
    """

    points: int = 1000
    far: float = 20.0
    draws: int = 50_000
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least in (("points", 10), ("draws", 1000), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise UsageError(f"Search({name}={value!r}) must be a whole number >= {least}.")
        if not 0 < self.far < np.inf:
            raise UsageError(f"Search(far={self.far!r}) must be a positive number.")


def _sizes(m: object, what: str) -> tuple[float, ...]:
    """Return sizes in order, or refuse what is none."""
    try:
        values = np.atleast_1d(np.asarray(m, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what}(m={m!r}) must be numbers.") from error
    if not values.size or not np.isfinite(values).all() or (values < 0).any():
        raise UsageError(f"{what}(m={m!r}) must be finite numbers, 0 or more.")
    return tuple(float(v) for v in np.unique(values))
