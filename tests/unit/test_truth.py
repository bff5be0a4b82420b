"""Whether the truth of a world is what counting people one by one gives."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.outcomes import realise
from prakerja_eval.synthetic.process import lives
from prakerja_eval.synthetic.take_up import NOT_YET

HIDDEN = ("non_response", "item_non_response", "heaping")


def scenario(**changes):
    """Return a lottery in two batches, four waves, losers who try again and some who get in."""
    return pe.Scenario.named("noncompliance").but(
        lottery={"reapply": 0.8, "fewest_winners": 5.0},
        survey={"waves": ("2020-02", "2020-07", "2020-09", "2020-11"), "baseline": "2020-07"},
        effects={"work": 0.8, "pay": 0.2, "account": 0.2},
        **changes,
    )


@pytest.fixture(scope="module")
def world():
    return pe.simulate(scenario(people={"oversampling": 0.5}), n_applicants=400, seed=5)


@pytest.fixture(scope="module")
def people(world):
    """Return a dict a person and wave after the baseline, with every potential outcome."""
    process, given = world.process, world.assignment
    found = lives(process, given, Draws(world.seed, 0, world.n_applicants))
    options = process.scenario
    months = options.survey.months
    receipt, rows = found.receipt, []
    for t in range(options.survey.after, len(months)):
        state = {
            name: realise(options.outcomes, options.effects, found.latents[t], when, found.before)
            for name, when in (
                ("won", receipt.if_offered),
                ("lost", receipt.if_not),
                ("never", np.full(world.n_applicants, NOT_YET)),
            )
        }
        for i in range(world.n_applicants):
            if given.block[i] < 0:
                continue
            row = {"i": i, "t": t, "month": months[t], "w": float(found.persons.weight[i])}
            row |= {k: float(s.income[i]) for k, s in state.items()}
            row |= {"works_" + k: float(s.employed[i]) for k, s in state.items()}
            row["happened"] = row["won"] if given.offer[i] else row["lost"]
            row["block"], row["offer"] = int(given.block[i]), bool(given.offer[i])
            row["d1"] = float(receipt.if_offered[i] <= months[t])
            row["d0"] = float(receipt.if_not[i] <= months[t])
            row["receipt"] = int(receipt.month[i])
            row["woman"] = int(found.persons.female[i])
            rows.append(row)
    return rows


def value(truth, **labels):
    """Return the one effect with these labels, the others being empty."""
    frame = truth.frame
    on = frame["kind"] == "effect"
    for column in ("outcome", "estimand", "population", "cohort", "wave", "event_time", "subgroup"):
        wanted = labels.get(column)
        on &= frame[column].isna() if wanted is None else frame[column] == wanted
    if "weighting" in labels:
        on &= frame["weighting"] == labels["weighting"]
    found = frame.loc[on, "truth"]
    assert len(found) == 1, f"{len(found)} truths for {labels}"
    return float(found.iloc[0])


def mean(rows, number):
    """Return a weighted mean over rows, added up one by one."""
    total = weight = 0.0
    for row in rows:
        total += row["w"] * number(row)
        weight += row["w"]
    return total / weight


EVERYONE = {"population": "everyone in the lottery", "weighting": "people per block"}


def test_the_effect_of_the_offer_is_the_mean_over_everybody_of_winning_less_losing(world, people):
    last = [p for p in people if p["t"] == 3]
    itt = value(world.truth, outcome="income", estimand="ITT", wave="2020-11", **EVERYONE)
    assert itt == pytest.approx(mean(last, lambda p: p["won"] - p["lost"]), rel=1e-12)
    women = [p for p in last if p["woman"]]
    labels = {"estimand": "ITT", "wave": "2020-11", "subgroup": "female = 1", **EVERYONE}
    of_women = value(world.truth, outcome="employed", **labels)
    gap = mean(women, lambda p: p["works_won"] - p["works_lost"])
    assert of_women == pytest.approx(gap, rel=1e-12)


@pytest.mark.parametrize("weighting", ["treated people", "strata fixed effects"])
def test_blocks_are_weighed_by_winners_or_as_a_regression_with_fixed_effects_does(
    world, people, weighting
):
    blocks = defaultdict(list)
    for p in people:
        if p["t"] == 3:
            blocks[p["block"]].append(p)
    top = bottom = 0.0
    for rows in blocks.values():
        n, won = sum(p["w"] for p in rows), sum(p["w"] for p in rows if p["offer"])
        share = won if weighting == "treated people" else n * (won / n) * (1 - won / n)
        top += share * mean(rows, lambda p: p["won"] - p["lost"])
        bottom += share
    population = "winners" if weighting == "treated people" else EVERYONE["population"]
    labels = {"estimand": "ITT", "population": population, "weighting": weighting}
    found = value(world.truth, outcome="income", wave="2020-11", **labels)
    assert found == pytest.approx(top / bottom, rel=1e-12)


def test_late_is_the_ratio_of_two_effects_of_the_offer_and_the_first_stage_is_that_on_receipt(
    world, people
):
    for wave, t in (("2020-09", 2), ("2020-11", 3)):
        rows = [p for p in people if p["t"] == t]
        first = mean(rows, lambda p: p["d1"] - p["d0"])
        itt = mean(rows, lambda p: p["won"] - p["lost"])
        truth = world.truth
        everyone = {"wave": wave, **EVERYONE}
        assert value(
            truth, outcome="received", estimand="first stage", **everyone
        ) == pytest.approx(first, rel=1e-12)
        assert value(truth, outcome="received", estimand="ITT", **everyone) == pytest.approx(
            first, rel=1e-12
        )
        compliers = {"population": "compliers", "weighting": "people per block", "wave": wave}
        late = value(truth, outcome="income", estimand="LATE", **compliers)
        assert late == pytest.approx(itt / first, rel=1e-12)


def test_the_pooled_effect_counts_person_waves_alike(world, people):
    found = value(world.truth, outcome="income", estimand="ITT", wave="pooled", **EVERYONE)
    assert found == pytest.approx(mean(people, lambda p: p["won"] - p["lost"]), rel=1e-12)


def on_treated(people, cohort=None, wave=None, since=None):
    """Return the mean effect on those who have received, person-wave by person-wave."""
    months, rows = (1, 6, 8, 10), []  # of the scenario's waves, from January 2020
    for p in people:
        start = sum(m < p["receipt"] for m in months)  # waves that end before receipt
        if p["receipt"] > p["month"] or start == 0:
            continue
        if cohort not in (None, start) or wave not in (None, p["t"]):
            continue
        if since not in (None, p["t"] - start):
            continue
        rows.append(p)
    return mean(rows, lambda p: p["happened"] - p["never"])


def test_effects_on_the_treated_are_means_over_those_who_have_received(world, people):
    treated = {"outcome": "income", "estimand": "ATT", "weighting": "treated people"}
    everyone = treated | {"population": "treated people"}
    truth = world.truth
    names = {2: "2020-09", 3: "2020-11"}
    cells = [(2, 2), (2, 3), (3, 3)]
    for g, t in cells:
        labels = {"cohort": names[g], "wave": names[t], "event_time": float(t - g)}
        cell = value(truth, population=f"cohort {names[g]}", **treated, **labels)
        assert cell == pytest.approx(on_treated(people, g, t), rel=1e-12)
    assert value(truth, **everyone) == pytest.approx(on_treated(people), rel=1e-12)
    last = value(truth, wave="2020-11", **everyone)
    assert last == pytest.approx(on_treated(people, wave=3), rel=1e-12)
    start = value(truth, event_time=0.0, **everyone)
    assert start == pytest.approx(on_treated(people, since=0), rel=1e-12)
    cohort = value(truth, population="cohort 2020-09", cohort="2020-09", **treated)
    two = (on_treated(people, 2, 2) + on_treated(people, 2, 3)) / 2
    assert cohort == pytest.approx(two, rel=1e-12)


def test_effects_by_months_since_receipt_are_means_over_person_waves(world, people):
    since = sorted({p["month"] - p["receipt"] for p in people if p["receipt"] <= p["month"]})
    assert len(since) >= 3
    for months in since:
        rows = [p for p in people if p["month"] - p["receipt"] == months]
        labels = {"estimand": "TOT", "population": "treated people", "event_time": float(months)}
        found = value(world.truth, outcome="income", **labels)
        assert found == pytest.approx(mean(rows, lambda p: p["happened"] - p["never"]), rel=1e-12)


def test_the_effect_on_some_people_is_their_mean_each_counting_once(world, people):
    some = [p for p in people if p["t"] == 3 and p["receipt"] <= p["month"]][::3]
    ids = [f"SYN-{p['i'] + 1:08d}" for p in some]
    by_hand = sum(p["happened"] - p["never"] for p in some) / len(some)
    assert world.truth.att(ids, "income", "2020-11") == pytest.approx(by_hand, rel=1e-12)


def test_an_offer_changes_gross_income_by_what_it_changes_income_and_cash(world):
    frame = world.truth.frame
    effects = frame[(frame["kind"] == "effect") & frame["estimand"].isin(["ITT", "ATT", "TOT"])]
    keys = ["estimand", "population", "cohort", "wave", "event_time", "subgroup", "weighting"]
    wide = effects.assign(**{k: effects[k].map(str) for k in keys}).pivot(
        index=keys, columns="outcome", values="truth"
    )
    cash = wide["income_gross"] - wide["income"]
    assert (wide["programme_cash"] > 0).any()
    # sums of numbers up to 1e7 lose 1e-9 of them to rounding
    np.testing.assert_allclose(cash, wide["programme_cash"], atol=1e-2)


def test_with_effects_off_every_effect_on_work_and_pay_is_zero_exactly():
    world = pe.simulate(scenario().without("effects"), n_applicants=300, seed=2)
    frame = world.truth.frame
    money = ["income_gross", "programme_cash", "received"]
    effects = frame[(frame["kind"] == "effect") & ~frame["outcome"].isin(money)]
    assert len(effects) > 1_000
    assert (effects["truth"] == 0).all()
    assert (effects["mc_se"] == 0).all()


def test_where_nobody_else_gets_in_late_is_the_mean_effect_on_those_who_would_receive(people):
    lone = scenario(take_up={"always": 0.0, "reachable": 0.5, "other": 0.5, "revoked_2020": 0.0})
    lone = replace(lone, lottery=replace(lone.lottery, reapply=0.0))
    world = pe.simulate(lone, n_applicants=300, seed=4)
    found = lives(world.process, world.assignment, Draws(4, 0, 300))
    month = lone.survey.months[-1]
    options = (lone.outcomes, lone.effects, found.latents[-1])
    yes = realise(*options, found.receipt.if_offered, found.before).income
    no = realise(*options, np.full(300, NOT_YET), found.before).income
    takers = (found.receipt.if_offered <= month) & (world.assignment.block >= 0)
    labels = {"population": "compliers", "weighting": "people per block", "wave": "2020-11"}
    late = value(world.truth, outcome="income", estimand="LATE", **labels)
    weight = found.persons.weight[takers]
    assert late == pytest.approx(np.average((yes - no)[takers], weights=weight), rel=1e-12)


def test_without_a_lottery_there_is_no_effect_of_an_offer():
    world = pe.simulate("selection_on_observables", n_applicants=300, seed=1)
    estimands = set(world.truth.frame["estimand"])
    assert "ATT" in estimands
    assert not estimands & {"ITT", "LATE", "first stage"}


def test_no_two_truths_answer_the_same_question(world):
    frame = world.truth.frame
    keys = ["estimator", "estimand", "population", "outcome", "cohort", "wave", "event_time"]
    assert not frame.duplicated([*keys, "subgroup", "weighting", "kind"]).any()
    assert frame["truth"].notna().all()


def test_a_world_shows_its_main_effects_in_a_few_lines(world):
    assert len(repr(world.truth).splitlines()) < 25
    assert "ATT" in world.truth._repr_html_()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda t: t.att(["SYN-00000001"], "wage", "2020-11"), "no outcome 'wage'"),
        (lambda t: t.att(["SYN-00000001"], "income", "2031-08"), "no wave '2031-08'"),
        (lambda t: t.att([], "income", "2020-11"), "one person or more"),
        (lambda t: t.att(["SYN-00000901"], "income", "2020-11"), "SYN-00000901"),
        (lambda t: t.att(["Siti"], "income", "2020-11"), "Siti"),
        (lambda t: t.of("income"), "takes an Estimate"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(world, call, said):
    with pytest.raises(UsageError, match=said):
        call(world.truth)
