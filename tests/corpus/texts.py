"""Text files that cannot be read, or not in one way: the refusal and the option that settles it."""

from dataclasses import replace

import pandas as pd

from prakerja_eval.errors import DataError, UsageError

from .asking import Asking, Change, Entry, cells, csv, frames
from .base import ALL, monthly, numbered, panel
from .panels import fresh


def raw(change) -> Change:
    """A change of the bytes of the file."""
    return lambda a: replace(a, raw=change(a.write(a.frame) if a.raw is None else a.raw))


def written(write) -> Change:
    """Another way of writing the file."""
    return lambda a: replace(a, write=write, raw=None)


def read(**options) -> Change:
    """An option of reading."""
    return lambda a: a.read(**options)


def line(number: int, change) -> Change:
    """A change of one line of the file, from 1 with the names."""

    def edited(data: bytes) -> bytes:
        lines = data.split(b"\n")
        lines[number - 1] = change(lines[number - 1])
        return b"\n".join(lines)

    return raw(edited)


def again(asking: Asking) -> Asking:
    """Export the file again, as it should be."""
    return monthly()


def refused(name, says, spoil, mend, words, error=DataError, start=monthly, **more):
    return Entry(name, says, start, spoil, mend, error=error, words=words, **more)


def semicolons(frame: pd.DataFrame) -> bytes:
    return csv(frame, sep=";")


def districts(frame: pd.DataFrame) -> bytes:
    """A column with an accent, as Windows writes it."""
    return csv(frame.assign(site="Café Dharma – 2"), encoding="cp1252")


def dotted(frame: pd.DataFrame) -> bytes:
    """Incomes in thousands of rupiah as 1.147, beside odds of 0.5 and weights of 1.25."""
    words = [None if v is None else f"{v // 1_000:,}".replace(",", ".") for v in frame["income"]]
    return csv(frame.assign(income=words), sep=";")


def commas(frame: pd.DataFrame) -> bytes:
    """Incomes with decimal commas, between semicolons."""
    words = [None if v is None else f"{v},50" for v in frame["income"]]
    return csv(frame.assign(income=words), sep=";", decimal=",")


def both_marks(frame: pd.DataFrame) -> bytes:
    """Weights with a decimal comma in some rows and a point in others."""
    shown = enumerate(f"{w:.2f}" for w in frame["weight"])
    words = [w if i % 2 else w.replace(".", ",") for i, w in shown]
    return csv(frame.assign(weight=words), sep=";")


def slashes(order: str):
    """Waves as dates of the first of a month."""

    def write(frame: pd.DataFrame) -> bytes:
        dates = {"2020-07": (1, 7, 2020), "2021-02": (1, 2, 2021), "2021-08": (1, 8, 2021)}
        days = {w: f"{d:02d}/{m:02d}/{y}" for w, (d, m, y) in dates.items()}
        short = {w: f"{d:02d}/{m:02d}/{y % 100}" for w, (d, m, y) in dates.items()}
        return csv(frame.replace({"wave": short if order == "short" else days}))

    return write


def titled(data: bytes) -> bytes:
    return b"Prakerja follow-up survey\n\n" + data


def dated(asking: Asking) -> Asking:
    return asking.named(baseline="2020-07-01")


EXPORT = "Export it again"

