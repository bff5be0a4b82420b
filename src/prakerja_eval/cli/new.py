"""How does one start? A commented study file from a look at the data."""

from pathlib import Path
from typing import Any

import click

from prakerja_eval.cli.reading import read_options, reading_options
from prakerja_eval.cli.say import say


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Study file to write.")
@click.option("--force", is_flag=True, help="Replace a study file that is there.")
@reading_options
def new(data: Path, out: Path, force: bool, **given: Any) -> None:
    """Write a study file for DATA, with comments that say what was guessed and why."""
    from prakerja_eval.study.draft import MEND, draft, writable_draft, write_draft

    options = read_options(given)
    inputs = (data, None if options.codebook is None else Path(options.codebook))
    writable_draft(out, inputs, replace=force)
    text = draft(data, out, options)
    write_draft(text, out)
    errors = text.count(f"# {MEND}")
    if errors:
        say(f"{errors} error(s) in the data stop an evaluation; the file names them at its top,")
        say(f"  and so does: prakerja-eval check {data}")
    say(f"{out}: read its comments, mend what is guessed wrong, then run")
    say(f"  prakerja-eval report {out}")
