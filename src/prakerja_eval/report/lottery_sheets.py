"""Which tables does the chapter on the lottery have? Each under the part that it belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import in_period, plain, unit_name
from prakerja_eval.report.picture import slug
from prakerja_eval.report.sheet import Sheet
from prakerja_eval.report.summary import measure_of
from prakerja_eval.study import Results
from prakerja_eval.study.results import LotteryTables
from prakerja_eval.tables.rows import Kind, Shown, rows_table

AT = ["outcome", "wave"]
PERCENT = Measure("percent", 100.0, 1)
READINGS = {
    "ITT": "levels",
    "ITT / comparison mean": "percent",
    "ITT / comparison mean, Poisson": "poisson",
    "ITT on any": "extensive",
    "difference among those with any": "intensive",
    "ITT, winsorised": "winsorised",
}
MEASURED = {"percent": "(percent)", "poisson": "(percent)", "extensive": "(share)"}


@dataclass(frozen=True, slots=True)
class _Printer:
    """The study's names and measures, in the reader's language."""

    results: Results
    words: Catalogue

    @property
    def measures(self) -> dict[str, Measure]:
        """Return how amounts are shown, by outcome; "share" and "sd" are no outcome's own."""
        own = {o.column: measure_of(self.results, o) for o in self.results.plan.outcomes}
        return {
            **own,
            "(share)": Measure.of("share"),
            "(sd)": Measure("sd", 1.0, 3),
            "(percent)": PERCENT,
        }

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with ``measured`` and the outcome's printed name, unit and period."""
        labels = {
            o.column: f"{o.label} ({unit_name(self.words, o.unit)})"
            for o in self.results.plan.outcomes
        }
        waves = frame["wave"].map(plain) if "wave" in frame else pd.Series("", index=frame.index)
        names = frame["outcome"].map(lambda c: labels.get(str(c), str(c)))
        shown = [f"{n}, {w}" if w else n for n, w in zip(names, waves, strict=True)]
        return frame.assign(measured=frame["outcome"], outcome_shown=shown)

    def sheet(
        self, part: str, frame: pd.DataFrame, columns: dict[str, Kind], name: str = ""
    ) -> Sheet:
        """Return a table of the chapter, its headings from the catalogue."""
        level = self.words.percent(self.results.plan.level)
        shown = [
            Shown(key, kind, self.words.text(f"lottery_column.{_short(key)}", level=level))
            for key, kind in columns.items()
        ]
        caption = self.words.text(f"lottery_caption.{name or part}", level=level)
        table = rows_table(frame, shown, caption, measures=self.measures, catalogue=self.words)
        return Sheet(f"lottery_{part}", f"lottery_{slug(name or part)}", table)


def _short(key: str) -> str:
    return "interval" if "," in key else key


def lottery_sheets(results: Results, words: Catalogue) -> Iterator[Sheet]:
    """Yield the tables of the chapter, in the order of its parts."""
    found = results.lottery
    if found is None or not len(found.audit):
        return
    printer = _Printer(results, words)
    yield _audit(found, printer)
    if len(found.balance):
        yield _balance(found, printer)
    if len(rows_of(found, "offer")):
        yield _effects(found, printer)
    yield from _attrition(found, printer)
    yield from _readings(found, printer)
    yield from _groups(found, printer)
    if len(found.compliers):
        yield _compliers(found, printer)


def _audit(found: LotteryTables, printer: _Printer) -> Sheet:
    """Count blocks by what is wrong with them."""
    words = printer.words
    remarks = [words.text(f"lottery_remark.{slug(r)}") for r in found.audit["remark"]]
    columns: dict[str, Kind] = {"remark": "text", "blocks": "number", "people": "count"}
    frame = found.audit.assign(remark=remarks)
    return printer.sheet("who", frame, columns | {"blocks": "count"}, "audit")


