"""Which cells stand for a run of equal ones? A unit's rows mostly follow each other."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.typing import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The runs of equal cells of a column.

    Attributes
    ----------
    heads : arrow array
        One cell a run.
    ends : (k,) int array
        The row after the last one of each run.
    """

    heads: pa.Array
    ends: IntArray

    def lengths(self) -> IntArray:
        """Return the rows of each run, (k,)."""
        return np.diff(self.ends, prepend=0)

    def spread(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return texts of runs as texts of rows."""
        cells = texts.cast(pa.large_string()).combine_chunks()
        if isinstance(cells, pa.ChunkedArray):  # as Arrow combines what is empty
            cells = pa.concat_arrays([*cells.chunks, pa.array([], pa.large_string())])
        encoded = pa.RunEndEncodedArray.from_arrays(pa.array(self.ends), cells)
        return pa.chunked_array([pc.run_end_decode(encoded)])


def runs_of(cells: pa.Array | pa.ChunkedArray) -> Runs | None:
    """Return the runs of a column; None where they save less than half of the cells."""
    chunks = cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]
    kind = cells.type
    known = pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not known or not len(cells):
        return None
    parts = [pc.run_end_encode(chunk, run_end_type=pa.int64()) for chunk in chunks if len(chunk)]
    if 2 * sum(len(part.values) for part in parts) > len(cells):
        return None
    before = np.cumsum([0, *(len(part) for part in parts)])
    ends = [part.run_ends.to_numpy() + n for part, n in zip(parts, before[:-1], strict=True)]
    return Runs(pa.concat_arrays([part.values for part in parts]), np.concatenate(ends))


def factorise(column: pd.Series) -> tuple[IntArray, pd.Index]:
    """Return codes in order of first appearance, -1 where missing, and the labels.

    What ``pandas.factorize`` returns, with one look-up a run of equal text cells.
    """
    runs = None
    if isinstance(column.dtype, pd.StringDtype):
        runs = runs_of(pa.array(column, from_pandas=True))
    if runs is None:
        codes, labels = pd.factorize(column)
        return np.asarray(codes, dtype=np.int64), pd.Index(labels)
    codes, labels = pd.factorize(pd.Series(runs.heads.to_pandas(), dtype=column.dtype))
    return np.repeat(np.asarray(codes, dtype=np.int64), runs.lengths()), pd.Index(labels)
