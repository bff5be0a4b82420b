"""How do ids become pseudonyms that nobody can turn back without the key? A keyed HMAC."""

import base64
import hmac
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, IdentifierError, UsageError
from prakerja_eval.estimate.specs import names_of
from prakerja_eval.panel.columns import known_column, refuse_damaged_ids
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.privacy.keys import read_key
from prakerja_eval.panel.privacy.screen import Identifier, listed, screen
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.table import Table, Variable
from prakerja_eval.panel.values import as_text

PREFIX = "P-"
BYTES = 16
WHOLE = r"^([0-9]+)\.0+$"  # a whole number as a spreadsheet or a float column writes it
# Cells that say that there is no id. Of eight digits and more, one digit repeated is none
# (9999999999999999); 1111 may be the person after 1110.
NO_ID = frozenset(
    [
        "",
        "na",
        "n/a",
        "nan",
        "none",
        "null",
        "nihil",
        "kosong",
        "tidak tahu",
        "tdk tahu",
        "tidak ada",
        "tdk ada",
        "tidak punya",
        "tidak memiliki",
        "belum ada",
        "belum punya",
        "lupa",
        "menolak",
        "tidak menjawab",
        "missing",
        "unknown",
        "don't know",
        "dont know",
        "dk",
        "refused",
    ]
)
NOTHING = r"[\s.\-_?/*#]*|0+|" + "|".join(f"{d}{{8,}}" for d in range(1, 10))


def pseudonymise(
    source: str | Path | pd.DataFrame,
    columns: str | Iterable[str],
    key_file: str | Path,
    drop: str | Iterable[str] = (),
    options: ReadOptions | None = None,
) -> pd.DataFrame:
    """Replace ids by pseudonyms: the same id gives the same one in every column and file.

    A pseudonym is "P-" and 26 characters: HMAC-SHA256 of the id without spaces around it, under
    the key, cut to 128 bits, in base32. 16 digits count without the blanks, dots and dashes between
    them, and 12.0 is 12; 0012 is another id than 12. Cells that stand for no id ("-", "tidak tahu",
    0, one digit repeated) become missing.

    Parameters
    ----------
    source : path or DataFrame
        A file as ``read_panel`` reads it.
    columns : str or several
        The columns of ids, such as ``("nik", "kk")``. They are read as text.
    key_file : path
        From ``new_key``; kept outside the project and away from the data.
    drop : str or several, optional
        Columns left out, such as names and phone numbers.
    options : ReadOptions, optional
        How the file is to be read.

    Returns
    -------
    DataFrame
        The data with pseudonyms, without the dropped columns; missing ids stay missing.

    Raises
    ------
    IdentifierError
        If other columns identify people: name them in ``columns`` or in ``drop``.
    DataError
        If ids are stored as floating-point numbers that do not hold all digits, one id stands
        with zeros before it and without, or a file is missing or unreadable.
    UsageError
        If a column is not there, or the key lies where it would travel with the data.

    References
    ----------
    Krawczyk, H., Bellare, M. and Canetti, R. (1997). HMAC: Keyed-hashing for message
    authentication. RFC 2104. doi:10.17487/RFC2104

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> key = pe.new_key("~/keys/survey.key")  # doctest: +SKIP
    >>> safe = pe.pseudonymise("raw.dta", ("nik", "kk"), key, drop=("nama", "hp"))  # doctest: +SKIP
    """
    how = options or ReadOptions()
    how = replace(how, drop=(*how.drop, *names_of(drop)))
    return pseudonymous_table(source, names_of(columns), key_file, how).frame


def pseudonymous_table(
    source: str | Path | pd.DataFrame,
    columns: tuple[str, ...],
    key_file: str | Path,
    options: ReadOptions,
) -> Table:
    """Return the table of ``pseudonymise`` with its labels and missing reasons."""
    return pseudonymous(source, columns, key_file, options)[0]


