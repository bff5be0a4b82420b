"""How does an id column become text, whatever its type, without a digit lost?"""

import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.errors import DataError

POINT_ZERO = r"^(0|[1-9][0-9]{0,15})\.0$"
POINT_ZERO_SAID = "The .0 of whole numbers was taken off the ids; name text= to keep it"
FLOAT64, FLOAT32 = 2.0**53, 2.0**24  # from here on not every whole number can be told apart


def id_cells(name: str, cells: pa.ChunkedArray, limit: float = FLOAT64) -> pa.ChunkedArray:
    """Return the cells of an id column as text, null where missing.

    Parameters
    ----------
    name : str
        Of the column, for messages; no cell is shown.
    cells : ChunkedArray
        Text, whole numbers, floating-point numbers that are whole, decimals, booleans.
    limit : float
        Below it the file's floating-point numbers are exact: 2**53, and 2**24 in single precision.

    Raises
    ------
    DataError
        If the numbers have fractions, or are so large that digits may be lost.
    """
    kind = cells.type
    if pa.types.is_boolean(kind):
        cells = cells.cast(pa.int8())
    elif pa.types.is_floating(kind):
        single = kind.bit_width <= 32
        cells = _whole(name, cells.cast(pa.float64()), min(limit, FLOAT32) if single else limit)
    elif pa.types.is_decimal(kind):
        return _plain_decimals(name, cells.cast(pa.string()))
    return trimmed(cells.cast(pa.string()))


def trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Take the blanks around text off; an empty cell is missing."""
    cells = pc.utf8_trim_whitespace(cells)
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells)


def without_point_zero(cells: pa.ChunkedArray) -> tuple[pa.ChunkedArray, bool]:
    """Take the ".0" off ids that a programme wrote as floating-point numbers, and say whether.

    "12" and "12.0" are one person. It is taken off if every cell with a point is so written.
    """
    point = pc.match_substring(cells, ".")
    if not pc.any(point).as_py():
        return cells, False
    if not pc.all(pc.match_substring_regex(cells.filter(point), POINT_ZERO)).as_py():
        return cells, False
    return pc.replace_substring_regex(cells, POINT_ZERO, r"\1"), True


def _whole(name: str, cells: pa.ChunkedArray, limit: float) -> pa.ChunkedArray:
    cells = pc.if_else(pc.is_nan(cells), pa.scalar(None, pa.float64()), cells)
    if pc.any(pc.greater_equal(pc.abs(cells), limit)).as_py():
        raise DataError(
            f"the id column {name!r} is stored as floating-point numbers, which do not hold 16 "
            "digits (7 in single precision): ids may already be damaged. Store ids as text and "
            "export again."
        )
    if pc.any(pc.not_equal(pc.floor(cells), cells)).as_py():
        raise DataError(
            f"the id column {name!r} holds numbers with fractions, so they are no ids. Name "
            "another column, or store ids as text and export again."
        )
    return cells.cast(pa.int64())


def _plain_decimals(name: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    cells = pc.replace_substring_regex(cells, r"\.0*$", "")
    if pc.any(pc.match_substring_regex(cells, r"[^0-9-]")).as_py():
        raise DataError(
            f"the id column {name!r} holds numbers with fractions, so they are no ids. Name "
            "another column, or store ids as text and export again."
        )
    return cells