def _balance(found: LotteryTables, printer: _Printer) -> Sheet:
    labels = printer.results.plan.covariate_labels
    frame = found.balance.assign(covariate=[labels.get(c, c) for c in found.balance["covariate"]])
    return printer.sheet(
        "balance",
        frame,
        {
            "covariate": "text",
            "mean_treated": "number",
            "mean_comparison": "number",
            "difference": "number",
            "std_error": "number",
            "p_value": "p_value",
            "normalised_difference": "number",
        },
    )


def _effects(found: LotteryTables, printer: _Printer) -> Sheet:
    """Put the effect of the offer, its tests, and the effect of taking part in one row."""
    offer = rows_of(found, "offer")
    frame = printer.named(offer)
    columns: dict[str, Kind] = {
        "outcome_shown": "text",
        "estimate": "amount",
        "conf_low,conf_high": "interval",
        "comparison_mean": "amount",
        "p_value": "p_value",
    }
    chapter = printer.results.plan.lottery
    lasso = chapter is not None and chapter.design.covariate_model == "lasso"
    if len(found.randomisation) and not lasso:  # a lasso's draws are those of the plain difference
        kept = ["p_value", "p_adjusted", "conf_low", "conf_high"]
        frame = _beside(frame.drop(columns=kept), found.randomisation[[*AT, *kept]])
        if frame["p_adjusted"].notna().any():
            columns["p_adjusted"] = "p_value"
    receipt = rows_of(found, "receipt")
    if len(receipt):
        late = receipt[[*AT, "estimate"]].rename(columns={"estimate": "late"})
        frame = _beside(frame, late)
        columns["late"] = "amount"
    if len(found.weak):
        frame = _beside(frame, found.weak[[*AT, "ar_shape", "ar_low", "ar_high"]])
        frame["ar_set"] = [_set(row, printer) for row in frame.to_dict("records")]
        columns["ar_set"] = "text"
    return printer.sheet("effects", frame, columns | {"n": "count"})


def _set(row: dict[str, object], printer: _Printer) -> str:
    """Write an Anderson-Rubin set in the unit of its outcome."""
    words, measure = printer.words, printer.measures[str(row["measured"])]
    if row["ar_shape"] not in ("interval", "two rays"):
        shape = plain(row["ar_shape"])
        return words.text(f"lottery_set.{slug(shape)}") if shape else ""
    low, high = (words.shown(float(str(row[k])), measure) for k in ("ar_low", "ar_high"))
    return words.text(f"lottery_set.{slug(str(row['ar_shape']))}", low=low, high=high)


def _attrition(found: LotteryTables, printer: _Printer) -> Iterator[Sheet]:
    """Yield response by arm, and the bounds."""
    words, named = printer.words, {o.column: o.label for o in printer.results.plan.outcomes}
    if len(found.attrition) and (found.attrition["share"] < 1).any():
        arms = [words.text(f"lottery_figure.{arm}") for arm in found.attrition["arm"]]
        frame = printer.named(found.attrition.assign(arm=arms))
        columns: dict[str, Kind] = {
            "outcome_shown": "text",
            "arm": "text",
            "assigned": "count",
            "observed": "count",
            "share": "percent",
            "difference_within": "amount",
            "p_value": "p_value",
        }
        frame = frame.assign(measured="(share)", difference_within=frame["difference"])
        frame["outcome_shown"] = [f"{named[o]}{in_period(words, w)}" for o, w in _at(frame)]
        yield printer.sheet("attrition", frame, columns)
    if len(found.bounds):
        kinds = [kind_of(row, words) for row in found.bounds.to_dict("records")]
        frame = printer.named(found.bounds.assign(kind=kinds))
        yield printer.sheet(
            "attrition",
            frame,
            {
                "outcome_shown": "text",
                "kind": "text",
                "lower": "amount",
                "upper": "amount",
                "conf_low,conf_high": "interval",
            },
            "bounds",
        )


def kind_of(row: dict[str, object], words: Catalogue) -> str:
    """Name a kind of bounds; sensitivity bounds with the step that they take."""
    name = words.text(f"lottery_kind.{row['kind']}")
    if row["kind"] != "kling_liebman":
        return name
    step = str(row["specification"]).removeprefix("missing ").removesuffix(" sd off")
    return words.text("lottery_kind.step", kind=name, step=words.number(float(step), 2))


