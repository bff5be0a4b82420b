"""How far can an estimator be trusted in a simulated programme? The table, and a folder of it."""

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prakerja_eval.cli.say import printable, say
from prakerja_eval.errors import NotEstimableError, UsageError

if TYPE_CHECKING:
    from prakerja_eval.compare.diagnosis import Diagnosis

MADE = ("diagnosis.csv", "reasons.csv")
ENDING = ".svg"
SHARES = ("employed", "self_employed", "formal", "owns_business", "new_job", "certificate")
AMOUNTS = ("income", "income_gross", "programme_cash")
UNITS = {
    **dict.fromkeys((*SHARES, "financial_account", "received"), "share"),
    **dict.fromkeys(AMOUNTS, "rupiah a month"),
}


@click.command()
@click.argument("scenario", nargs=-1, required=True)
@click.option(
    "--estimator",
    multiple=True,
    required=True,
    help="lottery.itt, did.twfe, matching.att, ...; give it again for several.",
)
@click.option(
    "--outcome",
    multiple=True,
    default=("employed", "income"),
    show_default=True,
    help="Column; give it again for several.",
)
@click.option("--draws", type=int, default=200, show_default=True, help="Worlds, up to 100,000.")
@click.option("--applicants", type=int, default=10_000, show_default=True, help="In each world.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=int, help="Processes at a time [one a core].")
@click.option("--resume", type=click.Path(path_type=Path), help="Folder that keeps each draw.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for table and figures.")
def diagnose(scenario: tuple[str, ...], **given: Any) -> None:
    """Say how estimators do in SCENARIO: bias, RMSE, coverage, size and power.

    SCENARIO is the name of one that ships, a name with its account (phone_sample:non_receipt), or
    a TOML file; several are shown in one table. An interrupted run goes on where it stopped if
    --resume names a folder. A draw of 3,000 to 10,000 people takes a core about 0.5 to 2 seconds.
    """  # fmt: skip
    out = given["out"]
    if out is not None:
        _refuse_unusable(out)  # before the work, and not after it
    found = _run(scenario, given)
    say(found.summary())
    _refuse_nothing(found)
    if out is not None:
        _write(found, out)
        say(str(out))


def _run(scenario: tuple[str, ...], given: dict[str, Any]) -> "Diagnosis":
    """Draw behind a bar."""
    from prakerja_eval.compare.diagnose import Experiment
    from prakerja_eval.compare.estimators import standard

    experiment = Experiment(
        [_scenario(name) for name in scenario],
        standard(tuple(dict.fromkeys(given["estimator"])), given["outcome"]),
        given["draws"],
        given["applicants"],
        given["seed"],
    )
    label = printable(", ".join(scenario))
    total, hidden = given["draws"] * len(scenario), not sys.stderr.isatty()
    with click.progressbar(length=total, label=label, file=sys.stderr, hidden=hidden) as bar:
        return experiment.run(
            lambda _scenario, _number: bar.update(1), jobs=given["jobs"], resume=given["resume"]
        )


def _scenario(name: str) -> Any:
    """Return the scenario of a file, or the name of one that ships."""
    from prakerja_eval.synthetic import Scenario

    return Scenario.read(name) if name.lower().endswith(".toml") else name


def _refuse_unusable(out: Path) -> None:
    """Refuse a place where no folder can be written, and a folder with other things in it.

    Raises
    ------
    UsageError
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {str(out)!r} is a file; name a folder.")
    strange = sorted(p.name for p in out.iterdir() if not _ours(p)) if out.exists() else []
    if strange:
        raise UsageError(
            f"--out {str(out)!r} holds other files ({', '.join(strange[:3])}), and the whole "
            "folder is replaced: name a new or empty one."
        )
    home = next((p for p in out.resolve().parents if p.exists()), out)
    try:
        Path(tempfile.mkdtemp(dir=home, prefix=".")).rmdir()  # asking for rights is not enough
    except OSError as error:
        raise UsageError(
            f"--out {str(out)!r} cannot be written there ({error.strerror}); name another folder."
        ) from error


def _refuse_nothing(found: "Diagnosis") -> None:
    """Refuse a diagnosis without an estimate in any draw.

    Raises
    ------
    NotEstimableError
    """
    if (found.frame["failed"] == found.frame["draws"]).all():
        why = "; ".join(dict.fromkeys(found.reasons["reason"]))
        raise NotEstimableError(f"no estimator gave an estimate in any draw: {why}")


def _ours(path: Path) -> bool:
    """Say whether a file is one that this command writes."""
    named = path.name.startswith("diagnosis-") and path.suffix == ENDING
    return path.is_file() and (named or path.name in MADE)


def _write(found: "Diagnosis", out: Path) -> None:
    """Write the table, the reasons of failures, and a figure an outcome, whole or not at all."""
    from prakerja_eval.figures.diagnosis import diagnosis as draw
    from prakerja_eval.figures.save import as_svg
    from prakerja_eval.report.folder import write_whole
    from prakerja_eval.tables.table import csv_safe

    outcomes = [str(o) for o in found.frame["outcome"].dropna().unique()]

    def fill(folder: Path) -> None:
        for name, frame in zip(MADE, (found.frame, found.reasons), strict=True):
            safe = frame.map(lambda v: csv_safe(v) if isinstance(v, str) else v)
            text = safe.to_csv(index=False, lineterminator="\n")
            (folder / name).write_text(text, encoding="utf-8", newline="")
        for outcome in outcomes:
            name = f"diagnosis-{re.sub(r'[^A-Za-z0-9_]', '_', outcome)}{ENDING}"
            title = outcome.replace("_", " ").capitalize()
            figure = draw(found, outcome=outcome, unit=UNITS.get(outcome, ""), title=title)
            (folder / name).write_bytes(as_svg(figure))

    write_whole(out.resolve(), fill)
