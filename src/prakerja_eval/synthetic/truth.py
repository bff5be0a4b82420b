"""What are the true values? From potential outcomes, on the index of an Estimate."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings, Inference
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.lottery import NEVER, Assignment
from prakerja_eval.synthetic.process import Process
from prakerja_eval.synthetic.take_up import NOT_YET
from prakerja_eval.synthetic.truth_effects import EffectSums, effect_sums
from prakerja_eval.synthetic.truth_labels import (
    COUNTERPART,
    ON_COHORTS,
    OWN,
    frame_of,
    key_of,
    plain,
)
from prakerja_eval.synthetic.truth_limits import limit_rows
from prakerja_eval.synthetic.truth_outcomes import OUTCOMES, Source, in_wave
from prakerja_eval.synthetic.truth_rows import LATE, lottery_rows, treated_rows
from prakerja_eval.synthetic.truth_seen import SeenSums, seen_sums
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

Kind: TypeAlias = Literal["effect", "limit"]
PREFIX = "SYN-"
RECEIPT = "received"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Truth:
    """The true effects in a world, and what biased estimators converge to.

    Attributes
    ----------
    frame : DataFrame
        A row a value: the index columns of an Estimate, ``truth``, ``mc_se`` (its Monte Carlo
        error: 0 for effects, which are those on the people of the world and exact) and ``kind``:
        "effect", or "limit" for the value to which the estimator of that name converges.
    source : Source
        What it was computed from.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> world = pe.simulate("null", n_applicants=500, seed=1)
    >>> estimate = pe.lottery.itt(world.panel, "employed")
    >>> world.truth.of(estimate).tolist()
    [0.0, 0.0]
    """

    frame: pd.DataFrame
    source: Source

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        kinds = self.frame["kind"].value_counts()
        counted = ", ".join(f"{n:,} {kind}s" for kind, n in kinds.items())
        return f"Truth of {self._about()}: {counted}\n{self._main().to_string(index=False)}"

    def _repr_html_(self) -> str:
        body = self._main().to_html(index=False, border=0)
        return f"<p>Truth of {escape(self._about())}</p>{body}"

    def _about(self) -> str:
        return f"{self.source.process.scenario.name or 'a scenario'}, seed {self.source.draws.seed}"

    def _main(self) -> pd.DataFrame:
        """Return the effects on work and income in the last wave."""
        last = self.source.survey.waves[-1]
        of = self.frame
        rows = (of["kind"] == "effect") & (of["wave"] == last) & of["subgroup"].isna()
        rows &= of["outcome"].isin(["employed", "income"]) & of["cohort"].isna()
        rows &= of["weighting"].isin(["people per block", "treated people"])
        shown = of.loc[rows, ["estimand", "population", "outcome", "wave", "truth"]]
        return shown.round(4).reset_index(drop=True)

    def of(self, estimate: Estimate, kind: Kind = "effect") -> FloatArray:
        """Return the truth of each row of an Estimate.

        Parameters
        ----------
        estimate : Estimate
            K rows; joined by estimand, population, outcome, cohort, wave, event time, subgroup and
            weighting.
        kind : {"effect", "limit"}
            "limit": the value to which the row's estimator converges, right or not; joined by the
            estimator too.

        Returns
        -------
        (K,) array
            NaN where no truth answers a row: another estimand, binned event times. After matching
            that dropped people, the effect on those that are left.

        Raises
        ------
        UsageError
            If it is no Estimate, or for another kind.
        """
        if not isinstance(estimate, Estimate):
            raise UsageError(f"truth.of takes an Estimate, not {type(estimate).__name__}.")
        if kind not in ("effect", "limit"):
            raise UsageError(f"truth.of(kind) is {kind!r}; it is 'effect' or 'limit'.")
        known = self._known(kind, estimate.index)
        rows = estimate.index.to_dict(orient="records")
        out = np.array([self._one(known, row, kind) for row in rows], dtype=np.float64)
        if kind == "effect":
            for k in np.flatnonzero(estimate.index["population"] == COUNTERPART):
                out[k] = self._matched(estimate, int(k))
        return out

    def findings(self, estimate: Estimate, inference: Inference | None = None) -> Findings:
        """Return an Estimate's tidy table with the column ``truth`` filled.

        Parameters
        ----------
        estimate : Estimate
        inference : Inference, optional
            Left out, each row's default.
        """
        found = estimate.findings(inference)
        return found.with_columns(truth=self.of(estimate))

    def att(self, ids: Sequence[str], outcome: str, wave: str) -> float:
        """Return the average effect of receipt, against never, on some people.

        Parameters
        ----------
        ids : sequence of str
            ``person_id`` of, say, the treated people who were matched; each counts once, those
            named twice twice.
        outcome : str
        wave : str
            Who has not received by then counts with what receipt to come does now: nothing,
            without anticipation.

        Raises
        ------
        UsageError
            For an unknown person, outcome or wave, or no people.
        """
        if outcome not in OUTCOMES:
            raise UsageError(f"the truth has no outcome {outcome!r}; it has {', '.join(OUTCOMES)}.")
        waves = self.source.survey.waves
        if wave not in waves:
            raise UsageError(f"there is no wave {wave!r}; there are {', '.join(waves)}.")
        place = self._places(ids)
        total = 0.0
        for part, found in self.source.parts():
            mine = place[(place >= part.start) & (place < part.stop)] - part.start
            if len(mine):
                y = in_wave(self.source.process, found, waves.index(wave))
                k = OUTCOMES.index(outcome)
                total += float((y.happened[mine, k] - y.never[mine, k]).sum())
        return total / len(place)

    def _places(self, ids: Sequence[str]) -> IntArray:
        """Return the places of people among all applicants."""
        names = [str(i) for i in ids]
        if not names:
            raise UsageError("truth.att needs the ids of one person or more.")
        numbers = [n.removeprefix(PREFIX) for n in names]
        bad = [n for n, d in zip(names, numbers, strict=True) if n == d or not d.isdigit()]
        place = np.array([0 if bad else int(d) - 1 for d in numbers], dtype=np.int64)
        block = self.source.assignment.block
        gone = (place < 0) | (place >= len(block))
        gone[~gone] = block[place[~gone]] == NEVER
        unknown = bad or [n for n, out in zip(names, gone, strict=True) if out]
        if unknown:
            raise UsageError(
                f"{unknown[0]!r} is nobody in the panel (and {len(unknown) - 1} more)."
            )
        return place

    def _known(self, kind: Kind, index: pd.DataFrame) -> dict[tuple[object, ...], float]:
        """Return the values that may answer rows of an index, by what they are joined by."""
        on = (self.frame["kind"] == kind) & self.frame["outcome"].isin([*index["outcome"], RECEIPT])
        on &= self.frame["subgroup"].isin(list(index["subgroup"].map(plain)))
        on &= self.frame["estimand"].isin([*index["estimand"], *ON_COHORTS, LATE["estimand"]])
        rows = self.frame[on]
        columns = [*OWN, "estimator", "truth"]
        waves, out = self.source.survey.waves, {}
        for *labels, estimator, value in zip(*(rows[c].tolist() for c in columns), strict=True):
            key = key_of(dict(zip(OWN, labels, strict=True)), waves)
            out[(*key, estimator if kind == "limit" else None)] = value
        return out

    def _one(
        self, known: dict[tuple[object, ...], float], row: dict[str, object], kind: Kind
    ) -> float:
        """Return the truth of one row."""
        if "binned" in str(row["specification"]):
            return np.nan
        estimator = row["estimator"] if kind == "limit" else None
        if estimator == "lottery.late" and row["estimand"] == "ATT":
            row = row | LATE  # one-sided, so that its limit is the ratio's
        waves = self.source.survey.waves
        value = known.get((*key_of(row, waves), estimator))
        if value is None and row["estimand"] == "ATT":
            # a placebo is called ATT by estimators of one cohort, pre-trend by those of many
            value = known.get((*key_of(row | {"estimand": "pre-trend"}, waves), estimator))
        return np.nan if value is None else value

    def _matched(self, estimate: Estimate, k: int) -> float:
        """Return the effect on the treated people behind a row of matching."""
        row = estimate.index.iloc[k]
        waves = self.source.survey.waves
        if row["estimand"] != "ATT" or row["outcome"] not in OUTCOMES or row["wave"] not in waves:
            return np.nan
        ids = estimate.units.index[estimate.sample[:, k]]
        treated = self._treated()[self._places(list(ids))]
        return self.att(list(ids[treated]), row["outcome"], row["wave"])

    def _treated(self) -> BoolArray:
        """Return who has received by the last wave, in the order of their places."""
        last = self.source.survey.months[-1]
        months = [found.receipt.month for _, found in self.source.parts()]
        month = np.concatenate(months)
        return np.asarray((month <= last) & (month != NOT_YET))


def truth_of(process: Process, assignment: Assignment, draws: Draws) -> Truth:
    """Return the truth of a world, going over its people once more, chunk by chunk.

    Parameters
    ----------
    process : Process
    assignment : Assignment
        Of everybody.
    draws : Draws
        Of everybody.
    """
    source = Source(process, assignment, draws)
    survey = process.scenario.survey
    effects, seen = _summed(source)
    ahead = process.scenario.effects.anticipated > 0 and process.scenario.effects.anticipation != 0
    blocks = treated_rows(effects, survey, ahead)
    if process.scenario.lottery.kind != "self_selection":
        blocks = lottery_rows(effects, survey.waves, survey.after) + blocks
    limits = frame_of(limit_rows(source, seen), "limit")
    return Truth(pd.concat([frame_of(blocks, "effect"), limits], ignore_index=True), source)


def _summed(source: Source) -> tuple[EffectSums, SeenSums]:
    """Return the sums over everybody."""
    effects: EffectSums | None = None
    seen: SeenSums | None = None
    for _, found in source.parts():
        waves = [in_wave(source.process, found, t) for t in range(len(source.survey.waves))]
        mine, shown = effect_sums(source, found, waves), seen_sums(source, found, waves)
        effects = mine if effects is None else EffectSums(*map(np.add, effects, mine))
        seen = shown if seen is None else SeenSums(*map(np.add, seen, shown))
    if effects is None or seen is None:
        raise UsageError("a world without people has no truth.")
    return effects, seen
