"""Are amounts, ages and codes judged where it is certain, and left alone where it is not?"""

from dataclasses import replace

import numpy as np
import pytest
from contract_examples import CROSS, Asking, people, rupiah

from prakerja_eval.panel.table import Variable


def found(column, values, **more):
    """Code and rows of each fault of one column of people seen once."""
    asking = Asking(people(len(values), **{column: values}), CROSS, outcomes=())
    return {f.code: f.rows for f in replace(asking, **more).check().faults}


def lognormal(n, spread, seed):
    rng = np.random.default_rng([seed, n])
    values = np.round(rng.lognormal(np.log(2e6), spread, n), -3)
    return np.where(rng.random(n) < 0.3, 0.0, values)


@pytest.mark.parametrize("n", [60, 1_000, 100_000])
@pytest.mark.parametrize("spread", [0.5, 0.9, 1.2])
def test_incomes_as_they_are_raise_no_alarm(n, spread):
    for seed in range(3 if n == 100_000 else 25):
        assert found("income", lognormal(n, spread, seed)) == {}


def test_a_fifth_at_the_minimum_wage_and_a_tenth_at_a_ceiling_raise_no_alarm():
    values = np.sort(rupiah(200))
    values[:40] = 4_276_349.0
    values[-20:] = 9_999_999.0
    assert found("wage", values) == {}


@pytest.mark.parametrize("n", [60, 1_000, 100_000])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
def test_thousands_beside_rupiah_are_found_and_the_smaller_group_named(n, share):
    rng = np.random.default_rng([n, int(10 * share)])
    values = rng.lognormal(np.log(2e6), 0.8, n)
    small = np.arange(n) < share * n
    values[small] /= 1_000
    codes = found("income", values)
    assert list(codes) == ["mixed_units"]
    wrong = small if share < 0.5 else ~small
    # an amount or two of a hundred thousand may lie on the other side of the trough
    differ = set(codes["mixed_units"]) ^ set((np.flatnonzero(wrong) + 1).tolist())
    assert len(differ) <= max(0, n // 5_000)


def test_tiny_incomes_of_all_sizes_are_no_other_unit():
    values = np.exp(np.linspace(np.log(1e3), np.log(1e8), 400))
    assert found("income", values) == {}


def test_four_amounts_a_thousand_times_too_small_are_too_few_to_say():
    values = rupiah()
    values[:4] /= 1_000
    assert "mixed_units" not in found("income", values)


@pytest.mark.parametrize(("factor", "codes"), [(99, []), (101, ["impossible_tail"])])
def test_a_tail_begins_at_a_hundred_times_the_99th_percentile(factor, codes):
    values = np.linspace(1_000.5, 9_000.5, 101)
    values[50] = factor * 8_920.5  # the 99th percentile is the last but one
    assert list(found("income", values)) == codes


def test_a_milliard_counts_where_fifty_times_less_is_rare():
    # the 99th percentile is 14 million: a hundred times that is more than a milliard
    values = 4 * rupiah(101)
    values[3] = 1.0e9 + 1
    assert found("income", values) == {"impossible_tail": (4,)}
    values[3] = 1.0e9 - 1
    assert found("income", values) == {}
    # beside incomes of tens of millions is no absurdity
    values = 20 * rupiah(101)
    values[3] = 1.0e9 + 1
    assert found("income", values) == {}


@pytest.mark.parametrize("column", ["profit", "laba_usaha", "net_income", "pay_change", "savings"])
def test_losses_are_no_fault(column):
    assert found(column, np.where(np.arange(100) == 5, -40_000.0, rupiah())) == {}


@pytest.mark.parametrize(
    "column", ["log_income", "income_share", "has_savings", "income_quintile", "jenis_pekerjaan"]
)
def test_what_is_made_of_money_is_no_amount(column):
    assert found(column, np.where(np.arange(100) < 60, 12.5, -12.0 - np.arange(100))) == {}


def test_a_transfer_that_is_one_for_all_is_no_heap():
    assert found("insentif", np.where(np.arange(100) < 60, 600_000.0, 0.0)) == {}
    assert "heaped_income" in found("pendapatan", np.where(np.arange(100) < 60, 600_000.0, 0.0))


def test_a_heap_is_more_than_a_quarter_of_fifty_or_more():
    values = rupiah()
    values[:25] = 5_000_001.0
    assert found("income", values) == {}
    values[25] = 5_000_001.0
    assert found("income", values) == {"heaped_income": tuple(range(1, 27))}
    assert found("income", values[:49]) == {}


def test_amounts_are_those_asked_about_too():
    values = np.where(np.arange(100) == 5, -40_000.0, rupiah())
    assert found("b5r28", values) == {}
    assert found("b5r28", values, money=("b5r28",)) == {"negative_income": (6,)}


def test_labels_make_a_column_of_classes_and_no_amounts():
    labels = {"income": Variable(values={"1": "low", "12": "high"})}
    values = np.where(np.arange(100) < 50, 1.0, 12.0)
    assert found("income", values, codebook=labels) == {}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("age2", (18.0 + np.arange(100) % 40) ** 2),
        ("age_months", 12 * (18.0 + np.arange(100) % 40)),
        ("age_group", ["18-24", "25-34"] * 50),
        ("wage", 7.0 + np.arange(100)),
        ("usia", np.append(np.arange(18.0, 111.0), [0, 110])),
    ],
)
def test_what_is_no_age_in_years_is_not_judged_as_one(column, values):
    assert found(column, values) == {}


