"""How should a file be read, where it does not say so itself? One frozen object."""

from dataclasses import dataclass

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import names_of

DELIMITERS = (",", ";", "\t", "|")
DATE_ORDERS = ("dmy", "mdy")


@dataclass(frozen=True, slots=True)
class Wide:
    """Columns that repeat by wave, ``income_2020``, ``income_2021``, made long.

    Parameters
    ----------
    stubs : tuple of str
        The names before the separator: ``("income", "employed")``.
    separator : str
        Between stub and wave label; may be empty.
    """

    stubs: tuple[str, ...]
    separator: str = "_"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stubs", names_of(self.stubs))
        if not self.stubs:
            raise UsageError("Wide(stubs=...) names at least one column without its wave.")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Everything that a reader cannot know for certain; what is left out is found out and said.

    Parameters
    ----------
    delimiter : {",", ";", "tab", "|"}, optional
        Between the cells of a CSV file.
    decimal : {".", ","}, optional
        Decimal mark of a CSV file, or of numbers in text cells.
    thousands : {".", ",", " ", "none"}, optional
        Mark between thousands; "none" says that there is none.
    encoding : str, optional
        Of a CSV file, such as "utf-8" or "cp1252".
    header : int
        Row in which the names stand (CSV, Excel), from 1; rows above it are left out.
    sheet : str, optional
        Of an Excel file; needed where more than one sheet has cells.
    dates : {"dmy", "mdy"}, optional
        Order of dates such as 03/04/2021.
    text : tuple of str
        Columns whose cells are text whatever they look like.
    drop : tuple of str
        Columns left out before anything else is done with the file, such as names and phone
        numbers.
    codebook : str, optional
        A TOML file with labels, value labels and missing codes by column.
    mapping : str, optional
        A TOML file of columns by wave, for several wave files, or the name of one that ships:
        "sakernas".
    wide : Wide, optional
        Columns that repeat by wave.
    """

    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: int = 1
    sheet: str | None = None
    dates: str | None = None
    text: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    codebook: str | None = None
    mapping: str | None = None
    wide: Wide | None = None

    def __post_init__(self) -> None:
        for name in ("text", "drop"):
            object.__setattr__(self, name, names_of(getattr(self, name)))
        allowed = {
            "delimiter": (*DELIMITERS, "tab"),
            "decimal": (".", ","),
            "thousands": (".", ",", " ", "none"),
            "dates": DATE_ORDERS,
        }
        for name, values in allowed.items():
            given = getattr(self, name)
            if given is not None and given not in values:
                shown = ", ".join(repr(v) for v in values)
                raise UsageError(f"{name}={given!r} is not known; there are {shown}.")
        if self.decimal is not None and self.decimal == self.thousands:
            raise UsageError("the decimal mark and the mark of thousands are the same; name two.")
        if isinstance(self.header, bool) or not isinstance(self.header, int) or self.header < 1:
            raise UsageError("header is the number of a row, from 1.")
