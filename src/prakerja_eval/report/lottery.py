"""What does the chapter on the lottery say? Its parts, each with a title and a few sentences."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import in_period, listing
from prakerja_eval.report.summary import measure_of
from prakerja_eval.study import Results
from prakerja_eval.study.results import LotteryTables
from prakerja_eval.study.schema import Outcome

FOLDED = ("who", "balance", "attrition", "indices")
STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the chapter.

    Attributes
    ----------
    key : str
        Its figures and tables have the section "lottery_<key>".
    title, intro : str
    sentences : tuple of str
    folded : bool
        Whether its tables are folded.
    """

    key: str
    title: str
    intro: str
    sentences: tuple[str, ...]
    folded: bool = False


def chapter(results: Results, words: Catalogue) -> tuple[Part, ...]:
    """Return the parts that have something in them."""
    found = results.lottery
    if found is None:
        return ()
    say = _Speaker(results, found, words)
    parts = []
    for key, sentences in say.parts().items():
        said = tuple(sentences())
        if said or key in say.shown():
            told = f"lottery_part.{key}_intro"
            silent = told not in words or (key == "attrition" and not len(found.bounds))
            intro = "" if silent else words.text(told, level=say.level)
            title = words.text(f"lottery_part.{key}")
            parts.append(Part(key, title, intro, said, key in FOLDED))
    return tuple(parts)


