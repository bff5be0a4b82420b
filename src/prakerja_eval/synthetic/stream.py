"""How is a programme simulated that is too large for memory? Chunk by chunk, to files."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic import applications, columns, records
from prakerja_eval.synthetic.codebook import codebook
from prakerja_eval.synthetic.draws import CHUNK, Draws
from prakerja_eval.synthetic.limits import one_of
from prakerja_eval.synthetic.lottery import Assignment, Round
from prakerja_eval.synthetic.made import write_manifest
from prakerja_eval.synthetic.process import Process, assignment, begin
from prakerja_eval.synthetic.scenario import Scenario
from prakerja_eval.synthetic.sheets import FORMS, Sheet
from prakerja_eval.synthetic.starter import study_text
from prakerja_eval.synthetic.truth import truth_of
from prakerja_eval.synthetic.world import allowed


@dataclass(frozen=True, slots=True)
class Order:
    """A folder of synthetic data that is asked for.

    Attributes
    ----------
    scenario : Scenario
    n_applicants, seed : int
    form : {"parquet", "csv"}
        Of the panel and of the applications.
    language : {"en", "id"}
        Of the codebook.
    command : str
        How it was asked for; stands in the manifest.
    """

    scenario: Scenario
    n_applicants: int
    seed: int
    form: str = "parquet"
    language: str = "en"
    command: str = ""

    def __post_init__(self) -> None:
        allowed(self.n_applicants, self.seed)
        one_of("form", self.form, FORMS)
        one_of("language", self.language, ("en", "id"))


def stream(
    scenario: Scenario | str,
    n_applicants: int,
    seed: int,
    folder: str | Path,
    on_part: Callable[[int], None] = lambda _people: None,
) -> Path:
    """Simulate a programme chunk by chunk and write it to a folder, whole or not at all.

    The rows are those of ``simulate`` with the same arguments. The people of a chunk are a row
    group of the panel, so nobody is split; all that is held of everybody are the lottery's small
    arrays, so the whole programme (22.8 million applicants, four waves) takes less than 2 GB.

    Parameters
    ----------
    scenario : Scenario or str
        A scenario, or the name of one that ships.
    n_applicants, seed : int
        As in ``simulate``.
    folder : path
        A folder that is not there yet, or empty.
    on_part : callable, optional
        Called with the number of people after each chunk.

    Returns
    -------
    Path
        The folder, with panel.parquet, applications.parquet, records.parquet (what the
        administration has on each place), truth.csv, scenario.toml (reads back as the same
        scenario), codebook.csv, study.toml (``prakerja-eval report`` runs it) and manifest.json.

    Raises
    ------
    UsageError
        As ``simulate``; or if the folder holds files, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from prakerja_eval.synthetic import stream
    >>> with tempfile.TemporaryDirectory() as home:
    ...     folder = stream("null", 500, 1, f"{home}/world")
    ...     sorted(path.name for path in folder.glob("*.parquet"))
    ['applications.parquet', 'panel.parquet', 'records.parquet']
    """
    found = Scenario.named(scenario) if isinstance(scenario, str) else scenario
    order = Order(found, n_applicants, seed, command="prakerja_eval.synthetic.stream")
    target = Path(folder).resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{str(folder)!r} holds something; name a new or an empty folder.")
    try:
        _fill_beside(target, order, on_part)
    except OSError as error:
        raise UsageError(
            f"{str(folder)!r} cannot be written ({error.strerror or error}); make room there, or "
            "name another folder."
        ) from error
    return target


def _fill_beside(target: Path, order: Order, on_part: Callable[[int], None]) -> None:
    """Fill a folder beside the target and rename it; a failure leaves nothing."""
    fresh = target.with_name(f".{target.name}.new-{os.getpid()}-stream")
    fresh.mkdir()
    try:
        fill(fresh, order, on_part)
        if target.exists():
            target.rmdir()
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def fill(folder: Path, order: Order, on_part: Callable[[int], None] = lambda _people: None) -> None:
    """Write everything into an empty folder; see ``stream``."""
    process, seed, n = begin(order.scenario), order.seed, order.n_applicants
    given = _applications(folder, process, order)
    with Sheet(folder, "panel", order.form) as sheet:
        for k, piece in enumerate(columns.tables(process, given, seed)):
            sheet.write(piece)
            on_part(min(CHUNK, n - k * CHUNK))
    with Sheet(folder, "records", order.form) as sheet:
        for piece in records.tables(process, given, seed):
            sheet.write(piece)
    truth = truth_of(process, given, Draws(seed, 0, n)).frame
    _csv(folder / "truth.csv", truth)
    _csv(folder / "codebook.csv", codebook(order.language))
    _text(folder / "scenario.toml", order.scenario.to_toml())
    study = study_text(order.scenario, f"panel.{order.form}", n, seed, truth)
    _text(folder / "study.toml", study)
    write_manifest(folder, _made(order))


def _applications(folder: Path, process: Process, order: Order) -> Assignment:
    """Draw the lotteries, writing the applications of each batch as it is drawn."""
    with Sheet(folder, "applications", order.form) as sheet:

        def write(found: Round) -> None:
            for piece in applications.of_round(process, found):
                sheet.write(piece)

        given = assignment(process, Draws(order.seed, 0, order.n_applicants), write)
        if not sheet.rows:
            for piece in applications.without_rounds(process, given):
                sheet.write(piece)
    return given


def _made(order: Order) -> dict[str, object]:
    """Return from what an order is made."""
    scenario = order.scenario
    return {
        "scenario": scenario.name or scenario.title,
        "account": scenario.account,
        "n_applicants": order.n_applicants,
        "seed": order.seed,
        "command": order.command,
    }


def _csv(path: Path, frame: pd.DataFrame) -> None:
    _text(path, frame.to_csv(index=False, lineterminator="\n"))


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
