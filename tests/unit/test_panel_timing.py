"""Cohorts and waves lie on one scale, in numbers or in dates, and DiD gives one answer for both."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.timing import cohort_times, start_label, wave_times

MONTHS = {202002: "2020-02", 202008: "2020-08", 202102: "2021-02", 202108: "2021-08"}


def people(n: int = 200) -> pd.DataFrame:
    """Draw people of whom half are treated in August 2020 or, after it, in February 2021."""
    rng = np.random.Generator(np.random.PCG64(5))
    treated = np.arange(n) % 2
    waves = []
    for wave in MONTHS:
        y = rng.normal(size=n) + 5.0 * treated * (wave >= 202102)
        cohort = np.where(treated == 1, 202102, 0)
        ids = [f"SYN-{i:06d}" for i in range(n)]
        waves.append(pd.DataFrame({"id": ids, "wave": wave, "g": cohort, "y": y}))
    return pd.concat(waves, ignore_index=True)


def in_words(frame: pd.DataFrame, never: object = "0") -> pd.DataFrame:
    """Write waves and cohorts as dates in text."""
    g = frame["g"].map({**MONTHS, 0: never})
    return frame.assign(wave=frame["wave"].map(MONTHS), g=g)


def roles(baseline: object) -> pe.Roles:
    return pe.Roles(unit="id", wave="wave", baseline=baseline, cohort="g")


@pytest.mark.parametrize("never", ["0", "never"])
def test_dates_in_text_give_the_answer_of_numbers(never: str) -> None:
    frame = people()
    numbers = pe.did.two_by_two(pe.Panel(frame, roles(202008)), "y")
    words = pe.did.two_by_two(pe.Panel(in_words(frame, never), roles("2020-08")), "y")
    np.testing.assert_array_equal(words.theta, numbers.theta)
    np.testing.assert_array_equal(words.psi, numbers.psi)
    assert list(words.index["wave"]) == ["2021-02", "2021-08"]
    assert abs(numbers.theta[0] - 5.0) < 1.0


def test_a_treated_base_is_refused_in_either_writing() -> None:
    frame = people()
    with pytest.raises((UsageError, DataError), match=r"treated|baseline"):
        pe.did.two_by_two(pe.Panel(frame, roles(202102)), "y")
    with pytest.raises((UsageError, DataError), match=r"treated|baseline"):
        pe.did.two_by_two(pe.Panel(in_words(frame), roles("2021-02")), "y")
    with pytest.raises(UsageError, match="already treated"):
        pe.did.two_by_two(pe.Panel(in_words(frame), roles("2020-08")), "y", base="2021-02")


def test_a_placebo_in_text_waves_has_its_event_time() -> None:
    panel = pe.Panel(in_words(people()), roles("2020-02"))
    row = pe.did.two_by_two(panel, "y", base="2020-02", waves=["2020-08"])
    assert row.index["event_time"].iloc[0] == -1  # one wave before February 2021


def test_times_of_waves_and_cohorts() -> None:
    np.testing.assert_array_equal(wave_times((1, 2.5)), [1.0, 2.5])
    day = pd.Timestamp("2021-02-01").toordinal()
    np.testing.assert_array_equal(wave_times(("2020-12-31", "2021-02")), [day - 32, day])
    assert wave_times(("baseline", "endline")) is None
    waves = ("2020-08", "2021-02")
    times = cohort_times(pd.Series(["2021-02", "0", "never", None, "202102"]), waves)
    np.testing.assert_array_equal(times, [day, np.inf, np.inf, np.nan, day])
    assert start_label(day, waves) == "2021-02"
    assert start_label(day - 10, waves) == "2021-02"  # first seen treated
    assert start_label(day + 40, waves) == "2021-03-13"
    with pytest.raises(DataError, match="written"):
        cohort_times(pd.Series(["3"]), waves)
