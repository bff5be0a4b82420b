"""Clean files of different make, in which nothing may be found."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

import prakerja_eval as pe

from .asking import Asking, cells, csv
from .base import AWAY, WAVES, applied, monthly, numbered, panel
from .formats import STUBS, excel, made, parquet, typed, wide

ROOT = Path(__file__).resolve().parents[2]
LABELS = {1: "primary", 2: "junior secondary", 3: "senior secondary", 4: "tertiary"}
REFUSED = (13, 25, 61)  # positions of refused incomes


@dataclass(frozen=True)
class Clean:
    """A file without fault; ``asking`` is made when it is needed."""

    name: str
    says: str
    asking: Callable[[], Asking]


def written(write, ending: str = ".csv", start=monthly, **options):
    return lambda: made(write, ending)(start()).read(**options)


def semicolons(frame: pd.DataFrame) -> bytes:
    """As Indonesian Excel writes: semicolons, decimal commas, a mark at the start."""
    wages = [None if v is None else v + 0.5 for v in frame["income"]]
    return csv(frame.assign(income=wages), sep=";", decimal=",", encoding="utf-8-sig")


def thousands(frame: pd.DataFrame) -> bytes:
    """Dots between thousands, decimal commas, Windows letters and lines."""
    wages = [None if v is None else f"{v:,}".replace(",", ".") + ",00" for v in frame["income"]]
    data = frame.assign(income=wages, site="Café Dharma – 2")
    text = data.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    return text.encode("cp1252")


def stata(frame: pd.DataFrame):
    """Value labels, and .a where an income was refused."""

    def save(path: Path) -> None:
        data = typed(frame).astype({"income": object})
        data.loc[list(REFUSED), "income"] = "a"
        pyreadstat.write_dta(
            data,
            str(path),
            column_labels={"income": "Income of last month"},
            variable_value_labels={"education": LABELS, "female": {0: "man", 1: "woman"}},
            missing_user_values={"income": ["a"]},
        )

    return save


def spss(frame: pd.DataFrame):
    """Value labels, and the user-missing code 98 for a refused income."""

    def save(path: Path) -> None:
        data = typed(frame)
        data.loc[list(REFUSED), "income"] = 98.0
        pyreadstat.write_sav(
            data,
            str(path),
            variable_value_labels={"education": LABELS, "income": {98: "refused"}},
            missing_ranges={"income": [98]},
        )

    return save


MAPPING = """["2020-07"]
keep = "all"
["2020-07".columns]
income = "r40"
employed = {{ any = ["r41"], equal = 1 }}

["2021-02"]
keep = "all"
["2021-02".columns]
income = "b5r12"
employed = {{ any = ["b5r13"], equal = 1 }}
"""


def two_files() -> Asking:
    """Two waves in two formats, whose questions have other numbers."""
    frame = typed(panel().assign(employed=lambda f: 2 - f["employed"].fillna(0).astype(int)))
    first = frame[frame["wave"] == WAVES[0]].drop(columns="wave")
    second = frame[frame["wave"] == WAVES[1]].drop(columns="wave")
    first = first.rename(columns={"income": "r40", "employed": "r41"})
    second = second.rename(columns={"income": "b5r12", "employed": "b5r13"})
    beside = {
        "{}-1.csv": csv(first),
        "{}-2.dta": lambda path: pyreadstat.write_dta(second, str(path)),
        "{}.toml": MAPPING.replace("{{", "{").replace("}}", "}").encode(),
    }
    waves = {WAVES[0]: "{}-1.csv", WAVES[1]: "{}-2.dta"}
    return Asking(beside=beside, waves=waves).read(mapping="{}.toml")


def data_frame() -> Asking:
    """A DataFrame with time stamps for waves, and categories."""
    frame = typed(panel())
    frame["wave"] = pd.to_datetime(frame["wave"] + "-15")
    frame["province"] = frame["province"].astype("category")
    return replace(monthly(), frame=None, source=frame).named(baseline="2020-07-15")


def heavy_tail() -> Asking:
    """Twenty thousand people of one wave, logs of incomes with a standard deviation of 1.2."""
    rng = np.random.Generator(np.random.PCG64(20_200_411))
    n = 20_000
    frame = pd.DataFrame(
        {
            "person_id": [f"SYN-{i:06d}" for i in range(n)],
            "batch": rng.integers(4, 7, n),
            "selected": rng.integers(0, 2, n),
            "income": np.exp(rng.normal(14.0, 1.2, n)).round(),
            "employed": rng.integers(0, 2, n),
            "age": rng.integers(18, 65, n),
        }
    )
    roles = pe.Roles(unit="person_id", offer="selected", blocks="batch", probability="odds")
    return Asking(frame.assign(odds=0.5), roles, covariates=("age",))


def nsw() -> Asking:
    """The file that ships: real people of the 1970s."""
    return Asking(
        source=ROOT / "data" / "nsw" / "nsw.csv",
        roles=pe.Roles(
            unit="person_id",
            wave="year",
            baseline=1975,
            offer="offered",
            received="trained",
            cohort="first_year",
        ),
        outcomes=("earnings", "employed"),
        covariates=("age", "education", "black", "hispanic", "earnings@1974", "earnings@1975"),
    )


def decided() -> Asking:
    """People who applied one to three times, each with the application that is evaluated."""
    asking = applied()
    number = [1 + (k // 2) % 3 for k in range(32) for _ in range(3)]
    return replace(asking, frame=asking.frame.assign(application=number))


def not_reached() -> Asking:
    """Receipt, as the answers, is not known of the person who was not reached."""
    return cells("trained", None, (AWAY,))(monthly())


def wide_excel() -> Asking:
    def write(frame: pd.DataFrame):
        table = pd.read_csv(io.BytesIO(wide()(frame)))
        return excel()(table)

    return replace(numbered(), write=write, ending=".xlsx").read(wide=pe.Wide(STUBS))


CLEAN = (
    Clean("clean_comma", "commas, UTF-8", monthly),
    Clean("clean_semicolon", "semicolons, decimal commas, a mark", written(semicolons)),
    Clean("clean_thousands", "dots between thousands, cp1252, Windows lines", written(thousands)),
    Clean("clean_tab", "tabs", written(lambda f: csv(f, sep="\t"), ".tsv")),
    Clean("clean_parquet", "Parquet", written(parquet, ".parquet")),
    Clean("clean_stata", "Stata with labels and .a", written(stata, ".dta")),
    Clean("clean_spss", "SPSS with user-missing codes", written(spss, ".sav")),
    Clean("clean_wide", "Excel, a row a person, columns by wave", wide_excel),
    Clean("clean_waves", "two wave files, CSV and Stata, with a mapping", two_files),
    Clean("clean_frame", "a DataFrame with time stamps", data_frame),
    Clean("clean_heavy", "20,000 lognormal incomes", heavy_tail),
    Clean("clean_nsw", "the National Supported Work file", nsw),
    Clean("clean_numbered", "waves and cohorts as numbers", numbered),
    Clean("clean_away", "receipt unknown where nobody was reached", not_reached),
    Clean("clean_applied", "people who applied once, twice or three times", decided),
)
NOT_COMMITTED = ("clean_heavy",)  # too large
