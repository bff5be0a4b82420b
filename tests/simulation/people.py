"""Who was drawn? One simulated sample, as a frame and as the answer of a panel.

A draw answers `arrays` and `moments` itself, so that the public estimators run on it without
building and checking thousands of panels. test_paths_agree.py shows that the panel of `frame` gives
the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd

from prakerja_eval.panel import ArrayRequest, MomentPlan, Moments, Roles, UnitArrays
from prakerja_eval.panel.grouped import Grouped, group_labels
from prakerja_eval.panel.requests import RawColumn


@dataclass(frozen=True)
class Draw:
    """n people over T waves, with what the simulation knows of them.

    `columns` are baseline covariates (n,); `score` is the true propensity score; `sample` says for
    `where` which people a design compares, and `ids` numbers those whom it left. `cohort` is the
    first treated wave, infinite for never; `gain` (n, T) what treatment did to each person; with
    `once` the frame has no row where nothing was seen. `odds` are the stated probabilities (n,);
    `others` are outcomes (n, T) besides "y".
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
    cohort: np.ndarray | None = None
    weight: np.ndarray | None = None
    village: np.ndarray | None = None
    gain: np.ndarray | None = None
    once: bool = False
    odds: np.ndarray | None = None
    others: dict[str, np.ndarray] = field(default_factory=dict)

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
        others = {name: y[keep] for name, y in self.others.items()}
        return replace(whole, **people, columns=columns, others=others)

    def arrays(self, request: ArrayRequest) -> UnitArrays:
        """Answer as `Panel.arrays` would."""
        n, waves = self.n, len(self.waves)
        block = np.zeros(n, dtype=np.int64) if self.block is None else self.block
        nothing = np.full(n, np.nan)
        chosen = [self.columns[name] for name in request.covariates]
        clusters = self._clusters()
        return UnitArrays(
            waves=self.waves,
            outcome=self._outcome(request.outcome),
            covariates=np.column_stack(chosen) if chosen else np.zeros((n, 0)),
            names=request.covariates,
            offer=nothing if self.offer is None else self.offer,
            received=np.full((n, waves), np.nan) if self.received is None else self._received(),
            applications=np.full((n, waves), np.nan),
            cohort=nothing if self._cohort() is None else self._cohort(),
            block=block,
            block_names=tuple(_block_name(b) for b in range(int(block.max()) + 1)),
            probability=nothing if self.odds is None else self.odds,
            weight=clusters["weight"].to_numpy(),
            raw=tuple(RawColumn(self.columns[name]) for name in request.raw),
            clusters=clusters,
        )

    def _outcome(self, name: str | None) -> np.ndarray:
        return np.zeros((self.n, 0)) if name is None else self.others.get(name, self.outcome)

    def moments(self, plan: MomentPlan) -> Moments:
        """Answer as `Panel.moments` would, for moments by cohort."""
        codes, groups = group_labels(pd.DataFrame({"start": self._cohort()}))
        clusters = self._clusters()
        weight = clusters["weight"].to_numpy()
        return Grouped(codes, groups, self.outcome, weight).moments(self.waves, clusters)

    def _cohort(self) -> np.ndarray | None:
        if self.treated is not None:
            return np.where(self.treated, 2.0, np.inf)
        return self.cohort

    def _clusters(self) -> pd.DataFrame:
        units = _ids(np.arange(self.n) if self.ids is None else self.ids)
        weight = np.ones(self.n) if self.weight is None else self.weight
        columns: dict[str, object] = {"weight": weight}
        if self.village is not None:
            columns["village"] = _block_names(self.village)
        return pd.DataFrame(columns, index=pd.Index(units, name="unit", dtype=object))

    def _received(self) -> np.ndarray:
        return np.asarray(self.received, dtype=np.float64).reshape(self.n, len(self.waves))

    def frame(self) -> pd.DataFrame:
        """Return the long data that a user would have."""
        n, T = self.n, len(self.waves)
        out = pd.DataFrame(
            {"id": np.repeat(_ids(np.arange(n)), T), "y": self.outcome.ravel()}
            | {name: y.ravel() for name, y in self.others.items()}
            | {name: np.repeat(x, T) for name, x in self.columns.items()}
        )
        if T > 1:
            out["wave"] = np.tile(self.waves, n)
        if self.offer is not None:
            out["won"] = np.repeat(self.offer.astype(int), T)
        if self.received is not None:
            out["trained"] = self._received().ravel().astype(int)
        if self.odds is not None:
            out["odds"] = np.repeat(self.odds, T)
        cohort = self._cohort()
        if cohort is not None:
            out["cohort"] = np.repeat(np.where(np.isinf(cohort), 0, cohort).astype(int), T)
        if self.block is not None:
            out["block"] = np.repeat(_block_names(self.block), T)
        if self.sample is not None:
            out["sample"] = np.repeat(self.sample, T)
        if self.weight is not None:
            out["weight"] = np.repeat(self.weight, T)
        if self.village is not None:
            out["village"] = np.repeat(_block_names(self.village), T)
        return out[out["y"].notna()] if self.once else out


def _block_name(code: int) -> str:
    return f"B{code:02d}"  # sorted as text, the names keep the order of the codes


def _block_names(codes: np.ndarray) -> list[str]:
    return [_block_name(code) for code in codes]


def _ids(numbers: np.ndarray) -> list[str]:
    return [f"SYN-{i:06d}" for i in numbers]
