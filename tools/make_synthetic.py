"""Which small synthetic panels ship, one a scenario? Write them to data/synthetic, or check them.

Run ``python tools/make_synthetic.py`` (or ``make synthetic``): the same bytes each time. With
``--check`` it writes nothing: it makes them again elsewhere, compares every file byte for byte,
prints what differs, and exits 1 if anything does. Where pyarrow is another version than the one
that wrote the files, Parquet is compared by content.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from prakerja_eval.synthetic import Scenario, World, columns, simulate
from prakerja_eval.synthetic.codebook import codebook
from prakerja_eval.synthetic.starter import study_text

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "data" / "synthetic"
SEED = 20200411  # the day on which the first batch opened
DIGITS = 8  # of numbers that are not whole, so that the last bit of a machine does not matter
PEOPLE = {"phone_sample": 1_500, "matched_national": 1_000}
ROWS = 2_400  # of the panel of every other scenario, about: the folder stays under 15 MB


@dataclass(frozen=True, slots=True)
class Sample:
    """One panel that ships.

    Attributes
    ----------
    folder : str
    scenario : str
    account : str or None
    people : int
    """

    folder: str
    scenario: str
    account: str | None
    people: int

    def found(self) -> Scenario:
        """Return the scenario."""
        return Scenario.named(self.scenario, self.account)

    def command(self) -> str:
        """Return the command that simulates the same programme."""
        account = f" --account {self.account}" if self.account else ""
        return (
            f"prakerja-eval simulate --scenario {self.scenario}{account} "
            f"--applicants {self.people} --seed {SEED} --out {self.folder}"
        )


def samples() -> list[Sample]:
    """Return the panels that ship: one a scenario, or one an account where it follows one."""
    out = []
    for name in Scenario.names():
        if name in PEOPLE:
            accounts = Scenario.accounts()
            out += [Sample(f"{name}_{a}", name, a, PEOPLE[name]) for a in accounts]
        else:
            waves = len(Scenario.named(name).survey.waves)
            out.append(Sample(name, name, None, ROWS // waves // 50 * 50))
    return out


# --- writing --------------------------------------------------------------------------------------


def write_all(home: Path, chosen: list[Sample]) -> None:
    """Write the panels and what belongs to all of them."""
    home.mkdir(parents=True, exist_ok=True)
    for name, text in shared_files().items():
        write_text(home / name, text)
    for sample in chosen:
        write_sample(home / sample.folder, sample)


def shared_files() -> dict[str, str]:
    """Return the text of the files that belong to all panels, by name."""
    books = {f"codebook_{lang}.csv": codebook(lang) for lang in ("en", "id")}
    texts = {name: frame.to_csv(index=False, lineterminator="\n") for name, frame in books.items()}
    return texts | {"README.md": readme(), "made.toml": f'pyarrow = "{pyarrow_version()}"\n'}


def pyarrow_version() -> str:
    """Return the version of pyarrow, which fixes the bytes of Parquet."""
    return metadata.version("pyarrow")


def write_sample(folder: Path, sample: Sample) -> None:
    """Write one panel with its truth and what it was made from."""
    scenario = sample.found()
    world = simulate(scenario, n_applicants=sample.people, seed=SEED)
    folder.mkdir(parents=True)
    panel = rounded(panel_of(world))
    truth = truth_of(world)
    write_text(folder / "panel.csv", as_csv(panel))
    write_parquet(folder / "panel.parquet", panel)
    for name in ("applications", "records"):
        table = pa.Table.from_pandas(getattr(world, name), preserve_index=False)
        write_parquet(folder / f"{name}.parquet", rounded(table))
    everybody = truth.filter(pc.is_null(truth["subgroup"]))
    write_text(folder / "truth.csv", as_csv(everybody))
    write_parquet(folder / "truth.parquet", truth)
    write_text(folder / "scenario.toml", scenario.to_toml())
    study = study_text(scenario, "panel.parquet", sample.people, SEED, world.truth.frame)
    write_text(folder / "study.toml", study)
    write_text(folder / "made.toml", made(sample))


def panel_of(world: World) -> pa.Table:
    """Return a world's panel, text as text."""
    parts = columns.tables(world.process, world.assignment, world.seed)
    found = pa.concat_tables(parts)
    return found.cast(columns.plain(found.schema))


def truth_of(world: World) -> pa.Table:
    """Return a world's truth; labels as text."""
    frame = world.truth.frame
    numbers = ["truth", "mc_se", "event_time"]
    cells = {
        name: pa.array(pd.to_numeric(frame[name]).astype(float), from_pandas=True)
        if name in numbers
        else pa.array(frame[name].where(frame[name].notna(), None), pa.string())
        for name in frame.columns
    }
    return rounded(pa.table(cells))


def rounded(table: pa.Table) -> pa.Table:
    """Return a table whose numbers have so many digits that they are the same everywhere."""
    for k, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            known = table.column(k).combine_chunks()
            values = known.to_numpy(zero_copy_only=False)
            short = [float(f"{v:.{DIGITS}g}") for v in values]
            cells = pa.array(short, pa.float64(), mask=np.isnan(values))
            table = table.set_column(k, field.name, cells)
    return table


