"""How is a table too large for memory written? Piece by piece, to Parquet or CSV."""

from pathlib import Path
from types import TracebackType

import pyarrow as pa
from pyarrow import csv, parquet

FORMS = ("parquet", "csv")


class Sheet:
    """A file of a table that is written piece by piece.

    A piece is a row group of a Parquet file. The same pieces give the same bytes: one thread
    writes, and no clock stands in the file.

    Parameters
    ----------
    folder : Path
    name : str
        Without its ending.
    form : {"parquet", "csv"}
        In CSV, text stands in quotation marks and missing values are empty.
    """

    def __init__(self, folder: Path, name: str, form: str) -> None:
        self.path = folder / f"{name}.{form}"
        self.rows = 0
        self._writer: parquet.ParquetWriter | csv.CSVWriter | None = None

    def __enter__(self) -> "Sheet":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, piece: pa.Table) -> None:
        """Write a piece; its columns are those of the first one."""
        if self._writer is None:
            self._writer = _opened(self.path, piece.schema)
        if len(piece):
            self._writer.write_table(piece)
            self.rows += len(piece)


def _opened(path: Path, schema: pa.Schema) -> parquet.ParquetWriter | csv.CSVWriter:
    """Return a writer of the kind that the file's name says."""
    if path.suffix == ".csv":
        bare = csv.WriteOptions(quoting_header="none")
        return csv.CSVWriter(str(path), schema, write_options=bare)
    # without Arrow's own schema, text is read back as text and not as categories
    return parquet.ParquetWriter(str(path), schema, compression="zstd", store_schema=False)
