"""Are the programme's batches as published, each figure with its source, and nothing invented?"""

from datetime import date

import pytest

from prakerja_eval.errors import DataError
from prakerja_eval.programme import Figure, batches, first_opening

BY_NUMBER = {b.number: b for b in batches()}


def test_the_programme_first_took_applications_on_11_april_2020():
    assert first_opening() == date(2020, 4, 11)


def test_batches_follow_in_order_and_open_one_after_another():
    numbers = [b.number for b in batches()]
    assert numbers == sorted(set(numbers)) == list(range(1, 24))
    opened = [b.opened.earliest for b in batches() if b.opened is not None and b.number != 5]
    assert opened == sorted(opened)


def test_recipients_of_batches_1_to_9_add_up_to_the_published_total():
    assert sum(BY_NUMBER[n].recipients.value for n in range(1, 10)) == 5_480_918


def test_every_figure_has_a_source_and_a_known_mark():
    figures = [
        (b.number, f)
        for b in batches()
        for f in (b.opened, b.closed, b.recipients, b.applicants)
        if f is not None
    ]
    assert len(figures) > 50
    for number, figure in figures:
        assert figure.source, number
        assert figure.confidence in ("F", "M-hi", "M-med", "D"), number


@pytest.mark.parametrize(
    ("number", "opened", "recipients"),
    [
        (1, date(2020, 4, 11), 168_111),
        (6, date(2020, 8, 27), 800_000),
        (10, date(2020, 9, 26), 116_261),
        (11, date(2020, 11, 2), 390_495),
        (17, date(2021, 6, 1), 44_000),
        (21, date(2021, 9, 16), 754_929),
    ],
)
def test_batches_stand_as_published(number, opened, recipients):
    batch = BY_NUMBER[number]
    assert batch.opened.earliest == opened
    assert batch.recipients.value == recipients


def test_what_is_not_known_is_left_out():
    assert BY_NUMBER[22].opened is None
    assert BY_NUMBER[5].closed is None
    assert BY_NUMBER[12].applicants is None


def test_a_month_stands_for_its_first_day_and_a_count_for_no_day():
    assert Figure("2021-06", "a source", "F").earliest == date(2021, 6, 1)
    with pytest.raises(DataError, match="number of people"):
        _ = Figure(44_000, "a source", "F").earliest


def test_a_batch_ends_after_it_begins():
    for batch in batches():
        if batch.opened is not None and batch.closed is not None:
            assert batch.opened.earliest <= batch.closed.earliest
