"""What is claimed of effects by cohort and wave? Scenarios of the difference-in-differences wing.

Draws, scenarios and rows were fixed before any result was seen.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from prakerja_eval import did
from prakerja_eval.estimate import Clustered, Estimate, MultiplierBootstrap, join, subset

from .changes import COVARIATES
from .claims import Estimator, Row, Scenario
from .people import Draw
from .staggered import Attrition, Earnings, Sampled, Staggered, Villages, sampled
from .staggered_given import CrossSections, GivenX

DRAWS = 1_000
FAILS = "two-way fixed effects"
UNIT = Clustered("unit", correction="none")
WORLD = Staggered()
AROUND = (
    "500 people fall into three cohorts (.25, .2, .15) and the never treated at random over 6 "
    "waves; effects differ by cohort, person and time since the start, errors last."
)


def averages(cells: Estimate, events: tuple[int, int] = (0, 0), shares: str = "drawn") -> Estimate:
    """Return the overall effect and those from one event time to another."""
    study = did.event_study(cells, window=events, shares=shares)
    return join(did.overall(cells, shares=shares), study)


def group_time(events: tuple[int, int] = (0, 0), **design: object) -> Estimator:
    """Return `averages` of group-time effects."""
    return lambda panel, draw: averages(did.group_time(panel, "y", did.Design(**design)), events)


def imputation(events: tuple[int, int] = (0, 0)) -> Estimator:
    return lambda panel, draw: averages(did.imputation(panel, "y"), events)


def sun_abraham(events: tuple[int, int] = (0, 0)) -> Estimator:
    return lambda panel, draw: averages(did.sun_abraham(panel, "y"), events)


def overall(estimator: Callable[..., Estimate], **options: object) -> Estimator:
    """Return the overall effect alone."""
    return lambda panel, draw: did.overall(estimator(panel, "y", **options))


def less(estimate: Estimate, truth: object) -> Estimate:
    """Take off a truth that is another one in each draw."""
    return replace(estimate, theta=estimate.theta - np.asarray(truth, dtype=np.float64))


def _group_time() -> Scenario:
    def never(panel: object, draw: Draw) -> Estimate:
        cells = did.group_time(panel, "y")
        kept = did.by_cohort(subset(cells, cohort=4))
        return join(averages(cells, (0, 2)), did.overall(cells, average="waves"), kept)

    def fixed(panel: object, draw: Draw) -> Estimate:
        cells = did.group_time(panel, "y")
        return less(did.overall(cells, shares="fixed"), WORLD.overall(WORLD.sizes(draw)))

    asked = (
        ("overall", 0, WORLD.overall()),
        ("event time 0", 1, WORLD.at(0)),
        ("event time 2", 3, WORLD.at(2)),
        ("mean over waves", 4, WORLD.by_wave()),
        ("cohort 4", 5, float(WORLD.att[2, 3:].mean())),
    )
    rows = [
        *(Row(f"never treated, {what}", "never", UNIT, t, rows=(k,)) for what, k, t in asked),
        *(Row(f"not yet treated, {what}", "later", UNIT, t, rows=(k,)) for what, k, t in asked[:3]),
        Row("overall at the sample's cohort sizes, shares fixed", "fixed", UNIT, 0.0),
    ]
    return Scenario(
        "did, group-time effects",
        f"{AROUND} Truth: effects weighted by population shares; with shares fixed, by the "
        "sample's, and what is judged is the difference from that.",
        WORLD.draw,
        {"never": never, "later": group_time((0, 2), comparison="not_yet_treated"), "fixed": fixed},
        tuple(rows),
        DRAWS,
    )


def _given(name: str, about: str, world: GivenX, wrong: str | None) -> Scenario:
    methods = ("dr", "reg", "ipw") if wrong is None else ("dr", wrong)
    why = f"contrast: {wrong} rests on the model that is wrong here"
    rows = [
        Row(
            f"{m}, {what}",
            m,
            UNIT,
            truth,
            claim=m != wrong,
            why=why if m == wrong and not k else "",
            rows=(k,),
        )
        for m in methods
        for what, k, truth in (("overall", 0, world.truth()), ("event time 0", 1, world.truth(0)))
    ]
    made = {m: group_time(method=m, covariates=COVARIATES) for m in methods}
    return Scenario(name, about, world.draw, made, tuple(rows), DRAWS)


def _unbalanced() -> Scenario:
    world = Attrition()
    estimators = {
        "panel": group_time((2, 2), data="panel"),
        "cross-sections": group_time((2, 2), data="cross_sections"),
        "imputation": imputation((2, 2)),
        "Sun-Abraham": sun_abraham((2, 2)),
    }
    rows = [
        Row(f"{name}, {what}", name, UNIT, truth, rows=(k,))
        for name in estimators
        for what, k, truth in (("overall", 0, world.overall()), ("event time 2", 1, world.at(2)))
    ]
    return Scenario(
        "did, unbalanced panel",
        "The same people; from wave 3 on 10 to 30 % of the answers are missing, at a rate that "
        "differs by cohort and by nothing else. Truth: as above.",
        world.draw,
        estimators,
        tuple(rows),
        DRAWS,
    )


def _cross_sections() -> Scenario:
    world = CrossSections(2_400)
    given = {"covariates": COVARIATES, "data": "cross_sections"}
    why = "contrast: trends are parallel only given the covariates"
    rows = [
        Row(f"{m}, overall", m, UNIT, world.truth(), claim=m != "unconditional", why=w)
        for m, w in (("dr", ""), ("reg", ""), ("ipw", ""), ("unconditional", why))
    ]
    return Scenario(
        "did, repeated cross-sections given covariates",
        "2,400 people, each asked in one of three waves; two cohorts and the never treated by a "
        "multinomial logit in two covariates, trends linear in both. Truth: the mean effect over "
        "the treated cells in the population.",
        world.draw,
        {
            m: overall(did.group_time, design=did.Design(method=m, **given))
            for m in ("dr", "reg", "ipw")
        }
        | {"unconditional": overall(did.group_time, design=did.Design(data="cross_sections"))},
        tuple(rows),
        DRAWS,
    )


def _villages() -> Scenario:
    world = Villages(
        starts=Staggered.starts[:3],
        shares=(0.5, 0.25, 0.25),
        first=Staggered.first[:3],
        growth=Staggered.growth[:3],
    )
    asked = (("overall", 0, world.overall()), ("event time 0", 1, world.at(0)))
    beside = (
        (
            "clustered by village, uncorrected",
            Clustered("village", correction="none"),
            "without G / (G - 1) and Student's quantiles the intervals are shorter by 3 %",
        ),
        ("clustered by person", UNIT, "people of one village move together"),
    )
    return Scenario(
        "did, villages",
        "60 villages of 8 people; whole villages fall into two cohorts (.25 each) and the never "
        "treated, share shocks that last, and differ in their effects. Truth: as above.",
        world.draw,
        {"never": group_time()},
        (
            *(
                Row(f"{what}, clustered by village, G", "never", Clustered("village"), t, rows=(k,))
                for what, k, t in asked
            ),
            *(
                Row(
                    f"overall, {name}",
                    "never",
                    spec,
                    world.overall(),
                    claim=False,
                    why=f"contrast: {why}",
                )
                for name, spec, why in beside
            ),
        ),
        DRAWS,
    )


def _weights() -> Scenario:
    world: Sampled = sampled()
    estimators = {
        "group-time": group_time(),
        "imputation": imputation(),
    }
    return Scenario(
        "did, sampling weights",
        "800 people of two kinds: 30 % of the population are 60 % of the sample, have twice the "
        "effect and join other cohorts; weights undo the sampling (.5 and 1.75). Truth: effects "
        "in the population.",
        world.draw,
        estimators,
        tuple(
            Row(f"{name}, {what}", name, UNIT, truth, rows=(k,))
            for name in estimators
            for what, k, truth in (
                ("overall", 0, world.overall()),
                ("event time 0", 1, world.at(0)),
            )
        ),
        DRAWS,
    )


def _imputation() -> Scenario:
    def published(panel: object, draw: Draw) -> Estimate:
        made = averages(did.imputation(panel, "y"), (0, 2), "fixed")
        sizes, realised = WORLD.sizes(draw), WORLD.realised(draw)
        events = [WORLD.at(e, sizes, realised) for e in range(3)]
        return less(made, [WORLD.overall(sizes, realised), *events])

    estimators = {
        "imputation": imputation((0, 2)),
        "published": published,
        "Sun-Abraham": sun_abraham((0, 2)),
        "leads": lambda panel, draw: did.imputation_pretrend(panel, "y", leads=2),
    }
    asked = (
        ("overall", 0, WORLD.overall()),
        ("event time 0", 1, WORLD.at(0)),
        ("event time 2", 3, WORLD.at(2)),
    )
    why = "variation of effects within a cohort and wave counts as noise, which it is not there"
    return Scenario(
        "did, imputation and Sun-Abraham",
        f"{AROUND} Truth: effects weighted by population shares; of the published conditional "
        "standard error, the mean effect on the very people of the draw.",
        WORLD.draw,
        estimators,
        (
            *(
                Row(f"{name}, {what}", name, UNIT, truth, rows=(k,))
                for name in ("imputation", "Sun-Abraham")
                for what, k, truth in asked
            ),
            *(
                Row(
                    f"imputation as published, {what}",
                    "published",
                    UNIT,
                    0.0,
                    "conservative",
                    why="" if k else why,
                    rows=(k,),
                )
                for what, k, _ in asked
            ),
            Row("two leads at 5 %", "leads", UNIT, 2.0, "test", asks="zero", rows=(0, 1)),
        ),
        DRAWS,
    )


def _poisson() -> Scenario:
    world = Earnings(n=800)
    treated, at_start = world.event_time >= 0, world.event_time == 0

    def poisson(scale: str) -> Estimator:
        def estimate(panel: object, draw: Draw) -> Estimate:
            total = did.poisson(panel, "y", scale=scale, rows="overall")
            return join(total, did.poisson(panel, "y", scale=scale, rows="event_times"))

        return estimate

    return Scenario(
        "did, Poisson",
        "800 people, earnings of which a third are zero; without treatment means grow by the same "
        "factor in all cohorts, from different levels. Truth: effects on the mean, in levels and "
        "in percent of the mean without treatment, weighted by population shares.",
        world.draw,
        {"levels": poisson("levels"), "percent": poisson("percent")},
        tuple(
            Row(f"{scale}, {what}", scale, UNIT, truth(kept), rows=(k,))
            for scale, truth in (("levels", world.mean_gain), ("percent", world.percent))
            for what, k, kept in (("overall", 0, treated), ("event time 0", 1, at_start))
        ),
        DRAWS,
    )


def _two_way() -> Scenario:
    world = Staggered(first=(0.0, 0.6, 0.6, 0.6), growth=(0.0,) * 4)
    return Scenario(
        "did, two-way fixed effects where effects are the same",
        "The same people with one mean effect for all cohorts and waves. Truth: that effect.",
        world.draw,
        {
            "two-way": lambda panel, draw: did.twfe(panel, "y"),
            "group-time": overall(did.group_time),
        },
        (
            Row(FAILS, "two-way", UNIT, world.overall()),
            Row("group-time, overall", "group-time", UNIT, world.overall()),
        ),
        DRAWS,
    )


def _two_way_fails() -> Scenario:
    world = Staggered(
        shares=(0.1, 0.3, 0.3, 0.3), first=(0.0, 1.0, 1.0, 1.0), growth=(0.0, 1.0, 0.8, 0.6)
    )
    why = (
        "contrast: cohorts already treated serve for comparison, and what they still gain is taken "
        "off the effect"
    )
    return Scenario(
        "did, two-way fixed effects where effects grow",
        "Effects that grow from wave to wave, 10 % never treated. Truth: the average effect on the "
        "treated, which two-way fixed effects do not estimate: shown to fail.",
        world.draw,
        {
            "two-way": lambda panel, draw: did.twfe(panel, "y"),
            "group-time": overall(did.group_time),
        },
        (
            Row(FAILS, "two-way", UNIT, world.overall(), claim=False, why=why),
            Row("group-time, overall", "group-time", UNIT, world.overall()),
        ),
        DRAWS,
    )


def _event_study() -> Scenario:
    def before(panel: object, draw: Draw) -> Estimate:
        return subset(did.group_time(panel, "y"), estimand="pre-trend")

    def study(panel: object, draw: Draw) -> Estimate:
        cells = did.group_time(panel, "y", did.Design(base_period="universal"))
        rows = did.event_study(cells)
        told = subset(rows, rows=list(np.flatnonzero(rows.index["event_time"] != -1)))
        return less(told, [WORLD.at(int(e)) for e in told.index["event_time"]])

    return Scenario(
        "did, event study",
        f"{AROUND} Event times -4 to 3 about a universal base, and the six pre-trend cells of a "
        "varying base. Truth: six degrees of freedom; all seven effects at once.",
        WORLD.draw,
        {"before": before, "study": study},
        (
            Row("no pre-trends at 5 %", "before", UNIT, 6.0, "test", asks="zero", rows=SIX),
            Row(
                "simultaneous band",
                "study",
                MultiplierBootstrap(),
                0.0,
                "band",
                asks="band",
                rows=tuple(range(7)),
            ),
        ),
        DRAWS,
    )


SIX = tuple(range(6))
STAGGERED: tuple[Callable[[], Scenario], ...] = (
    _group_time,
    lambda: _given(
        "did, group-time given covariates, both models right",
        "800 people, 4 waves, two cohorts and the never treated by a multinomial logit in two "
        "covariates, trends linear in both, effects that differ with them. Truth: the mean effect "
        "over the treated cells in the population.",
        GivenX(800),
        None,
    ),
    lambda: _given(
        "did, group-time given covariates, only the score right",
        "The same with trends that are bent in x1 and have an interaction.",
        GivenX(800, trend_bend=0.5),
        "reg",
    ),
    lambda: _given(
        "did, group-time given covariates, only the outcome model right",
        "The same with scores that are bent in x1.",
        GivenX(800, score_bend=0.5),
        "ipw",
    ),
    _unbalanced,
    _cross_sections,
    _villages,
    _weights,
    _imputation,
    _poisson,
    _two_way,
    _two_way_fails,
    _event_study,
)