LAYOUT = (
    refused(
        "semicolons_named_commas",
        "semicolons, and the option says commas",
        lambda a: written(semicolons)(a).read(delimiter=","),
        read(delimiter=";"),
        ("delimiter=';'",),
    ),
    refused(
        "tabs_named_bars",
        "tabs, and the option says bars",
        lambda a: written(lambda f: csv(f, sep="\t"))(a).read(delimiter="|"),
        read(delimiter="tab"),
        ("delimiter='tab'",),
    ),
    refused(
        "title_above_names",
        "a title and an empty line above the names",
        raw(titled),
        read(header=3),
        ("header=",),
    ),
    refused(
        "header_too_far",
        "the option names a row below the table",
        read(header=400),
        read(header=1),
        ("header=",),
    ),
    refused(
        "row_too_long",
        "a decimal comma without quotation marks makes one cell more",
        line(9, lambda row: row.replace(b",0.5,", b",0,5,")),
        line(9, lambda row: row.replace(b",0,5,", b",0.5,")),
        ("row 8", "Mend the row", "decimal commas"),
    ),
    refused(
        "row_too_short",
        "a row was cut",
        line(9, lambda row: row.rpartition(b",")[0]),
        line(9, lambda row: row + b",1"),
        ("row 8", "Mend the row"),
    ),
    refused(
        "two_columns_of_one_name",
        "income stands twice among the names",
        line(1, lambda row: row.replace(b"education", b"income")),
        line(1, lambda row: row.replace(b"income", b"education", 1)),
        ("'income'", "rename"),
    ),
    refused("empty_file", "no byte", raw(lambda _: b""), again, ("it is empty", EXPORT)),
    refused(
        "blank_file", "blank lines alone", raw(lambda _: b" \n\n \n"), again, ("is empty", EXPORT)
    ),
    refused(
        "names_without_rows",
        "names and no row",
        raw(lambda d: d.partition(b"\n")[0] + b"\n"),
        again,
        ("no rows", EXPORT),
    ),
    refused(
        "binary_file",
        "a picture named .csv",
        raw(lambda _: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0"),
        again,
        ("not a text file", "encoding="),
    ),
    refused(
        "open_quotation_mark",
        "a quotation mark is opened and not closed",
        line(60, lambda row: row.replace(b"Bali", b'"Bali')),
        raw(lambda d: d.replace(b'"Bali', b"Bali")),
        ("quotation mark", "Close it"),
    ),
    refused(
        "names_are_missing",
        "the row of names was cut off",
        raw(lambda d: d.partition(b"\n")[2]),
        again,
        ("row of data", "row of names"),
    ),
)

MARKS = (
    refused(
        "wrong_encoding",
        "Windows text, and the option says UTF-8",
        lambda a: written(districts)(a).read(encoding="utf-8"),
        read(encoding="cp1252"),
        ("encoding=",),
    ),
    refused(
        "unknown_encoding",
        "an encoding that does not exist",
        lambda a: written(districts)(a).read(encoding="windows-latin"),
        read(encoding="cp1252"),
        ("encoding=", "'cp1252'"),
        UsageError,
    ),
    refused(
        "utf16_without_mark",
        "UTF-16 without a mark at the start",
        written(lambda f: csv(f, encoding="utf-16-le")),
        read(encoding="utf-16-le"),
        ("encoding=",),
    ),
    refused(
        "thousands_or_decimals",
        "1.147 in a column of money",
        written(dotted),
        read(thousands="."),
        ("'income'", "two ways", "thousands="),
    ),
    refused(
        "decimal_point_and_comma",
        "a column with both decimal marks",
        written(both_marks),
        again,
        ("'weight'", "in one way"),
    ),
    refused(
        "decimal_named_wrong",
        "decimal commas, and the option says points",
        lambda a: written(commas)(a).read(decimal="."),
        read(decimal=","),
        ("decimal=", "the other mark"),
    ),
    refused(
        "decimal_comma_in_quotes",
        "one weight with a comma in a file of points",
        frames(lambda f: f.assign(weight=[f"{w:.2f}" for w in f["weight"][:-1]] + ["1,25"])),
        frames(lambda f: f.assign(weight=f["weight"].str.replace(",", "."))),
        ("'weight'", "row 96", "in one way"),
    ),
    refused(
        "ids_rounded_by_a_spreadsheet",
        "ids of 16 digits that a spreadsheet wrote as 9.10000E+15",
        frames(lambda f: f.assign(person_id=[f"{9.1e15 + r // 3:.5E}" for r in range(96)])),
        fresh,
        ("'person_id'", "last digits are lost", "Store ids as text"),
    ),
    refused(
        "households_rounded_by_a_spreadsheet",
        "the same with the households alone, in some rows",
        cells("household", "3.27501E+15", (7, 8, 9)),
        cells("household", "H02", (7, 8, 9)),
        ("'household'", "last digits are lost", "Store ids as text"),
    ),
    refused(
        "day_or_month",
        "01/02/2021: the first of February, or the second of January",
        lambda a: written(slashes("long"))(dated(a)),
        read(dates="dmy"),
        ("wave_order", "dates='dmy'"),
        UsageError,
    ),
    refused(
        "years_of_two_digits",
        "01/02/21",
        lambda a: written(slashes("short"))(dated(a)),
        lambda a: written(csv)(a).named(baseline="2020-07"),
        ("wave_order", "four digits"),
        UsageError,
    ),
)

OPTIONS = (
    refused(
        "role_of_no_column",
        "a role names a column that is not there",
        lambda a: a.named(offer="selectd"),
        lambda a: a.named(offer="selected"),
        ("'selectd'", "'selected'"),
        UsageError,
    ),
    refused(
        "baseline_of_no_wave",
        "the baseline is no wave",
        lambda a: a.named(baseline="2020-06"),
        lambda a: a.named(baseline="2020-07"),
        ("baseline=", "2020-07"),
        UsageError,
    ),
    refused(
        "outcome_of_no_column",
        "an outcome that is not there",
        lambda a: replace(a, outcomes=("incom",)),
        lambda a: replace(a, outcomes=("income",)),
        ("'incom'", "'income'"),
        UsageError,
    ),
    refused(
        "covariate_of_no_column",
        "a covariate that is not there",
        lambda a: replace(a, covariates=("agee^2",)),
        lambda a: replace(a, covariates=("age^2",)),
        ("'agee'", "'age'"),
        UsageError,
    ),
    refused(
        "drop_of_no_column",
        "a column to leave out that is not there",
        read(drop=("age_group",)),
        read(drop=()),
        ("drop=", "'age_group'"),
        UsageError,
    ),
    refused(
        "sheet_of_a_text_file",
        "an option of Excel for a text file",
        read(sheet="Data"),
        read(sheet=None),
        ("sheet=",),
        UsageError,
    ),
    refused(
        "waves_in_words",
        "waves in words, and nothing says in which order they follow",
        lambda a: replace(
            a,
            frame=panel().replace(
                {"wave": {"2020-07": "before", "2021-02": "midline", "2021-08": "endline"}}
            ),
        ).named(baseline="before"),
        lambda a: a.named(wave_order=("before", "midline", "endline")),
        ("wave_order=",),
        UsageError,
    ),
    refused(
        "waves_in_two_forms",
        "a month without its zero",
        cells("wave", "2021-8", (51,)),
        cells("wave", "2021-08", (51,)),
        ("'2021-8'", "one form"),
        UsageError,
    ),
    refused(
        "wave_column_empty",
        "a merge emptied the column of waves",
        cells("wave", None, ALL),
        fresh,
        ("'wave' is empty", "wave="),
    ),
    refused(
        "baseline_in_quotation_marks",
        "the waves are numbers, and the baseline is a text",
        lambda a: a.named(baseline="202007"),
        lambda a: a.named(baseline=202007),
        ("baseline=202007",),
        UsageError,
        numbered,
    ),
    refused(
        "format_not_read",
        "an old workbook",
        lambda a: replace(a, ending=".xls"),
        lambda a: replace(a, ending=".csv"),
        (".xls", "save it as .xlsx"),
        UsageError,
    ),
    refused(
        "file_not_there",
        "a name typed wrong",
        lambda a: replace(a, beside={"{}.csv": csv(panel())}, frame=None, ending=".cvs"),
        lambda a: replace(a, ending=".csv"),
        ("check the path", "file_not_there.csv"),
    ),
    refused(
        "codebook_of_no_column",
        "a codebook names a column that is not there",
        lambda a: replace(
            a, beside={"{}-book.toml": b'[schooling]\nmissing = { 9 = "refused" }\n'}
        ).read(codebook="{}-book.toml"),
        lambda a: replace(
            a, beside={"{}-book.toml": b'[education]\nmissing = { 9 = "refused" }\n'}
        ),
        ("'schooling'", "codebook="),
        UsageError,
    ),
    refused(
        "empty_path_of_codebook",
        "a codebook that is not there",
        read(codebook="{}-book.toml"),
        read(codebook=None),
        ("codebook",),
        UsageError,
    ),
)