def _readings(found: LotteryTables, printer: _Printer) -> Iterator[Sheet]:
    """Yield the ways to read an outcome with zeros."""
    rows = rows_of(found, "zeros")
    if len(rows):
        frame = printer.named(rows)
        reading = frame["estimand"].map(READINGS)
        measured = reading.map(MEASURED).fillna(frame["measured"])
        named = {o.column: o.label for o in printer.results.plan.outcomes}
        outcomes = [f"{named[o]}{in_period(printer.words, w)}" for o, w in _at(frame)]
        shown = [printer.words.text(f"lottery_reading.{r}") for r in reading]
        columns: dict[str, Kind] = {"outcome_shown": "text", "reading": "text"}
        columns |= {"estimate": "amount", "conf_low,conf_high": "interval", "p_value": "p_value"}
        frame = frame.assign(measured=measured, reading=shown, outcome_shown=outcomes)
        yield printer.sheet("zeros", frame, columns)


def _at(frame: pd.DataFrame) -> Iterator[tuple[str, object]]:
    """Yield outcome and wave of each row."""
    yield from zip(frame["outcome"].map(str), frame["wave"], strict=True)


def _groups(found: LotteryTables, printer: _Printer) -> Iterator[Sheet]:
    """Yield effects by group, and indices with their weights."""
    effect: dict[str, Kind] = {"estimate": "amount", "conf_low,conf_high": "interval"}
    rows = rows_of(found, "subgroup")
    if len(rows):
        labels = printer.results.plan.covariate_labels
        groups = [_group(str(g), labels) for g in rows["subgroup"]]
        frame = printer.named(rows.assign(subgroup=groups))
        columns: dict[str, Kind] = {"outcome_shown": "text", "subgroup": "text"}
        yield printer.sheet("groups", frame, columns | effect | {"n": "count"})
    rows = rows_of(found, "index")
    if len(rows):
        shown = rows.assign(measured="(sd)", index=_dated(rows))
        columns = {"index": "text", **effect, "p_value": "p_value"}
        yield printer.sheet("indices", shown, columns)
        weights = printer.named(found.weights)
        columns = {"index": "text", "outcome_shown": "text", "sign": "number", "weight": "number"}
        yield printer.sheet("indices", weights, columns, "weights")


def _group(text: str, labels: dict[str, str]) -> str:
    """Return a group under the printed name of its column."""
    column, equals, value = text.partition(" = ")
    return f"{labels.get(column, column)}{equals}{value}"


def _dated(rows: pd.DataFrame) -> list[str]:
    """Return labels with their period."""
    pairs = zip(rows["label"], rows["wave"].map(plain), strict=True)
    return [f"{label}, {wave}" if wave else str(label) for label, wave in pairs]


def _compliers(found: LotteryTables, printer: _Printer) -> Sheet:
    labels = printer.results.plan.covariate_labels
    names = [labels.get(c, c) for c in found.compliers["covariate"]]
    columns: dict[str, Kind] = {"covariate": "text", "everyone": "number", "compliers": "number"}
    columns |= {"ratio": "number", "p_value": "p_value"}
    return printer.sheet("compliers", found.compliers.assign(covariate=names), columns)


def rows_of(found: LotteryTables, role: str) -> pd.DataFrame:
    """Return the details of one role."""
    if not len(found.details):
        return found.details
    return found.details[found.details["role"] == role].reset_index(drop=True)


def _beside(frame: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the other's columns, matched by outcome and wave."""
    keys = [f"{o}\t{plain(w)}" for o, w in zip(other["outcome"], other["wave"], strict=True)]
    own = [f"{o}\t{plain(w)}" for o, w in zip(frame["outcome"], frame["wave"], strict=True)]
    matched = other.drop(columns=AT).set_axis(keys).reindex(own).set_axis(frame.index)
    return pd.concat([frame, matched], axis=1)
