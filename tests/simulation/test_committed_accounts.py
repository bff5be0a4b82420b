"""Do both accounts give the three published answers, in the committed results and in this code?

The long run is ``python -m tests.simulation.accounts``. Here its results are read and judged again;
under `make witness` the first draws and the solved parameters are made again.
"""

import numpy as np
import pytest

import prakerja_eval as pe
from prakerja_eval.programme import Programme
from prakerja_eval.synthetic import Scenario, simulate

from .accounts import (
    ACCOUNTS,
    APPLICANTS,
    DRAWS,
    FIRST,
    FIRST_SEED,
    NULL,
    WAVE,
    drawn,
    expected,
    judged,
    pairs,
    read,
    scenario_of,
)
from .accounts_page import page
from .calibrate import PARAMETERS, residuals, values_of, with_values
from .moments import PEOPLE, SEED, Population, by_arm, effect, population

ACROSS_MACHINES = 1e-6
# Solved over twelve populations of 400,000, an account leaves in another such population effects
# that miss by its Monte Carlo error: over twelve of 100,000 its sd was .05 points at most for the
# four of work, .09 for the certificate and for pay, half of that with 400,000. Four sd are allowed.
LEFT = {"employed": 0.1, "self_employed": 0.1, "owns_business": 0.1, "new_job": 0.1}
LEFT |= {"certificate": 0.2, "income": 0.2, "response": 0.1}


@pytest.fixture(scope="module")
def committed(project_root):
    return read(project_root / "reports" / "validation" / "accounts.csv")


def values(committed, part, quantity, layer="whole"):
    chosen = (committed["part"] == part) & (committed["quantity"] == quantity)
    rows = committed[chosen & (committed["layer"] == layer)]
    return {(r["scenario"], r["account"]): r["value"] for r in rows.to_dict("records")}


def test_every_claim_is_kept(committed):
    drawn_rows = committed[committed["part"] == "draws"]
    again = [
        judged(r["scenario"], r["quantity"], r["value"])["verdict"]
        for r in drawn_rows.to_dict("records")
    ]
    assert again == drawn_rows["verdict"].tolist()
    assert "missed" not in again


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_three_published_answers_come_from_either_account(committed, account):
    """Issue 6: the numbers as it states them."""
    phone, nation = ("phone_sample", account), ("matched_national", account)
    work = values(committed, "draws", "employed")
    assert work[phone] == pytest.approx(4.7, abs=0.1)
    assert values(committed, "draws", "income")[phone] == pytest.approx(10, abs=0.5)
    assert abs(work[nation]) < 0.3
    assert abs(values(committed, "draws", "truth")[nation]) < 0.3
    assert values(committed, "draws", "denied")[nation] > 50
    assert values(committed, "draws", "before_after")[phone] == pytest.approx(16, abs=1)


def test_the_draws_agree_with_the_expected_values(committed):
    """Two ways to one number: simulated studies, and chances of answers without any draw."""
    for quantity in ("employed", "income", "before_after", "denied"):
        found = committed[(committed["part"] == "draws") & (committed["quantity"] == quantity)]
        exact = values(committed, "layers", quantity)
        for row in found.to_dict("records"):
            gap = row["value"] - exact[row["scenario"], row["account"]]
            # four Monte Carlo errors of the draws, and of the people behind the expected value
            assert abs(gap) < 4 * row["mc_se"] + 0.2, (row["scenario"], row["account"], quantity)


def test_each_account_rests_on_its_own_layer(committed):
    phone = {account: ("phone_sample", account) for account in ACCOUNTS}
    answering = values(committed, "layers", "employed", "selective_response")
    assert abs(answering[phone["selective_response"]]) < 0.05
    assert answering[phone["non_receipt"]] > 4.5
    answering = values(committed, "layers", "employed", "effects")
    assert answering[phone["selective_response"]] > 4.5
    assert abs(answering[phone["non_receipt"]]) < 0.05


def test_most_of_the_rise_before_and_after_is_the_labour_market(committed):
    whole, flat = (values(committed, "layers", "before_after", w) for w in ("whole", "recovery"))
    for account in ACCOUNTS:
        assert whole["phone_sample", account] - flat["phone_sample", account] > 10


def test_records_of_those_who_do_not_answer_would_tell_the_accounts_apart(committed):
    phone = {account: ("phone_sample", account) for account in ACCOUNTS}
    everyone = values(committed, "apart", "work, all")
    assert abs(everyone[phone["selective_response"]]) < 0.05
    assert everyone[phone["non_receipt"]] > 4.5
    # but as many winners as losers answer under both: the rate of response says nothing
    gaps = values(committed, "apart", "response")
    assert all(abs(gaps[key]) < 0.1 for key in phone.values())