def as_csv(table: pa.Table) -> str:
    """Return a table as CSV: nothing for what is missing, quotation marks only where needed."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return buffer.getvalue()


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet, without pandas' or Arrow's own notes in it."""
    bare = table.replace_schema_metadata(None)
    parquet.write_table(bare, path, compression="zstd", store_schema=False)


def write_text(path: Path, text: str) -> None:
    """Write text with the same line endings everywhere."""
    path.write_text(text, encoding="utf-8", newline="")


def made(sample: Sample) -> str:
    """Return from what a panel was made, as TOML."""
    account = f'account = "{sample.account}"\n' if sample.account else ""
    return (
        f'scenario = "{sample.scenario}"\n{account}n_applicants = {sample.people}\nseed = {SEED}\n'
        f'command = "{sample.command()}"\n'
    )


README = """# Synthetic data

Nobody in these files is real. People, places below the province, answers and receipts are drawn by
`prakerja_eval.synthetic`, and ids begin with `SYN-`. Because they are drawn, the true effect of the
programme is known, and stands beside each panel.

`make synthetic` writes every folder again, the same bytes each time, with seed {seed};
`python tools/make_synthetic.py --check` compares without writing.

| folder | people | what it is |
|---|---|---|
{rows}

In each folder:

| file | what is in it |
|---|---|
| `panel.csv`, `panel.parquet` | a row a person and wave: the same numbers twice |
| `applications.parquet` | a row a person and batch, with lottery number, odds and result |
| `records.parquet` | a row a place: what the administration has on course, payments, revocation |
| `truth.csv` | the true effects on all people, on the index of an `Estimate` ("limit": see below) |
| `truth.parquet` | the same with subgroups |
| `scenario.toml` | the scenario with every option, to copy and change |
| `study.toml` | `prakerja-eval report study.toml` runs it |
| `made.toml` | scenario, people, seed and command |

Truth of the kind "effect" is what the programme does; "limit" is what the estimator of that name
tends to, right or not, with its Monte Carlo error `mc_se`.

`codebook_en.csv` and `codebook_id.csv` say what each column means, in English and Indonesian, and
whether a researcher could observe it.

Numbers that are not whole (weights, odds, lottery numbers, truths) are written with {digits}
digits, so that machines agree on them; the command in `made.toml` gives the same panel with every
digit. The bytes of Parquet depend on the writer too: they are those of pyarrow {pyarrow}, which
`locks/` fixes. With another version the check compares what the files hold.

These panels are small, to look at and to test with. Simulate more people to learn how an estimator
does.

`batches.csv` and `batches_truth.csv` are older and stand alone: `make_batches.py` says what they
are.
"""


def readme() -> str:
    """Return the text of the folder's page."""
    rows = []
    for sample in samples():
        found = sample.found()
        account = f", account `{sample.account}`" if sample.account else ""
        rows.append(f"| `{sample.folder}` | {sample.people:,} | {found.title}{account} |")
    return README.format(seed=SEED, digits=DIGITS, rows="\n".join(rows), pyarrow=pyarrow_version())


# --- checking -------------------------------------------------------------------------------------


def differences(old: Path, new: Path, same_writer: bool) -> list[str]:
    """Return what differs between two homes, a line a file.

    Parameters
    ----------
    old, new : Path
        The committed files, and those made again.
    same_writer : bool
        Whether one version of pyarrow wrote both, so that Parquet has the same bytes.
    """
    out = []
    for name in sorted(files(old) | files(new)):
        if not (old / name).exists():
            out.append(f"{name}: is missing")
        elif not (new / name).exists():
            out.append(f"{name}: is made by no scenario")
        elif not same(old / name, new / name, same_writer):
            out.append(f"{name}: differs")
    return out


def files(home: Path) -> set[str]:
    """Return the files in the folders of a home, and those that belong to all of them."""
    inside = {p.relative_to(home).as_posix() for p in home.glob("*/*") if p.is_file()}
    shared = {name for name in shared_files() if (home / name).exists()}
    return {name for name in inside if "__pycache__" not in name} | shared


def same(old: Path, new: Path, same_writer: bool) -> bool:
    """Say whether two files are the same."""
    if old.read_bytes() == new.read_bytes():
        return True
    if same_writer:
        return False
    if old.suffix == ".parquet":
        return bool(parquet.read_table(old).equals(parquet.read_table(new)))
    return old.name in ("README.md", "made.toml")  # they name the version


def check(home: Path) -> list[str]:
    """Return what differs between the committed files and those made again."""
    with tempfile.TemporaryDirectory() as place:
        again = Path(place)
        write_all(again, samples())
        return differences(home, again, written_by(home) == pyarrow_version())


def written_by(home: Path) -> str:
    """Return the version of pyarrow that wrote the committed files."""
    text = (home / "made.toml").read_text(encoding="utf-8")
    return text.partition('"')[2].partition('"')[0]


def main(arguments: list[str] | None = None) -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    if parser.parse_args(arguments).check:
        found = check(HOME)
        for line in found:
            print(f"data/synthetic/{line}", file=sys.stderr)
        print(f"synthetic data: {len(samples())} panels, {len(found)} differences")
        return 1 if found else 0
    for folder in (p for p in HOME.iterdir() if p.is_dir() and (p / "made.toml").exists()):
        shutil.rmtree(folder)
    write_all(HOME, samples())
    print(f"wrote {len(samples())} panels to data/synthetic")
    return 0


if __name__ == "__main__":
    sys.exit(main())
