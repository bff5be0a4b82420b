"""How does a file become a Table? One reader a format; what was assumed is noted."""

from prakerja_eval.panel.readers.door import FORMATS, Source, read_table

__all__ = ["FORMATS", "Source", "read_table"]