def pseudonymous(
    source: str | Path | pd.DataFrame,
    columns: tuple[str, ...],
    key_file: str | Path,
    options: ReadOptions,
) -> tuple[Table, dict[str, int]]:
    """Return the table, and by column how many filled cells stood for no id."""
    if not columns:
        raise UsageError("name at least one column of ids to replace.")
    if both := sorted(set(columns) & set(options.drop)):
        raise UsageError(f"{', '.join(map(repr, both))} cannot be replaced and left out at once.")
    data = None if isinstance(source, pd.DataFrame) else Path(source)
    key = read_key(key_file, data)
    table = read_table(source, options, frozenset(columns))
    _refuse_left(tuple(i for i in screen(table) if i.by == "header"))
    frame = table.frame.copy()
    for column in columns:
        known_column(frame, column)
    refuse_damaged_ids(frame, columns, 2.0**53)
    for column in columns:
        ids = table.frame[column]
        frame[column] = pseudonyms(ids, key)
    made = replace(table, frame=frame, codebook=_without_ids(table, columns))
    _refuse_left(screen(made))
    return made, {column: standing_for_none(table.frame[column]) for column in columns}


def pseudonyms(ids: pd.Series, key: bytes) -> pd.Series:
    """Return the pseudonym of each id; each distinct one is computed once.

    Raises
    ------
    DataError
        If ids are floating-point numbers with decimals or too large to hold every digit, or one
        id stands in the column with zeros before it and without.
    """
    _refuse_damaged(ids)
    codes, distinct = pd.factorize(_normal(ids))
    _refuse_lost_zeros(pd.Series(distinct, dtype="str"), str(ids.name))
    texts = np.array([*(pseudonym(t, key) for t in distinct), None], dtype=object)
    return pd.Series(texts[codes], index=ids.index, dtype="str")


def standing_for_none(ids: pd.Series) -> int:
    """Return how many filled cells stand for no id: "-", "tidak tahu", 0, 9999999999999999."""
    return int((_normal(ids).isna() & ids.notna()).sum())


def _normal(ids: pd.Series) -> pd.Series:
    """Return ids as they are hashed: no blanks around, 16 digits alone, 12 for 12.0."""
    codes, distinct = pd.factorize(pd.Series(as_text(ids), index=ids.index).str.strip())
    texts = pd.Series(distinct, dtype="str")
    texts = texts.str.replace(WHOLE, r"\1", regex=True)
    dense = texts.str.replace(r"[\s.'\-]", "", regex=True)
    texts = texts.where(~dense.str.fullmatch(r"[0-9]{16}").fillna(False).astype(bool), dense)
    none = texts.str.lower().isin(NO_ID) | texts.str.fullmatch(NOTHING).fillna(False).astype(bool)
    texts = texts.mask(none)
    cells = np.array([*texts.astype(object), None], dtype=object)
    return pd.Series(cells[codes], index=ids.index, dtype="str")


def _refuse_lost_zeros(distinct: pd.Series, column: str) -> None:
    """Refuse a column with "0012" and "12": one person would become two."""
    digits = distinct[distinct.str.fullmatch("[0-9]+").fillna(False).astype(bool)]
    short = digits.str.lstrip("0")
    if short.duplicated().any():
        raise DataError(
            f"the id column {column!r} holds ids that differ only by zeros before them, such as "
            "0012 and 12: zeros may have been lost in part of the rows. Write every id with the "
            "same number of digits and export again."
        )


def pseudonym(text: str, key: bytes) -> str:
    """Return the pseudonym of one id."""
    digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:BYTES]
    return PREFIX + base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def _refuse_damaged(ids: pd.Series) -> None:
    if not pd.api.types.is_float_dtype(ids.dtype):
        return
    numbers = ids.dropna().to_numpy(dtype=np.float64)
    limit = 2.0**24 if ids.dtype.itemsize == 4 else 2.0**53
    if not ((np.abs(numbers) < limit) & (numbers == np.floor(numbers))).all():
        raise DataError(
            f"the id column {str(ids.name)!r} is stored as floating-point numbers that do not hold "
            "every digit: ids may already be damaged. Store ids as text and export again."
        )


def _without_ids(table: Table, columns: tuple[str, ...]) -> dict[str, Variable]:
    """Return the codebook without the value labels of id columns, whose codes are ids."""
    empty: dict[str, str] = {}
    return {
        name: replace(variable, values=empty) if name in columns else variable
        for name, variable in table.codebook.items()
    }


def _refuse_left(found: tuple[Identifier, ...]) -> None:
    if found:
        raise IdentifierError(
            f"{len(found)} other column(s) tell who people are:\n{listed(found)}\nLeave each out "
            'with drop=("name", ...) or --drop, or name it in columns=("nik", ...) or --columns if '
            "it is an id that you need as a key; a column whose name is itself an identifier must "
            "be renamed in the file."
        )
