"""How was each number made, and what must be believed? Methods, limits, warnings and terms."""

from collections.abc import Mapping
from dataclasses import dataclass

from prakerja_eval.estimate import MultiplierBootstrap, WildClusterBootstrap
from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import in_period, listing
from prakerja_eval.report.options import staggered_options
from prakerja_eval.report.pictures import covariate_labels
from prakerja_eval.study import Notice, Plan, Results
from prakerja_eval.study.schema import (
    AMOUNTS,
    AnyEntry,
    DidEntry,
    LotteryEntry,
    MatchingEntry,
    StaggeredEntry,
)
from prakerja_eval.tables.disclosure import SMALLEST_CELL

HOME = {
    "lottery.itt": "lottery_itt",
    "lottery.late": "lottery_late",
    "did.two_by_two": "did",
    "did.group_time": "group_time",
    "did.imputation": "imputation",
    "did.sun_abraham": "sun_abraham",
    "did.twfe": "twfe",
    "did.poisson": "poisson",
    "matching.att": "matching",
}
TERMS = (
    *("interval", "std_error", "p_value", "comparison_mean"),
    *("percentage_point", "score", "overlap", "smd", "caliper", "parallel", "placebo", "clusters"),
)


OVER_TIME = ("cohort", "event_time", "group_time", "band")


@dataclass(frozen=True, slots=True)
class Method:
    """One estimator in words, and with which options the study uses it."""

    title: str
    body: str
    assumption: str
    error: str
    reference: str
    used: tuple[str, ...]


def methods(results: Results, words: Catalogue) -> tuple[Method, ...]:
    """Return each estimator that the study uses, in order of first use, then the comparison."""
    plan = results.plan
    uses: dict[str, list[str]] = {}
    for entry in plan.estimates:
        text = words.text(
            "method.used", label=entry.label, options="; ".join(_options(entry, plan, words))
        )
        uses.setdefault(HOME[entry.estimator], []).append(text)
    if results.agreements:
        uses["compare"] = []
    return tuple(_method(key, tuple(used), plan, words) for key, used in uses.items())


def _method(key: str, used: tuple[str, ...], plan: Plan, words: Catalogue) -> Method:
    def said(part: str) -> str:
        return words.text(f"method.{key}.{part}")

    body = [said("body"), *(said(part) for part in _sides(plan) if key == HOME["matching.att"])]
    return Method(
        said("title"), " ".join(body), said("assumption"), said("error"), said("reference"), used
    )


def _sides(plan: Plan) -> list[str]:
    """Return which effects the matchings are about, and whether a caliper leaves people out."""
    designs = [e.design for e in plan.estimates if isinstance(e, MatchingEntry)]
    sides = [e for e in ("att", "atc", "ate") if any(d.estimand.lower() == e for d in designs)]
    return sides + ["caliper"] * any(d.caliper is not None for d in designs)


def _matching_options(entry: MatchingEntry, words: Catalogue) -> list[str]:
    """Return ratio, replacement, ties and estimand of a matching in words."""
    design = entry.design
    short = not design.replace or design.caliper is not None or design.max_uses is not None
    ratio = words.number(design.ratio)
    if design.ratio > 1 and short:
        ratio = words.text("format.up_to", number=ratio)
    estimand = design.estimand.lower()
    out = [words.text(f"method.ratio_{estimand}", ratio=ratio)]
    out.append(words.text("method.replace" if design.replace else "method.no_replace"))
    if design.replace and design.max_uses is None and design.ties == "average":
        out.append(words.text("method.ties"))
    if estimand != "att":
        out.append(words.text(f"method.effect_{estimand}"))
    if entry.bias_adjust:
        out.append(words.text("method.bias_adjust"))
    return out


def _options(entry: AnyEntry, plan: Plan, words: Catalogue) -> list[str]:
    """Return the choices of one entry in words."""
    if isinstance(entry, MatchingEntry):
        design = entry.design
        out = _matching_options(entry, words)
        if design.caliper is not None:
            caliper = words.number(design.caliper, 2)
            out.append(words.text("method.caliper", caliper=caliper))
        if design.exact:
            out.append(words.text("method.exact", names=_names(design.exact, plan, words)))
        return [*out, _covariates(entry.covariates, plan, words)]
    if isinstance(entry, StaggeredEntry):
        return staggered_options(entry, words) + _covariates_read(entry, plan, words)
    out = []
    if isinstance(entry, DidEntry):
        method = entry.design.method if entry.design.covariates else "unconditional"
        out.append(words.text(f"method.did_{method}"))
        if entry.base is not None:
            out.append(words.text("method.base", base=entry.base))
    elif isinstance(entry, LotteryEntry) and plan.roles.blocks:
        treated = "_treated" if entry.design.block_weights == "treated" else ""
        out.append(words.text(f"method.shares_{entry.design.shares}{treated}"))
    if isinstance(entry, LotteryEntry) and entry.pooled:
        out.append(words.text("method.pooled"))
    return [*out, _covariates(entry.design.covariates, plan, words)]


