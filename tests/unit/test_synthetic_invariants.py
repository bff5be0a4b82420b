"""What stays the same when people, waves, parts or layers are added or switched off?"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import prakerja_eval as pe
from prakerja_eval.synthetic import columns, draws, funnel
from prakerja_eval.synthetic.draws import CHUNK, Draws
from prakerja_eval.synthetic.layers import LAYERS
from prakerja_eval.synthetic.lottery import NEVER
from prakerja_eval.synthetic.outcomes import never
from prakerja_eval.synthetic.process import begin, lives, observe, persons_of, state_at
from prakerja_eval.synthetic.survey import told_income, told_receipt
from prakerja_eval.synthetic.take_up import NOT_YET, cash

N, SEED = 1_100, 11
WAVES = ("2020-02", "2020-07", "2021-02", "2021-09")


def everything_on() -> pe.Scenario:
    """Return a scenario in which every layer does something."""
    return pe.Scenario.named("phone_sample").but(
        people={"frame": "all", "reachable": 0.5, "oversampling": 0.5, "same_household": 0.5},
        take_up={"other": 0.4, "ability": 0.5, "always": 0.05, "delay": 2},
        effects={"work": 0.8, "pay": 0.3, "other": 0.0, "lock_in": -0.3, "certificate": 0.3},
        outcomes={"dip": 0.6},
        lottery={"fewest_winners": 3},
        survey={
            "waves": WAVES,
            "baseline": "2020-07",
            "response": 0.7,
            "missed": 0.05,
            "winners_employed": 1.0,
            "winners_pay": 0.5,
            "item": 0.1,
            "denied": 0.3,
            "claimed": 0.3,
        },
    )


@cache
def world(n: int = N, seed: int = SEED) -> pe.World:
    """Return a world of that scenario."""
    return pe.simulate(everything_on(), n, seed)


# one seed, one world


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_people():
    one, two = (pe.simulate(everything_on(), N, SEED) for _ in range(2))
    assert one.panel.frame.equals(two.panel.frame)
    assert one.applications.equals(two.applications)
    other = pe.simulate(everything_on(), N, SEED + 1).panel.frame
    assert not other["age"].head(100).equals(one.panel.frame["age"].head(100))


def test_parts_made_in_any_order_on_any_number_of_threads_are_the_same(monkeypatch):
    """Chunks of 256 people, so that a small world has several."""
    monkeypatch.setattr(draws, "CHUNK", 256)
    monkeypatch.setattr("prakerja_eval.synthetic.people.CHUNK", 256)
    made = pe.simulate(everything_on(), N, SEED)
    parts = list(Draws(SEED, 0, N).parts())
    assert len(parts) == 5

    def table(part: Draws):
        return columns.table(observe(made.process, made.assignment, part), made.process, SEED)

    whole = persons_of(made.process, Draws(SEED, 0, N)).household
    alone = [persons_of(made.process, part).household for part in parts]
    same(np.concatenate(alone), whole, "household")  # none reaches across chunks
    in_order = [table(part) for part in parts]
    backwards = [table(part) for part in reversed(parts)][::-1]
    with ThreadPoolExecutor(4) as pool:
        in_threads = list(pool.map(table, parts))
    for one, two, three in zip(in_order, backwards, in_threads, strict=True):
        assert one.equals(two)
        assert one.equals(three)


def test_no_two_variables_share_their_random_numbers(monkeypatch):
    """Streams are told apart by a checksum of the variable's name: no two may have the same."""
    names: set[str] = set()
    made = draws.stream

    def noted(seed: int, name: str, place: int = 0):
        names.add(name)
        return made(seed, name, place)

    monkeypatch.setattr(draws, "stream", noted)
    for name in (everything_on(), "matched_national", "few_clusters", "selection_on_observables"):
        small = pe.simulate(name, 1_200, 1)
        assert len(small.panel.units) > 0
    assert len(names) > 60
    assert len({draws.crc32(name.encode()) for name in names}) == len(names)


# more people


