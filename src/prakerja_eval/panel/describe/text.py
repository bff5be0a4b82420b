"""How is a description set as text of a hundred columns?"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from prakerja_eval.language import Catalogue
from prakerja_eval.panel.describe.grid import Grid, Section

WIDTH, GAP = 100, 2
NUMBERS = 70  # room that the columns of numbers have at least


def as_text(sections: Sequence[Section], words: Catalogue) -> str:
    """Return the sections as text.

    Parameters
    ----------
    sections : sequence of Section
    words : Catalogue
    """
    title = words.text("describe.title")
    lines = [title, "=" * len(title)]
    for section in sections:
        lines += ["", section.title, "-" * len(section.title)]
        for sentence in section.lines:
            lines += wrap(sentence, WIDTH, break_on_hyphens=False)
        for table in section.grids:
            lines += ["", *_grid(table)]
    return "\n".join(line.rstrip() for line in lines)


def _grid(table: Grid) -> Iterator[str]:
    """Yield the lines of a table, in blocks below each other where it is too wide."""
    yield from wrap(table.caption, WIDTH)
    columns = [_lines(table, j) for j in range(len(table.head))]
    widths = [max(map(len, column)) for column in columns]
    _shrink(widths, table.words)
    fixed = sum(widths[: table.words]) + GAP * table.words
    for block in _blocks(widths, table.words, WIDTH - fixed):
        chosen = [*range(table.words), *block]
        for line in zip(*(columns[j] for j in chosen), strict=True):
            yield (" " * GAP).join(
                _cut(cell, widths[j]) if j < table.words else cell.rjust(widths[j])
                for j, cell in zip(chosen, line, strict=True)
            )
    if table.note:
        yield from wrap(table.note, WIDTH)


def _lines(table: Grid, j: int) -> list[str]:
    """Return a column's lines, head first."""
    height = max(head.count("\n") for head in table.head) + 1
    head = table.head[j].split("\n")
    return [*[""] * (height - len(head)), *head, *(row[j] for row in table.rows)]


def _shrink(widths: list[int], words: int) -> None:
    """Make the widest columns of words narrower until the numbers have room beside them."""
    numbers = min(sum(widths[words:]) + GAP * len(widths[words:]), NUMBERS)
    while sum(widths[:words]) + GAP * words + numbers > WIDTH:
        widest = max(range(words), key=widths.__getitem__)
        widths[widest] -= 1


def _cut(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else cell[: width - 1] + "…"


def _blocks(widths: Sequence[int], words: int, room: int) -> list[list[int]]:
    """Return which columns of numbers stand side by side."""
    blocks: list[list[int]] = [[]]
    left = room
    for j in range(words, len(widths)):
        need = widths[j] + GAP
        if blocks[-1] and need - GAP > left:
            blocks.append([])
            left = room
        blocks[-1].append(j)
        left -= need
    return blocks
