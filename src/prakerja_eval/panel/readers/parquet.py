"""What does a Parquet file hold? Ids as text from the file's own types."""

from pathlib import Path

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError
from prakerja_eval.panel.columns import refuse_float_ids
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.table import Table


def read_parquet(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a Parquet file."""
    del options
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name!r} cannot be read as Parquet: {error}.") from error
    refuse_float_ids(frame, sorted(text), -np.inf)
    return Table(frame)
