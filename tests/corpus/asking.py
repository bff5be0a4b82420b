"""What is read and checked: files in memory, roles, options; and how a corpus entry is put."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

import prakerja_eval as pe

Content = bytes | Callable[[Path], None]
ROLES = pe.Roles(
    unit="person_id",
    wave="wave",
    baseline="2020-07",
    offer="selected",
    received="trained",
    blocks=("batch", "province"),
    probability="odds",
    household="household",
    weight="weight",
    psu="psu",
    responded="responded",
    attempts="attempts",
)


def csv(frame: pd.DataFrame, **how: Any) -> bytes:
    """A frame as the bytes of a text file, the same on every machine."""
    encoding = how.pop("encoding", "utf-8")
    return frame.to_csv(index=False, lineterminator="\n", **how).encode(encoding)


@dataclass(frozen=True)
class Asking:
    """Files, and what is asked of them.

    ``frame`` is written by ``write`` into a file named after the entry and ``ending``; ``beside``
    holds further files, "{}" in a name stands for that of the entry. ``waves`` maps waves to names
    of ``beside`` where several files make the panel. ``options.codebook`` and ``options.mapping``
    are names of ``beside``. ``source`` is read as it is, where no file is to be written.
    """

    frame: pd.DataFrame | None = None
    roles: pe.Roles = ROLES
    options: pe.ReadOptions = field(default_factory=pe.ReadOptions)
    outcomes: tuple[str, ...] = ("income", "employed")
    covariates: tuple[str, ...] = ("age", "female", "education")
    ending: str = ".csv"
    write: Callable[[pd.DataFrame], Content] = csv
    raw: Content | None = None
    beside: Mapping[str, Content] = field(default_factory=dict)
    waves: Mapping[Any, str] = field(default_factory=dict)
    source: Any = None

    def files(self, name: str) -> dict[str, Content]:
        """The files of an entry, by name."""
        out = {beside.format(name): content for beside, content in self.beside.items()}
        if self.raw is not None:
            out[name + self.ending] = self.raw
        elif self.frame is not None:
            out[name + self.ending] = self.write(self.frame)
        return out

    def place(self, name: str, folder: Path) -> Any:
        """Write the files; the source for read_panel."""
        put(self.files(name), folder)
        if self.source is not None:
            return self.source
        if self.waves:
            return {wave: folder / file.format(name) for wave, file in self.waves.items()}
        return folder / (name + self.ending)

    def options_in(self, name: str, folder: Path) -> pe.ReadOptions:
        """The options, with codebook and mapping where they were written."""
        named = {k: getattr(self.options, k) for k in ("codebook", "mapping")}
        paths = {k: str(folder / v.format(name)) for k, v in named.items() if v is not None}
        return replace(self.options, **paths)

    def check(self, name: str, folder: Path) -> tuple[pe.Panel, pe.Check]:
        """Read the files and check them."""
        source = self.place(name, folder)
        panel = pe.read_panel(source, self.roles, self.options_in(name, folder))
        return panel, panel.check(self.outcomes, self.covariates)

    def named(self, **roles: Any) -> "Asking":
        """The same under other roles."""
        return replace(self, roles=replace(self.roles, **roles))

    def read(self, **options: Any) -> "Asking":
        """The same read with other options."""
        return replace(self, options=replace(self.options, **options))


def put(files: Mapping[str, Content], folder: Path) -> None:
    """Write files into a folder."""
    for file, content in files.items():
        if isinstance(content, bytes):
            (folder / file).write_bytes(content)
        else:
            content(folder / file)


Change = Callable[[Asking], Asking]


@dataclass(frozen=True)
class Found:
    """A fault to be found: its code or "code.variant", its rows, its columns."""

    code: str
    rows: tuple[int, ...]
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Entry:
    """A file with one fault: how a clean one is spoiled, what is found, how it is mended.

    ``found`` are faults of the contract; ``error`` is the class of a refusal and ``words`` what
    its message says, the option that mends it among them; ``kinds`` are columns that tell who
    people are, and of which kind. ``beside`` are further faults that the same slip makes, with the
    reason.
    """

    name: str
    says: str
    start: Callable[[], Asking]
    spoil: Change
    mend: Change
    found: tuple[Found, ...] = ()
    error: type[Exception] | None = None
    words: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def asking(self) -> Asking:
        """The spoiled file."""
        return self.spoil(self.start())

    @cached_property
    def mended(self) -> Asking:
        """The file after the remedy."""
        return self.mend(self.asking)


def frames(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    """A change of the frame alone."""
    return lambda a: replace(a, frame=change(a.frame.copy()))


def cells(column: str, value: Any, rows: Any) -> Change:
    """A change of cells of one column; rows count from 1."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        out = frame.astype({column: object})
        values = out[column].to_numpy(copy=True)
        for i, row in enumerate(rows):
            values[row - 1] = value[i] if isinstance(value, list) else value
        return out.assign(**{column: values})

    return frames(change)


def several(*changes: Change) -> Change:
    """One change after another."""

    def all_of(asking: Asking) -> Asking:
        for change in changes:
            asking = change(asking)
        return asking

    return all_of


def same(asking: Asking) -> Asking:
    """No change: what is asked is wrong, not the file."""
    return asking
