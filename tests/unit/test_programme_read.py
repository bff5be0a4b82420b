"""Is a programme from anyone's disk read whole, and a faulty one refused with every fault?"""

import pickle
from datetime import date
from pathlib import Path

import pytest

from prakerja_eval.errors import UsageError
from prakerja_eval.programme import Figure, Programme

GOOD = """
[programme]
name = "ours"
title = "Our programme"
country = "Nowhere"
currency = "$"

[origin.law]
unit = "$"
date = "2024"
source = "the law"
confidence = "F"

[costs]
transfer_per_recipient = { value = 100, origin = "law" }
training_per_recipient = { value = [50, 70], origin = "law", date = "2025", note = "about" }
evaluation = { confidence = "NF", note = "the cost of the evaluation" }

[batch.2]
opened = { value = 2024-02-01, source = "the law", confidence = "F" }
recovery = true

[batch.1]
opened = { value = "2024-01", source = "the law", confidence = "F" }
recipients = { value = 10, unit = "people", date = "2024", source = "the law", confidence = "F" }

[province.7]
name = "North"
population = { value = 1.5, unit = "million people", date = "2024", source = "x", confidence = "D" }
"""

PAGE = Path(__file__).parents[2] / "docs/methods/programme.md"


@pytest.fixture
def write(tmp_path):
    def _write(text, name="ours.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def refused(path):
    with pytest.raises(UsageError) as caught:
        Programme.read(path)
    return str(caught.value)


def test_a_programme_is_read_from_one_file(write):
    ours = Programme.read(write(GOOD))
    assert (ours.name, ours.title, ours.country, ours.currency) == (
        "ours",
        "Our programme",
        "Nowhere",
        "$",
    )
    assert ours.figure("costs.transfer_per_recipient") == Figure(
        100, "the law", "F", unit="$", date="2024"
    )
    assert dict(ours.not_found) == {"costs.evaluation": "the cost of the evaluation"}
    assert [(b.number, b.recovery) for b in ours.batches] == [(1, False), (2, True)]
    assert ours.batches[1].opened.earliest == date(2024, 2, 1)
    north = ours.provinces[0]
    assert (north.code, north.name, north.population.number) == (7, "North", 1.5)
    assert north.recipients is None


def test_the_example_of_the_method_page_is_read(write):
    example = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    ours = Programme.read(write(example))
    assert ours.cite("costs.transfer_per_recipient") == "$ 100 (2024; Law 12/2024; found)"
    assert (len(ours.batches), len(ours.provinces), len(ours.not_found)) == (1, 1, 1)


def test_a_programme_cannot_be_changed_and_survives_the_way_to_another_process(write):
    ours = Programme.read(write(GOOD))
    with pytest.raises(TypeError):
        ours.figures["costs.transfer_per_recipient"] = None
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert hash(ours) == hash(Programme.read(write(GOOD)))


def test_a_figures_own_fields_win_over_those_of_its_origin(write):
    figure = Programme.read(write(GOOD)).figure("costs.training_per_recipient")
    assert (figure.date, figure.source, figure.note) == ("2025", "the law", "about")
    assert (figure.low, figure.high) == (50, 70)
    assert str(figure) == "$ 50 to 70 (2025; the law; found)"


def test_a_folder_of_files_makes_one_programme(write, tmp_path):
    head, costs = GOOD.split("[costs]")
    write(head, "a.toml")
    write("[costs]" + costs, "b.toml")
    write("not read", "notes.md")
    whole = Programme.read(tmp_path)
    one = Programme.read(write(GOOD, "one.txt"))
    assert whole == one


def test_a_key_in_two_files_of_a_folder_is_refused(write, tmp_path):
    write(GOOD, "a.toml")
    write('[programme]\nname = "other"\n', "b.toml")
    assert "programme.name stands in two files, the second is b.toml" in refused(tmp_path)


def test_every_fault_is_named_at_once_with_its_remedy(write):
    text = GOOD.replace('currency = "$"', 'curency = "$"').replace(
        "[costs]",
        '[evaluation]\n[costs]\nbare = 3\nwrong = { value = 1, unit = "$", date = "2024", '
        'source = "s", confidence = "M" }\nnone = { value = 1, unit = "$", date = 2024 }\n'
        'lost = { value = 1, orgin = "law" }\nempty = { source = "s", confidence = "F" }\n'
        'made = { value = 3, confidence = "NF" }\nelse = { value = 1, origin = "laws" }\n'
        'turned = { value = [3, 1], origin = "law" }',
    )
    message = refused(write(text))
    for fault in (
        "'evaluation' is not known. Did you mean 'evaluations'?",
        "programme: 'curency' is not known. Did you mean 'currency'?",
        'programme.currency is missing: write currency = "..."',
        "costs.bare stands bare: write bare = { value",
        "costs.wrong has the confidence 'M': write one of F, M-hi, M-med, M-lo, D",
        "costs.none has no source: write source =",
        "costs.none has no confidence: write one of",
        'costs.none: date is no text: write date = "2024"',
        "costs.lost: 'orgin' is not known. Did you mean 'origin'?",
        "costs.lost has no unit: write unit =",
        "costs.lost has no date: write date =",
        "costs.empty has no value",
        "costs.made was not found: leave out its value",
        "costs.made was not found: write note =",
        "costs.else: there is no [origin.laws]. Did you mean 'law'?",
        "costs.turned has the value (3, 1): write a finite number",
    ):
        assert fault in message, fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[province.north]\n", "province.north: 'north' is no whole number"),
        ("[province.8]\n", 'province.8 has no name: write name = "..."'),
        ('[province.8]\nname = "S"\npopulatoin = { value = 1 }\n', "Did you mean 'population'?"),
        ('[province.8]\nname = "S"\npopulation = 3\n', "province.8.population stands bare"),
        ("[batch.03]\n", "batch.03: '03' is no whole number"),
        ("[batch]\n3 = 5\n", "batch.3 is no table: write [batch.3]"),
        ('[batch.3]\nrecovery = "yes"\n', "batch.3.recovery is 'yes': write true or false"),
        ("[batch.3]\nquota = { value = 1 }\n", "batch.3: 'quota' is not known"),
        ("[origin.x]\nvalue = 3\n", "origin.x: 'value' is not known"),
        ("[take_up]\nx = { value = true }\n", "take_up.x has the value True"),
        ("[take_up]\nx = { value = nan }\n", "take_up.x has the value nan"),
        ("[take_up]\nx = { value = 2020-01-01T00:00:00 }\n", "take_up.x has the value"),
        ("[take_up]\nx = { value = 1, interval = [2] }\n", "take_up.x has the interval (2,)"),
    ],
)
def test_a_faulty_record_is_refused_with_its_place(write, text, fault):
    whole = GOOD.split("[batch.2]", maxsplit=1)[0] + text
    assert fault in refused(write(whole))


def test_groups_that_are_no_tables_are_refused(write):
    message = refused(write("origin = 3\nfunnel = 4\n" + GOOD.replace("[origin.law]", "[payment]")))
    assert "origin is no table: write [origin]" in message
    assert "funnel is no table: write [funnel]" in message


def test_a_file_that_is_no_toml_not_there_or_not_utf_8_is_refused(write, tmp_path):
    assert "ours.toml is no TOML" in refused(write("[programme"))
    assert "there is no file or folder 'gone.toml'" in refused(tmp_path / "gone.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes('x = "\xe9"'.encode("latin-1"))
    assert "latin.toml is not in UTF-8" in refused(latin)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "'empty' has no .toml file" in refused(empty)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"source": ""}, "has no source"),
        ({"confidence": "NF"}, "has the confidence 'NF'"),
        ({"value": float("inf")}, "has the value inf"),
        ({"value": ""}, "has the value ''"),
        ({"interval": (2.0, 1.0)}, "has the interval"),
    ],
)
def test_a_figure_checks_itself(options, fault):
    with pytest.raises(UsageError, match=fault):
        Figure(**({"value": 1, "source": "s", "confidence": "F"} | options))
