"""Which formats are read, by which reader, with which options? Other files: how to convert them."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.frame import read_frame
from prakerja_eval.panel.table import Table

Reader: TypeAlias = Callable[[Path, ReadOptions, frozenset[str]], Table]

# the module beside this one whose verb reads the format; it is imported when one comes
FORMATS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".parquet": "parquet",
    ".dta": "stata",
    ".sav": "spss",
    ".zsav": "spss",
    ".xlsx": "excel",
    ".xlsm": "excel",
}
EXCEL = "Open it in Excel or LibreOffice and save it as .xlsx."
R = "In R, write it with arrow::write_parquet() or haven::write_dta()."
PANDAS = "In Python, read it with pandas and pass the DataFrame, or save it as .parquet."
CONVERT = {
    **dict.fromkeys((".xls", ".xlsb", ".ods", ".dbf", ".numbers"), EXCEL),
    **dict.fromkeys((".rds", ".rdata", ".rda"), R),
    **dict.fromkeys((".json", ".jsonl", ".feather", ".arrow", ".pkl", ".pickle", ".h5"), PANDAS),
    ".por": "Open it in SPSS or PSPP and save it as .sav.",
    **dict.fromkeys((".sas7bdat", ".xpt"), "In SAS, export it with PROC EXPORT as .dta or .csv."),
    **dict.fromkeys((".zip", ".gz", ".7z", ".rar"), "Unpack it and name the file inside."),
}
# options that not every format can use: the endings of those that can, and what they are called
USED_BY = {
    "delimiter": ("text files", (".csv", ".tsv", ".txt")),
    "decimal": ("text files and Excel", (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")),
    "thousands": ("text files and Excel", (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")),
    "encoding": (
        "text files, Stata and SPSS",
        (".csv", ".tsv", ".txt", ".dta", ".sav", ".zsav"),
    ),
    "header": ("text files and Excel", (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")),
    "sheet": ("Excel", (".xlsx", ".xlsm")),
}


def read_file(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a file by the reader of its ending.

    Raises
    ------
    UsageError
        If the format is not read, with a way to convert the file.
    """
    ending = path.suffix.lower()
    if ending not in FORMATS:
        *known, last = FORMATS
        raise UsageError(
            f"{path.name!r} is neither {', '.join(known)} nor {last}. "
            + CONVERT.get(ending, "Export it as one of these.")
        )
    name = FORMATS[ending]
    module = import_module(f"prakerja_eval.panel.readers.{name}")
    read: Reader = getattr(module, f"read_{name}")
    return read(path, options, text)


def refuse_unused(options: ReadOptions, files: Iterable[object]) -> None:
    """Refuse an option that none of the files can use.

    Raises
    ------
    UsageError
    """
    given = [f for f in files if isinstance(f, str | Path | pd.DataFrame)]
    endings = {"" if isinstance(f, pd.DataFrame) else Path(f).suffix.lower() for f in given}
    if not endings <= {"", *FORMATS}:
        return  # the format is not read at all, which is said first
    defaults = {item.name: item.default for item in fields(ReadOptions)}
    for name, (formats, able) in USED_BY.items():
        if getattr(options, name) != defaults[name] and not endings & set(able):
            raise UsageError(
                f"ReadOptions({name}=...) is for {formats}; leave it out for this format."
            )


__all__ = ["FORMATS", "Reader", "read_file", "read_frame", "refuse_unused"]
