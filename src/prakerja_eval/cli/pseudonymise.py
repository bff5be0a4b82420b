"""How do raw data become data without ids? Pseudonyms under a key that is kept elsewhere."""

from pathlib import Path
from typing import Any

import click

from prakerja_eval.cli.reading import read_options, reading_options
from prakerja_eval.cli.say import say


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--columns", required=True, help="Columns of ids, with commas between: nik,kk.")
@click.option(
    "--key", required=True, type=click.Path(path_type=Path), help="Key file, outside the project."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="A .csv or .parquet file."
)
@click.option("--new-key", "fresh", is_flag=True, help="Make the key file first.")
@reading_options
def pseudonymise(data: Path, columns: str, key: Path, out: Path, fresh: bool, **given: Any) -> None:
    """Write DATA with pseudonyms in place of ids, and without the columns of --drop.

    The same id has the same pseudonym in every file made with the same key.
    """
    from prakerja_eval.panel.privacy.keys import new_key
    from prakerja_eval.panel.privacy.output import writable_output, write_output
    from prakerja_eval.panel.privacy.pseudonyms import pseudonymous

    named = tuple(part.strip() for part in columns.split(",") if part.strip())
    options = read_options(given)
    book = options.codebook
    writable_output(out, data, key, None if book is None else Path(book))
    if fresh:
        new_key(key, data)
    try:
        table, without = pseudonymous(data, named, key, options)
        codebook = write_output(table, out)
    except BaseException:
        if fresh:
            key.expanduser().unlink()
        raise
    if fresh:
        say(f"{key}: the new key; keep it safe, and apart from the data")
    for column in named:
        ids = table.frame[column]
        say(f"{column}: {ids.nunique():,} ids replaced in {ids.count():,} cells")
        if without[column]:
            say(f"{column}: {without[column]:,} cells that stand for no id are left empty")
    if options.drop:
        say(f"left out: {', '.join(options.drop)}")
    say(f"{out}: {len(table.frame):,} rows, {len(table.frame.columns)} columns")
    if codebook is not None:
        say(
            f"{codebook}: labels and the meaning of missing codes; read both with "
            f"--codebook {codebook}"
        )
