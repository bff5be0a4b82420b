"""Faults of Excel, Parquet, Stata and SPSS files, of wide files and of files by wave.

Files that are no text carry times and versions of the programme that wrote them, so they are
written when the tests run and are not committed.
"""

import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError

from .asking import Asking, Change, Entry, csv, frames
from .base import WAVES, monthly, numbered, panel
from .texts import read, refused

DIGITS = 9_100_000_000_000_000


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as numbers, for formats that have types."""
    out = frame.copy()
    for column in out.columns:
        if out[column].dtype == object:
            numbers = pd.to_numeric(out[column], errors="coerce")
            if numbers.notna().sum() == out[column].notna().sum():
                out[column] = numbers
    return out


def excel(change=None, title: str = "data"):
    """Write a workbook, changed before it is saved."""

    def write(frame: pd.DataFrame):
        def save(path: Path) -> None:
            book = openpyxl.Workbook()
            sheet = book.active
            sheet.title = title
            sheet.append(list(frame.columns))
            for row in typed(frame).astype(object).itertuples(index=False):
                sheet.append([None if pd.isna(v) else v for v in row])
            if change is not None:
                change(book, sheet)
            book.save(path)

        return save

    return write


def parquet(frame: pd.DataFrame):
    return lambda path: typed(frame).to_parquet(path, index=False)


def stata(frame: pd.DataFrame):
    return lambda path: typed(frame).to_stata(path, write_index=False)


def spss(frame: pd.DataFrame):
    return lambda path: pyreadstat.write_sav(typed(frame), str(path))


def made(write, ending: str) -> Change:
    """The file in another format."""
    return lambda a: replace(a, write=write, ending=ending, raw=None)


def of(write, ending: str):
    return lambda: made(write, ending)(monthly())


def formula(book, sheet) -> None:
    sheet["P5"] = "=P4*2"


def broken(book, sheet) -> None:
    sheet["P5"] = "#DIV/0!"


def second(book, sheet) -> None:
    more = book.create_sheet("codes")
    more.append(["code", "meaning"])
    more.append([1, "primary"])


def merged(book, sheet) -> None:
    sheet.merge_cells("P1:Q1")


def twice(book, sheet) -> None:
    sheet["P1"] = "education"


def long_ids(kind: str) -> Change:
    """Ids of 16 digits, stored as numbers."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        digits = frame["person_id"].str[-6:].astype("int64") + DIGITS
        return frame.assign(person_id=digits.astype(kind))

    return frames(change)


