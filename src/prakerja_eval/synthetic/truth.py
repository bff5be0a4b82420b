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
from prakerja_eval.synthetic.truth_effects import EffectSums, cohorts, effect_sums
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
from prakerja_eval.synthetic.truth_who import PREFIX, groups_of, lacking, partial, places_of
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

Kind: TypeAlias = Literal["effect", "limit"]
RECEIPT = "received"
MATCHING = "matching.att"


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
            NaN where no truth answers a row: another estimand, averages that leave out waves, event
            times or cohorts, and people among whom a whole block, batch, sex, province, age band or
            level of schooling of the world is missing, as after ``panel.where(female=1)``. After
            matching that dropped people, or took several cohorts, the effect on those matched.

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
        out[self._of_some(estimate)] = np.nan
        if kind == "effect" and (estimate.index["estimator"] == MATCHING).any():
            starts = self._starts()
            for k in np.flatnonzero(estimate.index["estimator"] == MATCHING):
                out[k] = self._matched(estimate, int(k), starts, out[k])
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
        if partial(row, self.source.survey.waves):
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

    def _of_some(self, estimate: Estimate) -> BoolArray:
        """Return which rows are about a part of the world's people, (K,).

        A row of a subgroup is judged by everybody behind the Estimate.
        """
        out = np.zeros(len(estimate), dtype=bool)
        place = places_of(estimate.units.index)
        entered = np.asarray(self.source.assignment.block != NEVER)
        if place is None or (place >= len(entered)).any():
            return out
        groups, known = groups_of(self.source), dict[tuple[bool, bytes], bool]()
        for k in range(len(estimate)):
            whole = plain(estimate.index["subgroup"].iloc[k]) is not None
            on = np.ones(len(place), dtype=bool) if whole else estimate.sample[:, k]
            traits = estimate.counts["n_comparison"].iloc[k] == 0
            key = (bool(traits), np.packbits(on).tobytes())
            if key not in known:
                known[key] = lacking(groups, entered, place[on], key[0])
            out[k] = known[key]
        return out

    def _matched(self, estimate: Estimate, k: int, starts: IntArray, named: float) -> float:
        """Return the effect on the treated people behind a row of matching.

        ``named`` is the truth by the row's labels, which holds where nobody was dropped and all
        matched people have received by the same wave, as the row says. Who was treated when the
        panel was read is found by their number.
        """
        row, waves = estimate.index.iloc[k], self.source.survey.waves
        if (
            row["estimand"] not in ("ATT", "feasible ATT")
            or row["outcome"] not in OUTCOMES
            or row["wave"] not in waves
        ):
            return np.nan
        ids = estimate.units.index[estimate.sample[:, k]]
        start = starts[self._places(list(ids))]
        n_treated = estimate.counts["n_treated"].iloc[k]
        last = [t for t in range(len(waves)) if (start <= t).sum() == n_treated]
        if not last:
            return np.nan
        treated = start <= last[-1]
        since, when = plain(row["event_time"]), waves.index(row["wave"])
        cohort = None if not isinstance(since, float) else when - since
        if row["population"] != COUNTERPART and (start[treated] == cohort).all():
            return named
        return self.att(list(ids[treated]), row["outcome"], row["wave"])

    def _starts(self) -> IntArray:
        """Return the first wave in which each person has received, by place; T for never."""
        return np.concatenate([cohorts(self.source, found) for _, found in self.source.parts()])


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