def test_ages_below_zero_above_110_and_in_words_are_named():
    ages = [20 + k % 50 for k in range(100)]
    assert found("umur", [*ages, -1, 111, 110, 0]) == {"implausible_age": (101, 102)}
    assert found("umur", [*map(str, ages), "tua"]) == {"implausible_age": (101,)}


@pytest.mark.parametrize(
    ("column", "values", "rows"),
    [
        ("rooms", [1, 2, 3, 4, 5] * 5 + [99, 99], (26, 27)),
        ("rooms", [1, 2, 3, 4, 5] * 5 + [98, 99], (26, 27)),
        ("hours", [*range(60), 999, 998], (61, 62)),
        ("employed", [0, 1] * 15 + [9, 8], (31, 32)),
        ("rooms", [0, 1, 2, 3, 4] * 5 + [-9, -9], (26, 27)),
        ("income", [*rupiah(40), 99.0, 98.0], (41, 42)),
    ],
)
def test_codes_far_outside_are_named(column, values, rows):
    assert found(column, np.array(values, dtype=float)) == {"undeclared_missing_code": rows}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("rooms", [1, 2, 3, 4, 5] * 5 + [99]),  # once is no code
        ("hours", [*range(100), 99, 99]),  # within the range
        ("score", [-9, -9, -3, 0, 4] * 6),  # below zero is usual
        ("children", [0, 1, 2] * 10 + [8, 9]),  # counts may go on
        ("sector", [1, 2] * 15 + [7, 7]),  # a third class
        ("rooms", [1, 2, 3, 99, 99]),  # too few to say
    ],
)
def test_numbers_that_may_be_real_are_left_alone(column, values):
    assert found(column, np.array(values, dtype=float)) == {}


def test_a_code_in_money_is_told_once():
    values = rupiah()
    values[[4, 5]] = -9.0
    assert found("income", values) == {"undeclared_missing_code": (5, 6)}


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ({"0": "none", "97": "refused"}, np.arange(100.0) % 40),  # amounts with a code or two
        ({"1": "bad", "10": "good"}, 1.0 + np.arange(100) % 10),  # ends of a scale
        ({"1": "yes"}, np.arange(100.0) % 3),  # one label names nothing
        ({"0": "no", "1": "yes"}, np.arange(100) % 2),
    ],
)
def test_columns_not_made_of_labels_are_not_held_to_them(labels, values):
    assert found("q7", values, codebook={"q7": Variable(values=labels)}) == {}


def test_labels_of_text_are_compared_as_text():
    labels = {"q7": Variable(values={"a": "one", "b": "two"})}
    assert found("q7", ["a", "b"] * 20 + ["x"], codebook=labels) == {"labels_missing_code": (41,)}


@pytest.mark.parametrize("times", [1000.0, 1e-3])
@pytest.mark.parametrize("share", [0.01, 0.015])
def test_a_few_amounts_in_other_units_are_found(times, share):
    rng = np.random.Generator(np.random.PCG64(4))
    income = np.exp(rng.normal(14.5, 0.6, 4_000)).round(-3)
    wrong = np.arange(4_000) < share * 4_000
    values = np.where(wrong, times, 1.0) * income
    assert found("income", values) == {"mixed_units": tuple(np.flatnonzero(wrong) + 1)}
