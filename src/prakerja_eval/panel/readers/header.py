"""Is the first row of a table a row of names, or of data? By its cells, of which none is shown."""

import re
from collections.abc import Sequence

from prakerja_eval.errors import DataError
from prakerja_eval.panel.words import suggests, word_lists

# what no column is called: amounts and codes but no years, e-mail addresses, telephones, dates
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")
YEAR = re.compile(r"(?:19|20)\d\d")
MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
PHONE = re.compile(r"(?:\+|\(?0|62)[\d ()-]{7,}")
DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}([-/.])\d{1,2}\1\d{2,4}")
SHORT = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
DIGITS = 4


def refuse_data(
    header: Sequence[str], rows: Sequence[Sequence[str]], drop: Sequence[str], name: str
) -> None:
    """Refuse a row of names that is one of data.

    Parameters
    ----------
    header : sequence of str
        Without blanks around the cells.
    rows : sequence of sequences of str
        The first rows below.
    drop : sequence of str
        Names that are left out.
    name : str
        Of the file.

    Raises
    ------
    DataError
    """
    cells = [c for c in header if c and c not in drop]
    if any(map(_is_value, cells)) or _numbers_twice(cells) or _like_the_rows(header, rows):
        raise DataError(
            f"the first row of {name!r} looks like a row of data, since it holds numbers or other "
            "values that name no column. Write a row of names above it, or name header= as the row "
            "in which the names stand."
        )


def _is_value(cell: str) -> bool:
    """Say whether a cell is a value by itself."""
    if NUMBER.fullmatch(cell) and not YEAR.fullmatch(cell):
        whole = re.split(r"[.,]", cell.lstrip("+-"))
        if max(map(len, whole)) >= DIGITS or (
            len(whole) > 1 and all(len(p) == 3 for p in whole[1:])
        ):
            return True
    return any(p.fullmatch(cell) is not None for p in (MAIL, PHONE, DATE))


def _numbers_twice(cells: Sequence[str]) -> bool:
    """Say whether a number stands twice: a question may be called 7, but no two of them."""
    numbers = [c for c in cells if SHORT.fullmatch(c)]
    return len(set(numbers)) < len(numbers)


def _like_the_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Say whether no cell is a usual name, and words of it stand in their columns again."""
    others = [r for r in rows if len(r) == len(header) and list(map(str.strip, r)) != list(header)]
    if not others or any(suggests(c, kind) for c in header if c.isalpha() for kind in word_lists()):
        return False
    again = sum(
        any(c.isalpha() for c in cell) and any(r[i].strip() == cell for r in others)
        for i, cell in enumerate(header)
    )
    unlike = sum(
        bool(SHORT.fullmatch(r.strip())) != bool(SHORT.fullmatch(cell))
        for cell, r in zip(header, others[0], strict=True)
        if cell and r.strip()
    )
    return again > 0 and unlike * 2 < len(header)
