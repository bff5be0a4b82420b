"""How is a description set as HTML? Escaped, in one file, readable on a phone."""

from collections.abc import Sequence
from html import escape

from prakerja_eval.language import Catalogue
from prakerja_eval.panel.describe.grid import Grid, Section

STYLE = """
.panel-description { color: #1b1f24; background: #fff; padding: .1rem .25rem;
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
.panel-description h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
.panel-description h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-top: .5rem;
  border-top: 2px solid #00527f; }
.panel-description p { max-width: 44rem; margin: .3rem 0; overflow-wrap: anywhere; }
.panel-description .scroll { overflow-x: auto; margin: 1rem 0; max-width: 100%; }
.panel-description table { border-collapse: collapse; font-size: .875rem; margin: 0;
  font-variant-numeric: tabular-nums; color: inherit; background: #fff; }
.panel-description .caption { font-weight: 600; margin: 1rem 0 0; }
.panel-description .caption + .scroll { margin-top: .25rem; }
.panel-description th, .panel-description td { padding: .3rem .5rem; text-align: left;
  vertical-align: top; border-bottom: 1px solid #d0d7de; background: #fff; }
.panel-description thead th { border-bottom: 2px solid #57606a; vertical-align: bottom;
  font-weight: 600; }
.panel-description tbody th { font-weight: 500; min-width: 7rem; max-width: 16rem;
  overflow-wrap: anywhere; position: sticky; left: 0; }
.panel-description td.word { min-width: 4rem; max-width: 20rem; overflow-wrap: break-word; }
.panel-description .number { text-align: right; white-space: nowrap; }
.panel-description .note { color: #57606a; font-size: .875rem; }
@media (max-width: 40rem) {
  .panel-description tbody th { min-width: 6rem; max-width: 8rem; }
  .panel-description th, .panel-description td { padding: .3rem; }
  .panel-description td.word { min-width: 3.5rem; } }
"""


def whole_page(sections: Sequence[Section], words: Catalogue) -> str:
    """Return a page of its own.

    Parameters
    ----------
    sections : sequence of Section
    words : Catalogue
    """
    title = escape(words.text("describe.title"))
    return (
        f'<!doctype html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n"
        "<style>body { margin: 0 auto; padding: 1rem; max-width: 80rem; }</style>\n"
        f"</head>\n<body>\n{fragment(sections, words)}\n</body>\n</html>\n"
    )


def fragment(sections: Sequence[Section], words: Catalogue) -> str:
    """Return the part that a notebook shows, with its own style.

    Parameters
    ----------
    sections : sequence of Section
    words : Catalogue
    """
    parts = [f"<style>{STYLE}</style>", f"<h1>{escape(words.text('describe.title'))}</h1>"]
    for section in sections:
        parts.append(f"<section><h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(line)}</p>" for line in section.lines]
        parts += [_table(table) for table in section.grids]
        parts.append("</section>")
    return '<div class="panel-description">' + "\n".join(parts) + "</div>"


def _table(table: Grid) -> str:
    """Return a table that scrolls by itself where it is wide."""
    caption = escape(table.caption)
    head = "".join(
        f'<th scope="col"{_number(j, table)}>{escape(h).replace(chr(10), "<br>")}</th>'
        for j, h in enumerate(table.head)
    )
    rows = "\n".join(f"<tr>{_row(row, table)}</tr>" for row in table.rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<p class="caption">{caption}</p><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{caption}"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n'
        f"</tbody></table></div>{note}"
    )


def _row(row: Sequence[str], table: Grid) -> str:
    first = f'<th scope="row">{escape(row[0])}</th>'
    others = (
        f"<td{_number(j, table)}>{escape(cell)}</td>" for j, cell in enumerate(row[1:], start=1)
    )
    return first + "".join(others)


def _number(j: int, table: Grid) -> str:
    return ' class="number"' if j >= table.words else ' class="word"'
