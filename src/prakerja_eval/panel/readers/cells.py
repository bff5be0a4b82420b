"""What is a column of strings for Arrow, and where do its cells have blanks around them?"""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def arrow_text(column: pd.Series) -> pa.ChunkedArray | None:
    """Return a column of strings and missing cells for Arrow; None if it holds anything else."""
    if not pd.api.types.is_string_dtype(column) and column.dtype != object:
        return None
    try:
        cells = pa.array(column, type=pa.string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return None
    return cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])


def trimmed(cells: pa.ChunkedArray) -> tuple[pa.ChunkedArray, bool]:
    """Take the blanks off the cells, and say whether there were any."""
    bare = pc.utf8_trim_whitespace(cells)
    changed = pc.any(pc.not_equal(bare, cells)).as_py()
    return (bare, True) if changed else (cells, False)


def without(cells: pa.ChunkedArray, mask: pa.ChunkedArray) -> pa.ChunkedArray:
    """Make the cells under a mask missing."""
    return pc.if_else(mask, pa.scalar(None, pa.string()), cells)
