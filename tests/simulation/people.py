"""Who was drawn? One simulated sample, as a frame and as the answer of a panel.

A draw answers `arrays` itself, so that the public estimators run on it without building and
checking 2,000 panels. test_paths_agree.py shows that the panel of `frame` gives the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd

from prakerja_eval.panel import ArrayRequest, Roles, UnitArrays


@dataclass(frozen=True)
class Draw:
    """n people over T waves, with what the simulation knows of them.

    `columns` are baseline covariates (n,); `score` is the true propensity score; `sample` says for
    `where` which people a design compares, and `ids` numbers those whom it left.
    """

    roles: Roles
    outcome: np.ndarray
    waves: tuple = ("",)
    offer: np.ndarray | None = None
    received: np.ndarray | None = None
    treated: np.ndarray | None = None
    block: np.ndarray | None = None
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    score: np.ndarray | None = None
    sample: np.ndarray | None = None
    ids: np.ndarray | None = None

    @property
    def n(self) -> int:
        return len(self.outcome)

    def where(self, sample: Sequence[str]) -> "Draw":
        """Keep the people of some samples, as `Panel.where` would."""
        keep = np.isin(self.sample, list(sample))
        whole = replace(self, ids=np.arange(self.n) if self.ids is None else self.ids)
        people = {
            f.name: getattr(whole, f.name)[keep]
            for f in fields(whole)
            if isinstance(getattr(whole, f.name), np.ndarray)
        }
        columns = {name: x[keep] for name, x in self.columns.items()}
        return replace(whole, **people, columns=columns)

    def arrays(self, request: ArrayRequest) -> UnitArrays:
        """Answer as `Panel.arrays` would."""
        n, waves = self.n, len(self.waves)
        block = np.zeros(n, dtype=np.int64) if self.block is None else self.block
        nothing = np.full(n, np.nan)
        chosen = [self.columns[name] for name in request.covariates]
        units = np.array(_ids(np.arange(n) if self.ids is None else self.ids), dtype=object)
        return UnitArrays(
            units=units,
            waves=self.waves,
            outcome=np.zeros((n, 0)) if request.outcome is None else self.outcome,
            covariates=np.column_stack(chosen) if chosen else np.zeros((n, 0)),
            names=request.covariates,
            offer=nothing if self.offer is None else self.offer,
            received=np.full((n, waves), np.nan) if self.received is None else self._received(),
            cohort=nothing if self.treated is None else np.where(self.treated, 2.0, np.inf),
            block=block,
            block_names=tuple(_block_name(b) for b in range(int(block.max()) + 1)),
            probability=nothing,
            weight=np.ones(n),
            clusters=pd.DataFrame({"weight": np.ones(n)}, index=pd.Index(units, name="unit")),
        )

    def _received(self) -> np.ndarray:
        return np.asarray(self.received, dtype=np.float64).reshape(self.n, len(self.waves))

    def frame(self) -> pd.DataFrame:
        """Return the long data that a user would have."""
        n, T = self.n, len(self.waves)
        out = pd.DataFrame(
            {"id": np.repeat(_ids(np.arange(n)), T), "y": self.outcome.ravel()}
            | {name: np.repeat(x, T) for name, x in self.columns.items()}
        )
        if T > 1:
            out["wave"] = np.tile(self.waves, n)
        if self.offer is not None:
            out["won"] = np.repeat(self.offer.astype(int), T)
        if self.received is not None:
            out["trained"] = self._received().ravel().astype(int)
        if self.treated is not None:
            out["cohort"] = np.repeat(np.where(self.treated, 2, 0), T)
        if self.block is not None:
            out["block"] = np.repeat([_block_name(b) for b in self.block], T)
        if self.sample is not None:
            out["sample"] = np.repeat(self.sample, T)
        return out


def _block_name(code: int) -> str:
    return f"B{code:02d}"  # sorted as text, the names keep the order of the codes


def _ids(numbers: np.ndarray) -> list[str]:
    return [f"SYN-{i:06d}" for i in numbers]
