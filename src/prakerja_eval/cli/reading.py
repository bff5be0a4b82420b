"""How is a file to be read? The options that every command on data shares."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option("--drop", default="", help="Columns left out, with commas between: nama,hp."),
    click.option("--text", default="", help="Columns whose cells are text, with commas between."),
    click.option("--delimiter", help='Between cells of a text file: "," ";" "|" or tab.'),
    click.option("--decimal", help='Decimal mark of a text file: "." or ",".'),
    click.option("--thousands", help='Mark between thousands: "." "," " " or none.'),
    click.option("--encoding", help="Of a text file: utf-8, cp1252, ..."),
    click.option("--header", type=int, help="Row in which the names stand (text, Excel) [1]."),
    click.option("--sheet", help="Of an Excel file."),
    click.option("--dates", help="Order of dates such as 03/04/2021: dmy or mdy."),
    click.option("--codebook", help="TOML file with labels and missing codes."),
)


def reading_options(command: Command) -> Command:
    """Add the reading options to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_options(given: dict[str, Any]) -> Any:
    """Return the ReadOptions that were given on the command line."""
    from prakerja_eval.panel import ReadOptions

    named = {k: v for k, v in given.items() if v not in (None, "")}
    for key in ("drop", "text"):
        if key in named:
            named[key] = tuple(part.strip() for part in named[key].split(",") if part.strip())
    return ReadOptions(**named)
