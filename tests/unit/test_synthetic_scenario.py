"""Is a scenario read, written, changed, and refused with its key and the allowed range?"""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic import scenario
from prakerja_eval.synthetic.batches import Batches, Entry
from prakerja_eval.synthetic.calendar import month_label, month_number
from prakerja_eval.synthetic.layers import LAYERS
from prakerja_eval.synthetic.limits import above, between, inside, one_of, whole
from prakerja_eval.synthetic.people import People
from prakerja_eval.synthetic.scenario_text import value_text

SMALL = """
title = "Mine"

[lottery]
batches = [{ number = 6, first = 1.0, odds = 0.4 }]
"""
FOREIGN = ("Traceback", "pydantic", "Input should", "dict", "int_", "float_", "NoneType", "<class")


def read(text: str, folder: Path) -> pe.Scenario:
    """Return the scenario that a file with this text holds."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return pe.Scenario.read(path)


def refused(text: str, folder: Path) -> str:
    """Return the message with which a file with this text is refused."""
    with pytest.raises(UsageError) as caught:
        read(text, folder)
    message = str(caught.value)
    assert not [word for word in FOREIGN if word in message]
    return message


# read and written


@pytest.mark.parametrize("account", ["", *pe.Scenario.accounts()])
@pytest.mark.parametrize("name", pe.Scenario.names())
def test_a_shipped_scenario_reads_back_equal_from_its_own_text(name, account, tmp_path):
    if account and not pe.Scenario.named(name).account:
        with pytest.raises(UsageError, match="follows no account"):
            pe.Scenario.named(name, account=account)
        return
    found = pe.Scenario.named(name, account=account or None)
    assert not account or found.account == account
    path = tmp_path / f"{name}.toml"
    path.write_text(found.to_toml(), encoding="utf-8")
    assert pe.Scenario.read(path) == found


@pytest.mark.parametrize("name", pe.Scenario.names())
def test_a_copy_of_a_shipped_file_reads_as_the_shipped_scenario(name, tmp_path):
    text = Path(scenario.__file__).parent.joinpath("scenarios", f"{name}.toml")
    copy = tmp_path / f"{name}.toml"
    copy.write_bytes(text.read_bytes())
    assert pe.Scenario.read(copy) == pe.Scenario.named(name)


def test_what_the_scenario_says_stands_above_what_its_account_says(tmp_path):
    head = 'title = "x"\naccount = "non_receipt"\n'
    plain, mine = read(head, tmp_path), read(f"{head}[take_up]\nother = 0.77\n", tmp_path)
    assert plain.take_up.other != 0.77
    assert mine.take_up.other == 0.77
    assert mine.effects == plain.effects


@given(st.text(max_size=30))
@example('"quoted" \\ and\nlines\tand \x7f \x00 \U0001f600')
@settings(max_examples=40, deadline=None)
def test_any_text_reads_back_from_toml(text):
    import tomllib

    assert tomllib.loads(f"x = {value_text(text)}")["x"] == text


def test_whole_numbers_are_taken_for_numbers_and_lists_for_tuples(tmp_path):
    found = read(f"{SMALL}\n[people]\nfemale = 0\nprovinces = ['Bali', 'Aceh']\n", tmp_path)
    assert found.people.female == 0.0
    assert isinstance(found.people.female, float)
    assert found.people.provinces == ("Bali", "Aceh")


def test_empty_tables_are_the_defaults(tmp_path):
    assert read(f"{SMALL}\n[people]\n[survey]\n", tmp_path) == read(SMALL, tmp_path)


# changed


def test_but_changes_what_is_named_and_nothing_else():
    before = pe.Scenario.named("null")
    after = before.but(effects={"work": 0.3}, people={"female": np.float64(0.5)})
    assert (after.effects.work, after.people.female) == (0.3, 0.5)
    assert after.but(effects={"work": 0.0}, people={"female": before.people.female}) == before


def test_without_takes_layers_one_after_the_other():
    both = pe.Scenario.named("phone_sample").without("heaping", "misreport")
    one = pe.Scenario.named("phone_sample").without("heaping").without("misreport")
    assert both == one
    assert both.survey.heaping == both.survey.denied == 0.0


@pytest.mark.parametrize("name", pe.Scenario.names())
def test_every_layer_can_be_switched_off_in_every_scenario_and_twice(name):
    found = pe.Scenario.named(name)
    for layer in LAYERS:
        off = found.without(layer)
        assert off.without(layer) == off, layer


# refused at the door


def test_unknown_keys_are_refused_all_at_once_with_the_nearest(tmp_path):
    message = refused(
        SMALL.replace("odds", "ods")
        + "\ntitel = 3\n[people]\nfemal = 0.4\n[peopel]\n[survey]\nheapin = 1\n",
        tmp_path,
    )
    for line in (
        "- lottery.batches, entry 1.ods: unknown key. Did you mean 'odds'?",
        "- people.femal: unknown key. Did you mean 'female'?",
        "- peopel: unknown key. Did you mean 'people'?",
        "- survey.heapin: unknown key. Did you mean 'heaping'?",
    ):
        assert line in message.splitlines()


WRONG = {
    "people.female = -0.1": ("people.female = -0.1", "from 0 to 1"),
    "people.female = nan": ("people.female = nan", "from 0 to 1"),
    "people.female = inf": ("people.female = inf", "from 0 to 1"),
    "people.female = true": ("people.female = True", "give a number"),
    "people.female = 'half'": ("people.female = 'half'", "give a number"),
    "people.reachable = 0": ("people.reachable = 0.0", "above 0 and below 1"),
    "people.reachable = 1": ("people.reachable = 1.0", "above 0 and below 1"),
    "people.districts = 10.5": ("people.districts = 10.5", "a whole number"),
    "people.districts = 99999": ("people.districts = 99999", "from 1 to 4,000"),
    "people.provinces = 'Bali'": ("people.provinces = 'Bali'", "a list in brackets"),
    "people.provinces = ['Jawa Barrat']": ("people.provinces", "Did you mean 'Jawa Barat'?"),
    "people.provinces = [3]": ("people.provinces, entry 1 = 3", "text in quotes"),
    "people.ages = [1, 0, 0, 0, -0.0001]": ("people.ages = -0.0001", "from 0 to 1"),
    "people.ages = [0.5, 0.5]": ("people.ages has 2 shares", "give 5 shares"),
    "people.education = [0.5, 0.5, 0.5, 0, 0, 0]": ("sum to 1.5", "give 6 shares"),
    "people.frame = 'phone'": ("people.frame = 'phone'", "all, reachable"),
    "people = 3": ("people = 3", "a table of options"),
    "funnel.on = 1": ("funnel.on = 1", "true or false"),
    "funnel.e_mail = 0": ("funnel.e_mail = 0.0", "above 0, at most 1"),
    "lottery.kind = 'raffle'": ("lottery.kind", "person, district, self_selection"),
    "lottery.household_cap = -1": ("lottery.household_cap = -1", "from 0 to 20"),
    "lottery.household_cap = 1.5": ("lottery.household_cap = 1.5", "a whole number"),
    "lottery.reapply = 1": ("lottery.reapply = 1.0", "from 0 to 0.95"),
    "lottery.fewest_winners = 0": ("lottery.fewest_winners = 0.0", "from 1 to 1,000"),
    "lottery.batches = []": ("lottery.batches is empty", "at least one"),
    "lottery.batches = 3": ("lottery.batches = 3", "a list in brackets"),
    "lottery.batches = [3]": ("lottery.batches, entry 1 = 3", "a table of options"),
    "take_up.delay = 13": ("take_up.delay = 13", "from 0 to 12"),
    "take_up.delay = true": ("take_up.delay = True", "a whole number"),
    "take_up.incentive = -1": ("take_up.incentive = -1", "from 0 to 100,000,000"),
    "take_up.revoked_2020 = 1.2": ("take_up.revoked_2020 = 1.2", "from 0 to 1"),
    "effects.ramp = 0": ("effects.ramp = 0", "from 1 to 36"),
    "outcomes.path = [['2020-13', 1]]": ("outcomes.path = '2020-13'", '"01" to "12"'),
    "outcomes.path = [['2020-02', 1], ['2020-02', 2]]": ("outcomes.path", "from 1 to 600"),
    "outcomes.path = ['2020-02']": ("outcomes.path, entry 1 = '2020-02'", "a list"),
    "outcomes.path = [['2020-02']]": ("outcomes.path, entry 1", "[text in quotes, a number]"),
    "survey.waves = ['2021-05', '2020-05']": ("survey.waves", "months that rise"),
    "survey.waves = ['2021-5', '2021-06']": ("survey.waves = '2021-5'", 'write it "2021-05"'),
    "survey.baseline = '2020-08'": ("survey.baseline = '2020-08'", "2020-02, 2020-07"),
    "survey.mode = 'post'": ("survey.mode", "phone, in_person"),
    "account = 'non_recept'": ("no account 'non_recept'", "Did you mean 'non_receipt'?"),
    "account = 3": ("no account 3", "non_receipt"),
    "title = 3": ("title = 3", "text in quotes"),
    "name = 'x'": ("name: unknown key", ""),
    "people.districts = 99999999999999999999": ("people.districts", "a whole number"),
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(line, tmp_path):
    key, allowed = WRONG[line]
    head = "" if line.startswith("title") else 'title = "x"\n'
    message = refused(f"{head}{line}\n", tmp_path)
    assert key in message
    assert allowed in message


BATCH = {
    "number = 6, first = 1, odds = 0": ("number 6: odds = 0.0", "above 0 and below 1"),
    "number = 6, first = 1, odds = 1": ("number 6: odds = 1.0", "above 0 and below 1"),
    "number = 6, first = 1, odds = nan": ("number 6: odds = nan", "above 0 and below 1"),
    "number = 6, first = -1, odds = 0.5": ("number 6: first = -1.0", "from 0 to"),
    "number = 6, first = 1, quota = 0": ("number 6: quota = 0", "from 1 to 1,000,000,000"),
    "number = 6, first = 1, quota = 2.5": ("quota = 2.5", "a whole number"),
    "number = 6, first = 1": ("number 6", "give odds"),
    "number = 6, first = 1, odds = 0.5, quota = 3": ("number 6", "one of them alone"),
    "number = 0, first = 1, odds = 0.5, month = '2020-09'": ("number = 0", "from 1 to 999"),
    "number = true, first = 1, odds = 0.5": ("number = True", "a whole number"),
    "first = 1, odds = 0.5": ("lottery.batches, entry 1.number is missing", ""),
    "number = 90, first = 1, odds = 0.5": ("number 90", "no opening month"),
    "number = 6, first = 1, odds = 0.5, month = '2020-00'": ("month = '2020-00'", '"01" to "12"'),
    "number = 6, first = 0, odds = 0.5": ("nobody applies", "first above 0"),
    "number = 6, first = 1, recovery = 1, odds = 0.5": ("recovery = 1", "true or false"),
}


@pytest.mark.parametrize("entry", BATCH)
def test_a_wrong_batch_is_refused_with_its_number_and_what_is_allowed(entry, tmp_path):
    key, allowed = BATCH[entry]
    message = refused(f'title = "x"\nlottery.batches = [{{ {entry} }}]\n', tmp_path)
    assert key in message
    assert allowed in message


def test_batches_out_of_order_or_twice_are_refused(tmp_path):
    late, early = "{ number = 9, first = 1, odds = 0.2 }", "{ number = 4, first = 1, odds = 0.2 }"
    text = 'title = "x"\nlottery.batches = [{}, {}]\n'
    assert "2020-09, 2020-08" in refused(text.format(late, early), tmp_path)
    assert "twice" in refused(text.format(late, late), tmp_path)
    many = ", ".join(
        f'{{ number = {k}, first = 1, odds = 0.2, month = "2020-09" }}' for k in range(1, 34)
    )
    assert "1 to 32" in refused(f'title = "x"\nlottery.batches = [{many}]\n', tmp_path)


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    message = refused(
        "[people]\nfemale = 'x'\n[survey]\nmode = 'post'\n[take_up]\ncompletion = 2\n", tmp_path
    )
    for part in ("title is missing", "people.female", "survey.mode", "take_up.completion"):
        assert part in message


def test_files_that_are_none_are_refused(tmp_path):
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(UsageError, match="check the path"):
            pe.Scenario.read(path)
    assert "is not a TOML file" in refused("title = ", tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    with pytest.raises(UsageError, match="is not in UTF-8; save it again"):
        pe.Scenario.read(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pe.Scenario.named("phone_samples"), "Did you mean 'phone_sample'?"),
        (lambda: pe.Scenario.named(3), "there is no scenario 3"),  # type: ignore[arg-type]
        (lambda: pe.Scenario.named("phone_sample", account="x"), "no account 'x'"),
        (lambda: pe.Scenario.named("null").without("heapin"), "Did you mean 'heaping'?"),
        (lambda: pe.Scenario.named("null").but(effect={}), "Did you mean 'effects'?"),
        (lambda: pe.Scenario.named("null").but(effects={"works": 1}), "Did you mean 'work'?"),
        (lambda: pe.Scenario.named("null").but(effects={"work": "1"}), "give a number"),
        (lambda: pe.Scenario.named("null").but(effects={"work": True}), "give a number"),
        (lambda: pe.Scenario.named("null").but(effects={"work": None}), "give a number"),
        (lambda: pe.Scenario.named("null").but(effects=3), "a table"),  # type: ignore[arg-type]
        (lambda: pe.Scenario.named("null").but(title={}), "no such table"),
        (lambda: pe.simulate("nul"), "Did you mean 'null'?"),
        (lambda: People(female=True), "people.female = True"),
        (lambda: People(female="x"), "people.female = 'x'"),  # type: ignore[arg-type]
        (lambda: Entry(6, odds=None), "give odds"),
        (lambda: Batches.of(()), "lottery.batches is empty"),
    ],
)
def test_a_wrong_call_is_refused_in_words(call, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 10**400, [1]])
@pytest.mark.parametrize("limit", [between, inside, above, whole])
def test_no_limit_lets_through_what_is_no_number(limit, value):
    with pytest.raises(UsageError, match=r"key = .* is not allowed; give a .*number.* 5"):
        limit("key", value, 0, 5)


def test_limits_hold_at_their_ends():
    for limit, fine, wrong in (
        (between, (0, 5), (-1e-9, 5.1)),
        (inside, (0.1, 4.9), (0, 5)),
        (above, (0.1, 5), (0, 5.1)),
        (whole, (0, 5, np.int64(3)), (-1, 6, 2.5)),
    ):
        for value in fine:
            limit("key", value, 0, 5)
        for value in wrong:
            with pytest.raises(UsageError, match="key"):
                limit("key", value, 0, 5)
    one_of("key", 1, (0, 1))
    for value in (True, 1.0, "1"):
        with pytest.raises(UsageError, match="There are 0, 1"):
            one_of("key", value, (0, 1))


@given(st.integers(-2_000, 2_000))
def test_months_read_back_from_their_labels(number):
    assert month_number(month_label(number)) == number


@pytest.mark.parametrize("text", ["2020", "2020-1", "2020-001", "20-01", "2020/01", "²020-01", 3])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(UsageError, match="is no month"):
        month_number(text)


# files as people save them


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SMALL, encoding="utf-8-sig")
    assert pe.Scenario.read(path).title == "Mine"


def test_another_encoding_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(SMALL.replace("Mine", "Caf\u00e9").encode("latin-1"))
    with pytest.raises(UsageError, match="is not in UTF-8; save it again as UTF-8"):
        pe.Scenario.read(path)


def test_a_decimal_comma_is_named(tmp_path):
    message = refused(SMALL + "[people]\nfemale = 0,45\n", tmp_path)
    assert "Write decimals with a point: 0.45." in message
    assert "Write decimals" not in refused(SMALL + "[people]\nfemale = \n", tmp_path)


def test_a_study_file_is_told_from_a_scenario(tmp_path):
    text = 'title = "A"\n[roles]\nunit = "id"\n'
    assert "is a study file, not a scenario" in refused(text, tmp_path)


def test_a_file_name_makes_no_other_scenario(tmp_path):
    found = pe.Scenario.named("null")
    assert read(found.to_toml(), tmp_path) == found
    assert found != found.but(effects={"work": 0.31})


def test_an_account_is_named_once():
    chosen = pe.Scenario.named("phone_sample:selective_response")
    assert chosen == pe.Scenario.named("phone_sample", "selective_response")
    with pytest.raises(UsageError, match="names no account after the colon"):
        pe.Scenario.named("phone_sample:")
    with pytest.raises(UsageError, match="another"):
        pe.Scenario.named("phone_sample:selective_response", "non_receipt")


def test_numbers_out_of_range_are_named_beside_values_of_the_wrong_kind(tmp_path):
    message = refused(SMALL + '[people]\nfemale = 1.4\nurban = "x"\nsmartphone = -1\n', tmp_path)
    assert "people.female = 1.4 is not allowed" in message
    assert "people.urban = 'x': give a number" in message
    assert "people.smartphone = -1" in message
    assert message.count("\n- ") == 3


def test_a_province_named_twice_is_refused(tmp_path):
    text = SMALL + '[people]\nprovinces = ["Jawa Barat", "Jawa Timur", "Jawa Barat"]\n'
    assert "people.provinces names Jawa Barat twice" in refused(text, tmp_path)