def alarms(results: Results, words: Catalogue) -> tuple[str, ...]:
    """Return what the summary must say of the lottery: arms unlike before, or in who answered."""
    found = results.lottery
    if found is None:
        return ()
    say = _Speaker(results, found, words)
    out = []
    if len(found.omnibus) and (found.omnibus["p_randomisation"] < 1 - results.plan.level).any():
        out.append(words.text("lottery_text.alarm_balance"))
    table = found.attrition
    if len(table):
        apart = table.loc[table["p_value"] < 1 - results.plan.level, "outcome"]
        names = [o.label for o in results.plan.outcomes if o.column in set(apart)]
        if names:
            named = listing(words, names)
            out.append(words.text("lottery_text.alarm_response", outcomes=named, level=say.level))
    return tuple(out)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """What is said of the tables, in the reader's language."""

    results: Results
    found: LotteryTables
    words: Catalogue

    @property
    def level(self) -> str:
        return self.words.percent(self.results.plan.level)

    def parts(self) -> dict[str, Callable[[], Iterator[str]]]:
        """Return the parts in their order."""
        return {
            "who": self._who,
            "balance": self._balance,
            "effects": self._effects,
            "attrition": self._attrition,
            "zeros": self._nothing,
            "quantiles": self._nothing,
            "groups": self._groups,
            "indices": self._nothing,
            "compliers": self._nothing,
            "power": self._power,
            "refused": self._refused,
        }

    def shown(self) -> set[str]:
        """Return the parts that have figures or tables whatever is said."""
        roles = set(self.found.details["role"]) if len(self.found.details) else set()
        named = {"zeros": "zeros", "quantile": "quantiles", "subgroup": "groups"}
        out = {part for role, part in (named | {"index": "indices"}).items() if role in roles}
        return out | ({"compliers"} if len(self.found.compliers) else set())

    def _text(self, key: str, **values: object) -> str:
        return self.words.text(f"lottery_text.{key}", **values)

    def _nothing(self) -> Iterator[str]:
        return iter(())

    def _who(self) -> Iterator[str]:
        """Say how many blocks there are, with what odds, and what is wrong with some."""
        audit, words = self.found.audit, self.words
        if not len(audit):
            return
        low, high = self.found.odds
        blocks = int(audit["blocks"].sum())
        odds = {"low": words.percent(low), "high": words.percent(high)}
        one = blocks == 1 or high - low < 0.005
        yield self._text("odds_one" if one else "odds", blocks=words.number(blocks), **odds)
        for row in audit[audit["remark"] != "none"].to_dict("records"):
            remark = str(row["remark"]).replace(" ", "_")
            yield self._text(f"audit_{remark}", blocks=words.number(float(row["blocks"])))

    def _balance(self) -> Iterator[str]:
        """Say whether the arms differ by more than the draw explains."""
        for row in self.found.omnibus.to_dict("records"):
            p = float(row["p_randomisation"])
            key = "apart" if p < 1 - self.results.plan.level else "alike"
            values = {"count": len(self.found.balance), "p": self.words.p_value(p, sentence=True)}
            yield self._text(key, **values)

    def _effects(self) -> Iterator[str]:
        """Say of each outcome what the offer did, by drawing again, and how many took part."""
        for outcome in self.results.plan.outcomes:
            yield from self._effect(outcome)
        weak = self.found.weak
        if len(weak):
            first = weak.iloc[-1]
            f, share = float(first["f_effective"]), float(first["first_stage"])
            strong = str(first["verdict"]).startswith(STRONG)
            key = "first_stage" if strong else "first_stage_weak"
            if not np.isfinite(f):
                key = "first_stage_all" if share > 1 - 1e-9 else "first_stage_unknown"
            yield self._text(
                key,
                share=self.words.percent_points(share),
                f=self.words.number(f),
            )

    def _effect(self, outcome: Outcome) -> Iterator[str]:
        """Say what drawing the lottery again makes of the effect in the last period."""
        frame = self.found.randomisation
        rows = frame[frame["outcome"] == outcome.column] if len(frame) else frame
        for row in rows.tail(1).to_dict("records"):
            p = float(row["p_value"])
            about = {"outcome": outcome.label, "period": in_period(self.words, row["wave"])}
            if np.isnan(p):
                reason = str(row["status"]).rstrip(".")
                yield self._text("no_redraw", reason=reason, **about)
                continue
            effect = self.words.effect(float(row["estimate"]), measure_of(self.results, outcome))
            draws = self.words.number(float(row["n_draws"]))
            key = "redrawn_exact" if row["exact"] else "redrawn"
            shown = self.words.p_value(p, sentence=True)
            said = [self._text(key, effect=effect, p=shown, draws=draws, **about)]
            if np.isfinite(float(row["p_adjusted"])):
                corrected = self.words.p_value(float(row["p_adjusted"]), sentence=True)
                said.append(self._text("corrected", p=corrected, **about))
            yield " ".join(said)

    def _attrition(self) -> Iterator[str]:
        """Say how many answered, whether the arms differ in it, and where the bounds lie."""
        table = self.found.attrition
        for outcome in self.results.plan.outcomes if len(table) else ():
            rows = table[table["outcome"] == outcome.column]
            last = rows[rows["difference"].notna()].tail(1)
            for row in last.to_dict("records"):
                yield self._response(outcome, rows, row)
                yield from self._limits(outcome, float(row["share"]))

    def _response(self, outcome: Outcome, rows: pd.DataFrame, row: dict[str, object]) -> str:
        words = self.words
        losers = rows[rows["arm"] == "losers"].iloc[-1]
        about = {"outcome": outcome.label, "period": in_period(words, row["wave"])}
        if float(str(row["share"])) == 1 and float(losers["share"]) == 1:
            return self._text("everyone_answered", **about)
        p = float(str(row["p_value"]))
        key = "response_differs" if p < 1 - self.results.plan.level else "response_alike"
        key = "response_unknown" if np.isnan(p) else key
        shares = {"winners": row["share"], "losers": losers["share"]}
        shown = {k: words.percent(float(str(v)), 1) for k, v in shares.items()}
        return self._text(key, p=words.p_value(p, sentence=True), **shown, **about)

    def _limits(self, outcome: Outcome, share: float) -> Iterator[str]:
        """Say where Lee's bounds of the last period lie."""
        bounds = self.found.bounds
        if not len(bounds) or share == 1:
            return
        rows = bounds[(bounds["outcome"] == outcome.column) & (bounds["kind"] == "lee")]
        for row in rows.tail(1).to_dict("records"):
            ends = float(row["lower"]), float(row["upper"])
            if np.isfinite(ends).all():
                measure = measure_of(self.results, outcome)
                around = float(row["conf_low"]), float(row["conf_high"])
                known = bool(np.isfinite(around).all())
                yield self._text(
                    "lee" if known else "lee_alone",
                    outcome=outcome.label,
                    period=in_period(self.words, row["wave"]),
                    interval=self.words.interval(*ends, measure),
                    around=self.words.interval(*around, measure) if known else "",
                    level=self.level,
                )

    def _groups(self) -> Iterator[str]:
        """Say whether effects differ between groups."""
        labels = self.results.plan.covariate_labels
        outcomes = {o.column: o.label for o in self.results.plan.outcomes}
        for row in self.found.group_tests.to_dict("records"):
            p = float(row["p_value"])
            key = "groups_differ" if p < 1 - self.results.plan.level else "groups_alike"
            about = {"by": labels.get(row["by"], row["by"]), "outcome": outcomes[row["outcome"]]}
            about["period"] = in_period(self.words, row["wave"])
            yield self._text(key, p=self.words.p_value(p, sentence=True), **about)

    def _power(self) -> Iterator[str]:
        """Say which effect the lottery could have found."""
        outcomes = {o.column: o for o in self.results.plan.outcomes}
        for row in self.found.detectable.to_dict("records"):
            outcome = outcomes[row["outcome"]]
            effect = self.words.effect(float(row["effect"]), measure_of(self.results, outcome))
            period = in_period(self.words, row["wave"])
            yield self._text("detectable", outcome=outcome.label, effect=effect, period=period)

    def _refused(self) -> Iterator[str]:
        """Say what has no answer, and why."""
        labels = {o.column: o.label for o in self.results.plan.outcomes}
        for row in self.found.refused.to_dict("records"):
            part = self.words.text(f"lottery_kind.{row['part']}")
            name = labels.get(row["outcome"], row["outcome"])
            about = f"{part} ({name})" if name else part
            yield self._text("refused", part=about, reason=str(row["reason"]).rstrip("."))