def short_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Ids of eight digits, in single precision."""
    digits = frame["person_id"].str[-6:].astype("int64") + 70_000_000
    return frame.assign(person_id=digits.astype("float32"))


def as_text(asking: Asking) -> Asking:
    """Store the ids as text, from where they are whole."""
    return replace(asking, frame=panel())


def cut(write):
    """Half a file, as after a download that was broken off."""

    def changed(frame: pd.DataFrame):
        def save(path: Path) -> None:
            write(frame)(path)
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2])

        return save

    return changed


def cut_short(name: str, says: str, write, ending: str) -> Entry:
    return refused(
        name, says, made(cut(write), ending), made(write, ending), ("damaged", "again"), DataError
    )


WORKBOOKS = (
    refused(
        "formulas_without_results",
        "formulas of which the file does not hold the results",
        made(excel(formula), ".xlsx"),
        made(excel(lambda _, s: s.__setitem__("P5", 968_000)), ".xlsx"),
        ("P5", "Open it in Excel, save it"),
    ),
    refused(
        "formula_with_an_error",
        "a division by zero in a cell",
        made(excel(broken), ".xlsx"),
        made(excel(lambda _, s: s.__setitem__("P5", None)), ".xlsx"),
        ("P5", "empty them"),
    ),
    refused(
        "two_sheets",
        "two sheets with cells",
        made(excel(second), ".xlsx"),
        read(sheet="data"),
        ("sheet=",),
    ),
    refused(
        "sheet_not_there",
        "a sheet that is not there",
        lambda a: made(excel(second), ".xlsx")(a).read(sheet="dat"),
        read(sheet="data"),
        ("'dat'", "'data'"),
        UsageError,
    ),
    refused(
        "merged_names",
        "two names in one merged cell",
        made(excel(merged), ".xlsx"),
        made(excel(), ".xlsx"),
        ("merged",),
    ),
    refused(
        "two_names_in_excel",
        "a name stands twice in a sheet",
        made(excel(twice), ".xlsx"),
        made(excel(), ".xlsx"),
        ("'education'", "rename"),
    ),
    refused(
        "ids_of_16_digits_in_excel",
        "ids as numbers of 16 digits, of which Excel keeps 15",
        lambda a: long_ids("int64")(made(excel(), ".xlsx")(a)),
        as_text,
        ("'person_id'", "Store ids as text"),
    ),
    refused(
        "picture_named_xlsx",
        "a picture named .xlsx",
        lambda a: replace(a, ending=".xlsx", raw=b"\x89PNG\r\n\x1a\n"),
        made(excel(), ".xlsx"),
        ("damaged", "save it again"),
    ),
)

TYPED = (
    refused(
        "parquet_ids_in_floats",
        "ids of 16 digits as floating-point numbers",
        lambda a: long_ids("float64")(replace(a, write=raw_parquet, ending=".parquet")),
        as_text,
        ("'person_id'", "Store ids as text"),
    ),
    refused(
        "stata_ids_in_floats",
        "ids of eight digits in Stata's float, which holds seven",
        lambda a: frames(short_ids)(made(stata, ".dta")(a)),
        as_text,
        ("'person_id'", "Store ids as text"),
    ),
    cut_short("parquet_cut", "half a Parquet file", parquet, ".parquet"),
    cut_short("stata_cut", "half a Stata file", stata, ".dta"),
    cut_short("spss_cut", "half an SPSS file", spss, ".sav"),
    cut_short("excel_cut", "half a workbook", excel(), ".xlsx"),
)


def raw_parquet(frame: pd.DataFrame):
    return lambda path: frame.astype({"income": float, "employed": float}).to_parquet(
        path, index=False
    )


def by_wave(change=None, write=csv, ending: str = ".csv") -> Change:
    """One file a wave, changed before it is written."""

    def split(asking: Asking) -> Asking:
        beside, waves = {}, {}
        for number, wave in enumerate(WAVES, start=1):
            part = asking.frame[asking.frame["wave"] == wave].drop(columns="wave")
            part = part if change is None else change(part, number)
            file = "{}-" + f"{number}{ending}"
            beside[file], waves[wave] = write(part), file
        return replace(asking, frame=None, beside={**asking.beside, **beside}, waves=waves)

    return split


def labelled(tertiary: str):
    """Files of Stata in which code 4 of the last wave means something else."""

    def write(part: pd.DataFrame):
        last = part["attempts"].iloc[0] == -1
        labels = {1: "primary", 2: "junior", 3: "senior", 4: tertiary if last else "tertiary"}

        def save(path: Path) -> None:
            data = typed(part.assign(attempts=1))
            pyreadstat.write_dta(data, str(path), variable_value_labels={"education": labels})

        return save

    return write


def mark_last(part: pd.DataFrame, number: int) -> pd.DataFrame:
    return part.assign(attempts=-1) if number == 3 else part


def words_in_one(part: pd.DataFrame, number: int) -> pd.DataFrame:
    return part.assign(education=part["education"].astype(str) + " th") if number == 2 else part


def zeros_lost(keep: bool):
    """Ids of six digits whose leading zeros a spreadsheet took in the second file."""

    def change(part: pd.DataFrame, number: int) -> pd.DataFrame:
        ids = part["person_id"].str[-6:]
        return part.assign(person_id=ids.str.lstrip("0") if number == 2 and not keep else ids)

    return change


def own_wave(part: pd.DataFrame, number: int) -> pd.DataFrame:
    return part.assign(wave=WAVES[0])


def wave_files(**how) -> Change:
    return lambda a: by_wave(**how)(monthly())


FILES = (
    refused(
        "labels_disagree",
        "code 4 means another school in the last file",
        by_wave(mark_last, labelled("none"), ".dta"),
        wave_files(change=mark_last, write=labelled("tertiary"), ending=".dta"),
        ("'education'", "codebook=", "recode"),
    ),
    refused(
        "numbers_and_words",
        "a column is numbers in two files and words in one",
        by_wave(words_in_one),
        wave_files(),
        ("'education'", "mend the cells"),
    ),
    refused(
        "zeros_lost",
        "leading zeros of the ids were lost in one file",
        by_wave(zeros_lost(False)),
        wave_files(change=zeros_lost(True)),
        ("'person_id'", "ids as text"),
    ),
    refused(
        "files_name_their_wave",
        "the files have a column of waves that says otherwise",
        by_wave(own_wave),
        read(drop=("wave",)),
        ("'wave'", "drop="),
    ),
    refused(
        "one_file_is_missing",
        "the file of a wave is not there",
        lambda a: replace(by_wave()(a), waves={WAVES[0]: "{}-1.csv", "2021-12": "{}-4.csv"}),
        wave_files(),
        ("one_file_is_missing-4.csv", "check the path"),
    ),
)


def wide(**names: str):
    """A row a person, columns by year."""

    def write(frame: pd.DataFrame) -> bytes:
        values = ["trained", "responded", "attempts", "income", "employed"]
        keys = [c for c in frame.columns if c not in (*values, "wave")]
        table = frame.drop_duplicates("person_id")[keys].set_index("person_id")
        for wave in dict.fromkeys(frame["wave"]):
            part = frame[frame["wave"] == wave].set_index("person_id")
            table = table.join(part[values].add_suffix(f"_{wave}"))
        return csv(table.reset_index().rename(columns=names))

    return write


STUBS = ("trained", "responded", "attempts", "income", "employed")


def made_wide() -> Asking:
    asking = replace(numbered(), write=wide())
    return asking.read(wide=pe.Wide(STUBS))


def twice_named(frame: pd.DataFrame) -> bytes:
    table = pd.read_csv(io.BytesIO(wide()(frame)), dtype=str)
    return csv(table.assign(income_0202102=table["income_202102"]))


WIDE = (
    refused(
        "wide_stub_missing",
        "a stub that no column begins with",
        read(wide=pe.Wide((*STUBS[:-1], "employd"))),
        read(wide=pe.Wide(STUBS)),
        ("'employd'", "'employed'", "Wide(stubs="),
        UsageError,
        made_wide,
    ),
    refused(
        "wide_column_twice",
        "two columns of one stub and wave",
        lambda a: replace(a, write=twice_named),
        read(drop=("income_0202102",)),
        ("'income_0202102'", "drop="),
        DataError,
        made_wide,
    ),
    refused(
        "wide_without_a_wave",
        "wide columns, and no name for the wave",
        lambda a: a.named(wave=None, baseline=None),
        lambda a: a.named(wave="wave", baseline=202007),
        ("wave=",),
        UsageError,
        made_wide,
    ),
)