def test_who_answers_late_would_tell_the_accounts_apart(committed):
    first, last = (values(committed, "apart", f"work, answering to call {k}") for k in (1, 6))
    selective, real = ("phone_sample", ACCOUNTS[0]), ("phone_sample", ACCOUNTS[1])
    assert first[selective] - last[selective] > 5
    assert first[real] == pytest.approx(last[real], abs=0.05)


def test_the_page_and_its_arithmetic_are_those_of_the_committed_table(committed, project_root):
    text = (project_root / "reports" / "validation" / "accounts.md").read_text(encoding="utf-8")
    assert text == page(committed)
    published = Programme.named("prakerja").figure("evaluations.jpal_2021.employed").number
    assert f"{100 * NULL / published:.1f} % of those selected" in text
    assert f"{DRAWS} a scenario and account" in text


def test_parameters_are_put_where_they_are_read():
    for account, pairs_ in PARAMETERS.items():
        scenario = scenario_of("phone_sample", account)
        moved = values_of(scenario) + 0.01
        np.testing.assert_allclose(values_of(with_values(scenario, moved)), moved)
        assert len(pairs_) == len(moved)


def test_expected_values_are_those_of_all_ways_to_answer():
    """Brute force, on 300 people: each answers or not, and the weighted means of both arms."""
    scenario = scenario_of("phone_sample", "selective_response")
    found = population(scenario, 300, 7)
    means = by_arm(found, scenario)
    shown = {arm: _often(found, scenario, arm) for arm in (1, 0)}
    gap = shown[1] - shown[0]
    # 4,000 answers of each person: the mean of 300 people's work has an error of about .0005
    assert effect(means, "employed") == pytest.approx(gap, abs=0.003)


def _often(found: Population, scenario: Scenario, arm: int, times: int = 4_000) -> float:
    """Return the share with work among those who answer, over many answers of each person."""
    from prakerja_eval.synthetic.process import state_at
    from prakerja_eval.synthetic.survey import response_chance
    from prakerja_eval.synthetic.take_up import NOT_YET

    part = found.parts[0]
    given, months = part.assignment, np.array([*found.process.batches.months, NOT_YET])
    won = months[given.first if arm else given.later]
    receipt = part.receipt.if_offered if arm else part.receipt.if_not
    state = state_at(found.process, part, 3, receipt)
    by_now = won <= scenario.survey.months[3]
    chance = response_chance(scenario.survey, part.persons, WAVE, by_now, state)
    answers = np.random.default_rng(arm).random((times, len(chance))) < chance
    answers &= given.block >= 0
    return float((answers * state.employed).sum() / answers.sum())


@pytest.mark.witness
@pytest.mark.parametrize(("name", "account"), pairs())
def test_the_first_draws_made_again_are_the_committed_ones(committed, name, account):
    made = [drawn(name, account, FIRST_SEED + i) for i in range(FIRST)]
    chosen = (committed["part"] == "draws") & (committed["scenario"] == name)
    rows = committed[chosen & (committed["account"] == account)]
    assert set(rows["quantity"]) == set(made[0])
    again = [np.mean([one[quantity] for one in made]) for quantity in rows["quantity"]]
    np.testing.assert_allclose(rows["first"], again, rtol=ACROSS_MACHINES, atol=1e-9)


@pytest.mark.witness
@pytest.mark.parametrize("name", list(APPLICANTS))
def test_the_columns_by_number_give_what_the_panel_gives(name):
    world = simulate(scenario_of(name, "non_receipt"), 20_000, 3)
    from .accounts import estimates, studied

    public = pe.lottery.itt(world.panel, "employed", waves=[WAVE])
    quick = estimates(studied(world), world, ["employed", "income"])
    assert quick["employed"] == pytest.approx(100 * float(public.theta[0]), rel=1e-9)


@pytest.mark.witness
@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_committed_parameters_solve_the_published_effects(account):
    scenario = scenario_of("phone_sample", account)
    left = 100 * residuals(population(scenario), scenario)
    allowed = np.array(list(LEFT.values()))[: len(left)]
    assert (np.abs(left) < allowed).all(), left


@pytest.mark.witness
@pytest.mark.parametrize(("name", "account"), pairs())
def test_expected_values_made_again_are_the_committed_ones(committed, name, account):
    scenario = scenario_of(name, account)
    again = expected(population(scenario, PEOPLE, SEED), scenario)
    for quantity, value in again.items():
        found = values(committed, "layers", quantity)[name, account]
        assert found == pytest.approx(value, rel=ACROSS_MACHINES, abs=1e-9)