def test_more_applicants_leave_the_earlier_ones_as_they_were():
    """Traits, potential outcomes, lottery numbers and second tries; who wins may change."""
    few, many = world(), world(2 * N)
    one, two = (lives(w.process, w.assignment, Draws(SEED, 0, w.n_applicants)) for w in (few, many))
    for name in one.persons.__dataclass_fields__:
        if name != "start":
            same(getattr(one.persons, name), getattr(two.persons, name)[:N], name)
    for t in range(len(WAVES)):
        nobody, half = never(N), np.where(np.arange(N) % 2, 8, NOT_YET)
        for receipt in (nobody, half):
            twice = np.concatenate([receipt, receipt])
            left = state_at(few.process, one, t, receipt)
            right = state_at(many.process, two, t, twice)
            for name in left._fields:
                same(getattr(left, name), getattr(right, name)[:N], name)
    numbers = [w.applications.set_index(["person_id", "batch"])["number"] for w in (few, many)]
    both = numbers[0].index.intersection(numbers[1].index)
    assert len(both) > N  # first applications and second tries
    same(numbers[0][both], numbers[1][both], "number")
    assert (few.assignment.win != many.assignment.win[:N]).any()


def test_more_applicants_leave_the_earlier_ones_as_they_were_across_chunks():
    process = begin(everything_on())
    one, two = (persons_of(process, Draws(SEED, 0, n)) for n in (CHUNK, CHUNK + 300))
    alone = persons_of(process, Draws(SEED, CHUNK, CHUNK + 300))
    for name in one.__dataclass_fields__:
        if name != "start":
            same(getattr(one, name), getattr(two, name)[:CHUNK], name)
            same(getattr(alone, name), getattr(two, name)[CHUNK:], name)
    number = [Draws(SEED, 0, n).uniform("lottery.number.6") for n in (CHUNK, CHUNK + 300)]
    same(number[0], number[1][:CHUNK], "number")
    assert len(np.unique(number[1])) == CHUNK + 300  # no chunk repeats another


def test_another_wave_changes_nobodys_lottery_and_nothing_in_the_other_waves():
    more = everything_on().but(survey={"waves": ("2019-10", *WAVES[:3], "2021-05", WAVES[3])})
    one, two = world().panel.frame, pe.simulate(more, N, SEED).panel.frame
    two = two[two["wave"].isin(WAVES)].reset_index(drop=True)
    for column in one.columns:
        if column not in ("cohort", "new_job"):  # both tell of the waves there are
            same(one[column], two[column], column)


# incomes, ids, dates


def test_incomes_are_whole_rupiah_and_never_negative():
    made = world()
    found = observe(made.process, made.assignment, Draws(SEED, 0, N))
    for state in found.states:
        assert state.income.dtype == np.int64
        assert (state.income >= 0).all()
        same(state.income > 0, state.employed, "who works is paid")
    told = made.panel.frame[["income", "income_gross", "programme_cash"]].to_numpy(np.float64)
    told = told[np.isfinite(told)]
    assert len(told) > N
    assert (told >= 0).all()
    same(told, np.rint(told), "told")


def test_ids_say_that_they_are_synthetic():
    frame = world().panel.frame
    for column, pattern in (
        ("person_id", r"SYN-\d{8}"),
        ("household", r"SYN-H\d{8}"),
        ("district", r"SYN-D\d{4}"),
        ("psu", r"SYN-P\d{5}"),
    ):
        assert frame[column].str.fullmatch(pattern).all()


def test_nobody_wins_before_they_apply_or_receives_before_their_batch():
    made = world()
    given, opened = made.assignment, np.array(made.process.batches.months)
    won = given.win != NEVER
    assert won.sum() > 200
    assert (given.win[won] >= given.first[won]).all()
    assert ((given.applications[won] >> given.win[won].astype(np.uint32)) & 1).all()
    found = lives(made.process, given, Draws(SEED, 0, N)).receipt
    has = found.month != NOT_YET
    assert (found.month[has] >= opened[given.first[has]] + 2).all()  # the delay is 2 months
    always = Draws(SEED, 0, N).uniform("take_up.always") < 0.05  # who receive whatever the draw
    assert not (has & ~won & ~always).any()
    same(found.month[has & ~always], opened[given.win[has & ~always]] + 2, "month")
    assert ((given.win > given.first) & has & ~always).sum() > 20  # losers who won later
    frame = made.panel.frame
    early = frame["wave"] < "2020-10"  # the first batch opened in August
    assert not frame.loc[early, ["received", "won", "on_record", "programme_cash"]].any(axis=None)


# layers


