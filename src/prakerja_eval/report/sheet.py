"""How is a table of the report kept until it stands on the page?"""

from dataclasses import dataclass
from pathlib import Path

from prakerja_eval.tables import Table


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the report: its section, file name without ending, and itself."""

    section: str
    name: str
    table: Table

    def write(self, folder: Path) -> None:
        """Write the table as HTML, CSV and LaTeX."""
        for ending, text in (
            ("html", self.table.to_html() + "\n"),
            ("csv", self.table.to_csv()),
            ("tex", self.table.to_latex()),
        ):
            (folder / f"{self.name}.{ending}").write_text(text, encoding="utf-8")
