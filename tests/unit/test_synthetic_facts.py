"""Are the options' defaults the programme's published figures, where there is one?"""

import math
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

from prakerja_eval.programme import Programme
from prakerja_eval.synthetic import layers, outcomes, take_up
from prakerja_eval.synthetic.batches import PROGRAMME, Batches
from prakerja_eval.synthetic.funnel import Funnel, shares, stages
from prakerja_eval.synthetic.lottery import Lottery
from prakerja_eval.synthetic.people import AGE_BANDS, EDUCATION, SENIOR, People
from prakerja_eval.synthetic.places import places
from prakerja_eval.synthetic.scenario import Scenario
from prakerja_eval.synthetic.take_up import TakeUp

FACTS = Programme.named("prakerja")
PEOPLE, FUNNEL, LOTTERY, TAKE_UP = People(), Funnel(), Lottery(), TakeUp()


def fact(key: str) -> float:
    """Return a published figure."""
    value = FACTS.figure(key).value
    assert isinstance(value, int | float)
    return float(value)


@pytest.mark.parametrize(
    ("default", "key"),
    [
        (100 * PEOPLE.female, "composition.female_admin_2020"),
        (100 * PEOPLE.urban, "composition.urban_sakernas_aug_2020"),
        (100 * PEOPLE.disability, "composition.disability_2020"),
        (100 * sum(PEOPLE.education[SENIOR:]), "composition.sma_or_higher_sakernas_aug_2020"),
        (100 * sum(PEOPLE.ages[:2]), "composition.age_18_35_oct_2020"),
        (100 * PEOPLE.ages[-1], "composition.age_over_55_oct_2020"),
        (PEOPLE.districts, "totals.districts_2020"),
        (AGE_BANDS[0][0], "eligibility.min_age"),
        (AGE_BANDS[-1][1], "eligibility.normal.max_age"),
        (100 * FUNNEL.e_mail, "funnel.email_verified_share"),
        (100 * FUNNEL.identity, "funnel.nik_verified_share"),
        (100 * FUNNEL.eligible, "funnel.eligible_share"),
        (LOTTERY.household_cap, "eligibility.max_winners_household"),
        (100 * layers.RECOVERY_ODDS, "funnel.win_probability.batch_11"),
        (100 * TAKE_UP.completion, "take_up.completed_2021"),
        (100 * TAKE_UP.paid, "take_up.incentive_received_2021"),
        (100 * TAKE_UP.e_wallet, "payment.ewallet_share_oct_2020"),
        (TAKE_UP.institutions, "totals.training_institutions_feb_2022"),
        (TAKE_UP.incentive, "benefits.semi_bansos.incentive"),
        (TAKE_UP.incentives, "benefits.semi_bansos.incentives"),
        (TAKE_UP.survey_incentive, "benefits.semi_bansos.survey_incentive"),
        (TAKE_UP.survey_incentives, "benefits.semi_bansos.surveys"),
    ],
)
def test_a_default_is_the_published_figure(default, key):
    assert default == pytest.approx(fact(key), abs=1e-9)


def test_shares_revoked_follow_from_the_published_counts():
    rate = fact("take_up.revoked_2020") / fact("totals.decree_2020")
    assert TAKE_UP.revoked_2020 == pytest.approx(rate, abs=5e-5)  # four decimals
    assert 100 * TAKE_UP.revoked_later == pytest.approx(fact("take_up.revoked_rate_2021"))
    assert TAKE_UP.revoked(11) == TAKE_UP.revoked_2020  # December 2020
    assert TAKE_UP.revoked(12) == TAKE_UP.revoked_later


def test_the_funnel_of_batch_1_leads_back_to_its_registrants():
    eligible = int(fact("funnel.eligible"))
    counts = stages(FUNNEL, eligible, 1)
    for stage, key in (
        ("registered", "registered"),
        ("e_mail_verified", "email_verified"),
        ("identity_verified", "nik_verified"),
    ):
        # the shares are rounded to a thousandth, three of them multiply
        assert counts[stage] == pytest.approx(fact(f"funnel.{key}"), rel=2e-3)
    assert shares(counts)["eligible"] == pytest.approx(0.631, abs=1e-3)


def test_the_odds_of_batches_are_the_published_ones_where_there_are_any():
    odds = {e.number: e.odds for e in PROGRAMME}
    for number, key in ((5, "batches_5_6"), (6, "batches_5_6"), (9, "batch_9")):
        assert 100 * (odds[number] or 0) == pytest.approx(fact(f"funnel.win_probability.{key}"))
    recovery = {b.number for b in FACTS.batches if b.recovery}
    assert {e.number for e in PROGRAMME if e.recovery} == recovery & set(odds)


def test_batches_open_in_the_months_in_which_the_programme_opened_them():
    opened = {b.number: b.opened for b in FACTS.batches}
    for entry, month in zip(PROGRAMME, Batches.of(PROGRAMME).months, strict=True):
        figure = opened[entry.number]
        assert figure is not None
        first = figure.earliest
        assert (first.year, first.month) == (2020 + month // 12, month % 12 + 1)


def test_e_wallets_gain_dana_in_the_month_it_was_added():
    added = FACTS.figure("payment.dana_added").earliest
    assert (added.year - 2020) * 12 + added.month - 1 == take_up.DANA_FROM
    names = str(FACTS.figure("payment.channels_april_2020").value).split(", ")
    assert set(take_up.CHANNELS) == {*names, "DANA"}


def test_pay_by_schooling_is_that_of_august_2021():
    level = [fact(f"labour_market.wage_by_education.aug_2021.{name.lower()}") for name in EDUCATION]
    expected = [math.log(x / level[EDUCATION.index("SMA")]) for x in level]
    np.testing.assert_allclose(outcomes.PAY_BY_EDUCATION, expected, atol=1e-12)


def test_people_live_where_recipients_live():
    where = places((), 514, 0.0)
    listed = {p.name: p.recipients for p in FACTS.provinces}
    known = {n: float(f.value) for n, f in listed.items() if f is not None}  # type: ignore[arg-type]
    assert set(where.names) - set(known) == {"Bengkulu"}  # its figure is not printed
    share = dict(zip(where.names, where.share, strict=True))
    for name, value in known.items():
        assert share[name] / share["Jawa Barat"] == pytest.approx(value / known["Jawa Barat"])
    rest = sum(float(p.population.value) for p in FACTS.provinces if p.name in known)  # type: ignore
    bengkulu = next(p for p in FACTS.provinces if p.name == "Bengkulu")
    per_head = float(bengkulu.population.value) / rest  # type: ignore[union-attr,arg-type]
    assert share["Bengkulu"] / (1 - share["Bengkulu"]) == pytest.approx(per_head)
    assert where.weight == pytest.approx(np.ones(34))


def test_oversampling_is_undone_by_the_weights():
    plain, over = places((), 514, 0.0), places((), 514, 0.7)
    np.testing.assert_allclose(over.share * over.weight, plain.share)
    assert over.share @ over.weight == pytest.approx(1.0)
    np.testing.assert_allclose(over.share / over.share[0], (plain.share / plain.share[0]) ** 0.3)


def test_the_method_page_names_every_option_and_layer():
    page = (Path(__file__).parents[2] / "docs/methods/synthetic.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`(?:\w+\.)?(\w+)`", page))
    scenario = Scenario.named("null")
    tables = [getattr(scenario, f.name) for f in fields(scenario)]
    options = {f.name for table in tables if is_dataclass(table) for f in fields(table)}
    options |= {f.name for f in fields(PROGRAMME[0])}
    assert options - words == set()
    assert set(layers.LAYERS) - words == set()