def _covariates_read(entry: StaggeredEntry, plan: Plan, words: Catalogue) -> list[str]:
    """Return the covariates, of an estimator that reads any."""
    if entry.estimator not in ("did.group_time", "did.imputation"):
        return []
    return [_covariates(entry.design.covariates, plan, words)]


def _covariates(names: tuple[str, ...], plan: Plan, words: Catalogue) -> str:
    if not names:
        return words.text("method.no_covariates")
    return words.text("method.covariates", names=_names(names, plan, words))


def _names(columns: tuple[str, ...], plan: Plan, words: Catalogue) -> str:
    return listing(words, [plan.covariate_labels.get(c, c) for c in columns])


def warnings(results: Results, words: Catalogue) -> tuple[str, ...]:
    """Return every notice as a sentence."""
    names = {o.column: o.label for o in results.plan.outcomes}
    names |= covariate_labels(results, words)
    return tuple(_warning(notice, names, words) for notice in results.notices)


def _warning(notice: Notice, names: Mapping[str, str], words: Catalogue) -> str:
    values = dict(notice.values)
    said = {k: _value(k, v, names, words) for k, v in values.items()}
    if "reason" in said:
        said["reason"] = said["reason"].rstrip(".")
    return words.text(notice.key, period=in_period(words, values.get("wave")), **said)


def _value(key: str, value: object, names: Mapping[str, str], words: Catalogue) -> str:
    """Print one value of a notice as its name asks."""
    if not isinstance(value, int | float):
        return names.get(str(value), str(value)) if key in ("outcome", "covariate") else str(value)
    if key == "p":
        return words.p_value(value, sentence=True)
    if key == "share":
        return words.percent(value)
    if key in ("count", "total"):  # of effects, no people
        return words.number(value)
    if key == "smd":
        return words.number(value, 2)
    return words.text("format.few") if 0 < value < SMALLEST_CELL else words.number(value)


@dataclass(frozen=True, slots=True)
class Passage:
    """A heading with its paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


def limits(results: Results, words: Catalogue) -> tuple[Passage, ...]:
    """Return the assumption on spillovers, the programme's own money, and what is not corrected."""
    plan = results.plan
    groups: dict[str, list[str]] = {"out": [], "in": [], "unknown": []}
    for outcome in plan.outcomes:
        if outcome.contains_transfers is not None:
            groups["in" if outcome.contains_transfers else "out"].append(outcome.label)
        elif outcome.unit in AMOUNTS:
            groups["unknown"].append(outcome.label)
    money = [
        words.text(f"limits.transfers_{key}", names=listing(words, group))
        for key, group in groups.items()
        if group
    ]
    chapter = "" if results.lottery is None else "_lottery"
    keys = (f"multiple{chapter}", f"attrition{chapter}", "design")
    open_ends = [words.text(f"limits.{key}") for key in keys]
    trends = [words.text(f"limits.{key}") for key in ("parallel", "anticipation", "applications")]
    return (
        Passage(words.text("limits.spillovers"), (plan.spillovers,)),
        *([Passage(words.text("limits.trends"), tuple(trends))] if _staggered(results) else []),
        *([Passage(words.text("limits.transfers"), tuple(money))] if money else []),
        Passage(words.text("limits.corrections"), tuple(open_ends)),
    )


def _staggered(results: Results) -> list[StaggeredEntry]:
    return [e for e in results.plan.estimates if isinstance(e, StaggeredEntry)]


def glossary(results: Results, words: Catalogue) -> tuple[tuple[str, str], ...]:
    """Return the terms that an official may want explained."""
    level = results.plan.level
    values = {"level": words.percent(level), "share": words.number(100 * level)}
    return tuple(
        (words.text(f"glossary.{t}", **values), words.text(f"glossary.{t}_text", **values))
        for t in (*_effects(results), *TERMS, *(OVER_TIME if _staggered(results) else ()))
    )


def _effects(results: Results) -> list[str]:
    """Return the kinds of effect to explain: the usual three, and others that the study has."""
    found = {str(e).removeprefix("feasible ").lower() for e in results.findings.frame["estimand"]}
    return ["att", "itt", "late", *(e for e in ("ate", "atc") if e in found)]


def randomness(results: Results, words: Catalogue) -> str:
    """Say which seeds were used, if any."""
    specs = [entry.chosen for entry in results.plan.estimates]
    specs += [entry.bands for entry in _staggered(results)]
    drawn = {s.seed for s in specs if isinstance(s, MultiplierBootstrap | WildClusterBootstrap)}
    if results.plan.lottery is not None:
        drawn.add(results.plan.lottery.seed)
    seeds = sorted(drawn)
    if not seeds:
        return words.text("reproduce.no_random")
    return words.text("reproduce.seeds", seeds=listing(words, [str(s) for s in seeds]))