def same(one: object, two: object, what: str) -> None:
    """Claim that two columns are equal."""
    np.testing.assert_array_equal(np.asarray(one), np.asarray(two), err_msg=what)


@cache
def observables(layer: str) -> dict[str, np.ndarray]:
    """Return what a world without a layer ("" for none) holds, by name."""
    scenario = everything_on().without(layer) if layer else everything_on()
    made, draw = pe.simulate(scenario, N, SEED), Draws(SEED, 0, N)
    found = observe(made.process, made.assignment, draw)
    who, receipt, last = found.lives.persons, found.lives.receipt, len(WAVES) - 1
    nobody = never(N)
    plain = [state_at(made.process, found.lives, t, nobody) for t in range(len(WAVES))]
    early = np.full(N, 7)
    helped = state_at(made.process, found.lives, last, early)
    fixed = np.arange(N) % 2 == 0
    return {
        "traits": np.stack([who.female, who.age, who.disability, who.return_migrant, fixed]),
        "schooling and city": np.stack([who.education, who.smartphone]),
        "urban": who.urban,
        "place": who.province,
        "household": who.household,
        "list": who.priority,
        "weight": who.weight,
        "hidden": np.stack([who.ability, who.motivation, who.reachable]),
        "first batch": made.assignment.first,
        "who wins": made.assignment.win,
        "propensity": made.assignment.propensity,
        "receipt": receipt.month,
        "on record": receipt.on_record,
        "cash": cash(scenario.take_up, replace(receipt, month=early), 9),
        "work without": np.stack([s.employed for s in plain[:2]]),
        "work after": np.stack([s.employed for s in plain[2:]]),
        "effect": helped.income - plain[last].income,
        "answers": np.stack([c.responded for c in found.calls]),
        "rows": np.stack([c.present for c in found.calls]),
        "told": told_income(scenario.survey, np.full(N, 1_234_567), WAVES[last], draw),
        "says received": told_receipt(scenario.survey, WAVES[last], fixed, ~fixed, draw),
        "funnel": np.array(list(funnel.stages(scenario.funnel, N, SEED).values())),
    }


DRAW = {"who wins", "propensity", "receipt", "on record", "answers"}  # a lottery and what follows
WORK = {"work without", "work after", "effect"}
# layer: what must change without it, and what may since it follows from that
CHANGES: dict[str, tuple[set[str], set[str]]] = {
    "reachability": ({"schooling and city", "urban", "receipt", "effect"}, WORK | {"answers"}),
    "sampling": ({"place", "weight"}, DRAW | WORK),
    "households": ({"household", "place", "urban"}, DRAW | WORK | {"weight"}),
    "priority": ({"list", "who wins", "propensity"}, DRAW),
    "funnel": ({"funnel"}, set()),
    "household_cap": ({"who wins", "propensity"}, DRAW),
    "reapplication": ({"who wins", "propensity"}, DRAW),
    "revocation": ({"on record", "receipt", "who wins"}, DRAW),
    "non_receipt": ({"receipt"}, {"answers"}),
    "cash": ({"cash"}, set()),
    "effects": ({"effect"}, {"answers"}),
    "dip": ({"work after"}, {"effect", "answers"}),
    "selective_response": ({"answers"}, set()),
    "non_response": ({"answers", "rows"}, set()),
    "item_non_response": ({"told"}, set()),
    "heaping": ({"told"}, set()),
    "misreport": ({"says received"}, set()),
}


def test_every_layer_has_its_claim():
    assert set(CHANGES) == set(LAYERS)


@pytest.mark.parametrize("layer", CHANGES)
def test_a_layer_switched_off_changes_what_it_should_and_nothing_else(layer):
    must, may = CHANGES[layer]
    base, off = observables(""), observables(layer)
    changed = {key for key in base if not np.array_equal(base[key], off[key], equal_nan=True)}
    assert must <= changed
    assert changed <= must | may


def test_without_effects_receiving_changes_nothing_and_without_reachability_all_are_alike():
    assert (observables("effects")["effect"] == 0).all()
    assert (observables("")["effect"] != 0).any()
    hidden = observables("reachability")["hidden"][2].astype(bool)
    effect = observables("reachability")["effect"]
    assert (effect[~hidden] != 0).any()  # with it, only those who can be reached have an effect
    assert (observables("")["effect"][~observables("")["hidden"][2].astype(bool)] == 0).all()
