"""Do the data have what the plan names? Everything is looked up before anything runs."""

from prakerja_eval import did
from prakerja_eval.errors import DataError, UsageError, nearest
from prakerja_eval.panel import ArrayRequest, Panel
from prakerja_eval.panel.values import plain_text, to_number
from prakerja_eval.study.chapter import Chapter
from prakerja_eval.study.schema import AnyEntry, DidEntry, MatchingEntry, Plan, StaggeredEntry

PERCENT = ("percent", "percentage", "persen", "%")


def check_names(part: Panel, entry: AnyEntry) -> None:
    """Refuse a covariate, cluster or wave of an entry that its rows do not have.

    Raises
    ------
    UsageError
    """
    covariates = covariates_of(entry)
    if isinstance(entry, StaggeredEntry):
        _check_cohorts(part, entry)
        if entry.design.covariates_at == "base_period":
            covariates = tuple(f"{c}@{part.waves[0]}" for c in covariates)
    part.arrays(ArrayRequest(None, covariates))
    by = getattr(entry.chosen, "by", "unit")
    clusters = ("unit", "pair", *part.roles.cluster_columns())
    if by not in clusters:
        raise UsageError(f"there is no cluster column {by!r}; there are {', '.join(clusters)}.")
    base = [entry.base] if isinstance(entry, DidEntry) and entry.base is not None else []
    unknown = [w for w in [*(entry.waves or []), *base] if w not in part.waves]
    if unknown:
        known = ", ".join(map(str, part.waves))
        raise UsageError(f"wave {unknown[0]!r} is not in the data; there are {known}.")


def _check_cohorts(part: Panel, entry: StaggeredEntry) -> None:
    """Refuse a cohort to leave out that nobody belongs to."""
    known = list(dict.fromkeys(did.status_map(part)["cohort"].dropna()))
    gone = [c for c in entry.without if c not in known]
    if gone:
        there = ", ".join(map(plain_text, known))
        raise UsageError(f"without names the cohort {gone[0]!r}; there are {there}.")


def covariates_of(entry: AnyEntry) -> tuple[str, ...]:
    """Return the covariates that an entry uses, those to match exactly on among them."""
    if isinstance(entry, MatchingEntry):
        return (*entry.covariates, *entry.design.exact)
    return entry.design.covariates


def _check_chapter(panel: Panel, plan: Plan, chapter: Chapter) -> None:
    """Refuse an outcome, covariate, group or wave of ``[lottery]`` that the study does not have.

    Raises
    ------
    UsageError
    """
    outcomes = [o.column for o in plan.outcomes]
    for where, named in chapter.outcomes().items():
        _refuse(set(named), set(outcomes), where, "is no outcome of the study")
    try:
        part = panel.where(**chapter.where) if chapter.where else panel
        part.arrays(ArrayRequest(None, (*chapter.covariates, *chapter.design.covariates)))
        for column in (*chapter.subgroups, *chapter.bounds.tighten):
            part.wide(column)
    except (UsageError, DataError) as error:
        raise type(error)(f"[lottery] of the study file: {error}") from error
    unknown = [w for w in chapter.waves or () if w not in part.waves]
    if unknown:
        known = ", ".join(map(str, part.waves))
        raise UsageError(f"[lottery]: wave {unknown[0]!r} is not in the data; there are {known}.")


def check_words(panel: Panel, plan: Plan) -> None:
    """Refuse labels for values or covariates that nothing has, and shares outside 0 to 1.

    What ``[lottery]`` names is looked up too.

    Raises
    ------
    UsageError
    """
    if plan.lottery is not None:
        _check_chapter(panel, plan, plan.lottery)
    if plan.groups is not None:
        values = {plain_text(v) for v in panel.wide(plan.groups.column).to_numpy().ravel()}
        column = plan.groups.column
        _refuse(set(plan.groups.labels), values, "[groups.labels]", f"no row has in {column!r}")
    known = {name for entry in plan.estimates for name in covariates_of(entry)}
    known |= set() if plan.lottery is None else set(plan.lottery.covariates)
    _refuse(set(plan.covariate_labels), known, "[covariate_labels]", "the study does not use")
    for outcome in plan.outcomes:
        numbers = to_number(panel.frame[outcome.column])
        if outcome.unit == "share" and ((numbers < 0) | (numbers > 1)).any():
            raise UsageError(
                f"the outcome {outcome.column!r} has the unit 'share' and values outside 0 to 1; "
                'name its unit ("rupiah", say), or divide it by its largest possible value.'
            )
        if outcome.unit.lower() in PERCENT and not (numbers > 1).any():
            raise UsageError(
                f"the outcome {outcome.column!r} has unit {outcome.unit!r} and no value over 1: "
                "for values from 0 to 1 the unit is 'share', which is printed in percent."
            )


def _refuse(named: set[str], known: set[str], where: str, why: str) -> None:
    for name in sorted(named - known):
        raise UsageError(f"{where} names {name!r}, which {why}.{nearest(name, sorted(known))}")
