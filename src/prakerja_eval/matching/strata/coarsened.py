"""Which people count as alike in their covariates? Exact and coarsened exact matching."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import names_of, one_of
from prakerja_eval.matching.adjusted import Estimand

Bins: TypeAlias = int | Literal["sturges"]


@dataclass(frozen=True, slots=True)
class Exact:
    """Exact matching: people alike in every column are compared.

    Parameters
    ----------
    on : tuple of str
        Baseline columns; left out, the covariates of ``match``.
    estimand : {"ATT", "ATC", "ATE"}
        Effect on the treated, on the comparison units, or on all.
    """

    on: tuple[str, ...] = ()
    estimand: Estimand = "ATT"

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", names_of(self.on))
        one_of(self.estimand, Estimand, "Exact(estimand)")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        return f"exact on {', '.join(self.on) or 'every covariate'}"


@dataclass(frozen=True, slots=True)
class Coarsened:
    """Coarsened exact matching: people in the same bin of every column are compared.

    Parameters
    ----------
    on : tuple of str
        Baseline columns; left out, the covariates of ``match``.
    bins : int or "sturges", or mapping of column to either
        Bins of equal width for columns of numbers; "sturges" takes ⌈log₂ n + 1⌉ of them (Sturges
        1926), also for columns that a mapping leaves out. Columns of text stay as they are.
    cuts : mapping of column to sequence of float
        Cut points of columns of numbers, instead of bins. A value on a cut point belongs to the
        bin above it; an empty sequence puts everybody together.
    together : mapping of column to sequence of sequences of str
        Values of columns of text that count as one: ``{"race": [["hispan", "white"]]}``.
    estimand : {"ATT", "ATC", "ATE"}
        Effect on the treated, on the comparison units, or on all.

    References
    ----------
    Iacus, King and Porro (2012), doi 10.1093/pan/mpr013.
    """

    on: tuple[str, ...] = ()
    bins: Bins | Mapping[str, Bins] = "sturges"
    cuts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    together: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    estimand: Estimand = "ATT"

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", names_of(self.on))
        one_of(self.estimand, Estimand, "Coarsened(estimand)")
        for count in self.bins.values() if isinstance(self.bins, Mapping) else (self.bins,):
            whole = isinstance(count, int) and not isinstance(count, bool) and count >= 1
            if count != "sturges" and not whole:
                raise UsageError(
                    f"Coarsened(bins) has {count!r}; it takes 'sturges' or whole numbers from 1."
                )
        for name, cuts in self.cuts.items():
            if np.ndim(cuts) != 1 or not np.isfinite(cuts).all() or (np.diff(cuts) <= 0).any():
                raise UsageError(
                    f"Coarsened(cuts) of {name!r} must be a list of numbers that rise."
                )
        for name, groups in self.together.items():
            values = [value for group in groups for value in group]
            if any(isinstance(group, str) for group in groups) or len(set(values)) < len(values):
                raise UsageError(
                    f"Coarsened(together) of {name!r} takes lists of values, each value once."
                )
        if isinstance(self.bins, Mapping) and (twice := sorted({*self.bins} & {*self.cuts})):
            raise UsageError(f"Coarsened has both bins and cuts for {', '.join(twice)}.")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        columns = ", ".join(self.on) or "every covariate"
        named = self.bins if not isinstance(self.bins, Mapping) else "chosen"
        extra = [f"cut points for {', '.join(self.cuts)}"] if self.cuts else []
        return "; ".join([f"coarsened exact on {columns}", f"bins {named}", *extra])

    def edges(self, name: str, x: np.ndarray) -> np.ndarray:
        """Return the inner cut points of a column of numbers."""
        if name in self.cuts:
            return np.asarray(self.cuts[name], dtype=np.float64)
        count = self.bins.get(name, "sturges") if isinstance(self.bins, Mapping) else self.bins
        return equal_width(x, sturges(len(x)) if count == "sturges" else int(count))

    @property
    def numeric(self) -> set[str]:
        """Return the columns that must hold numbers for the options to make sense."""
        return {*self.cuts, *(self.bins if isinstance(self.bins, Mapping) else ())}


def sturges(n: int) -> int:
    """Return the number of bins by Sturges' rule, ceil(log2(n) + 1)."""
    return int(np.ceil(np.log2(n) + 1))


def equal_width(x: np.ndarray, bins: int) -> np.ndarray:
    """Return the bins - 1 inner edges of bins of equal width over the range of x."""
    return np.linspace(x.min(), x.max(), bins + 1)[1:-1]
