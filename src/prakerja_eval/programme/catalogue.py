"""What is a programme as published? Its figures, batches and provinces, each with its source."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from prakerja_eval.errors import UsageError, nearest
from prakerja_eval.programme.figure import Figure
from prakerja_eval.programme.read import read_tree
from prakerja_eval.programme.records import Batch, Province

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("key", "value", "low", "high", "unit", "date", "source", "confidence", "note")
NAMES = ("prakerja", "iskur")


@dataclass(frozen=True, slots=True, repr=False)
class Programme:
    """A programme as published; what is not known is left out.

    Attributes
    ----------
    name, title, country, currency : str
    provinces : tuple of Province
        By code.
    batches : tuple of Batch
        By number.
    figures : mapping
        Dotted key to figure, such as "benefits.semi_bansos.training_voucher".
    not_found : mapping
        Dotted key to what was looked for and not found. It has no number: who needs one states
        an assumption.

    Examples
    --------
    >>> from prakerja_eval.programme import Programme
    >>> prakerja = Programme.named("prakerja")
    >>> prakerja.cite("benefits.semi_bansos.training_voucher")
    'Rp 1,000,000 (2020-2022; pontas.id, jabarekspres; found)'
    """

    name: str
    title: str
    country: str
    currency: str
    provinces: tuple[Province, ...]
    batches: tuple[Batch, ...]
    figures: Mapping[str, Figure] = field(hash=False)
    not_found: Mapping[str, str] = field(hash=False)

    def __post_init__(self) -> None:
        for name in ("figures", "not_found"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[type["Programme"], tuple[object, ...]]:
        # a read-only mapping cannot be pickled, and a worker process needs it
        cells = (getattr(self, f.name) for f in fields(self))
        return Programme, tuple(dict(c) if isinstance(c, MappingProxyType) else c for c in cells)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the programmes that ship."""
        return NAMES

    @classmethod
    def named(cls, name: str) -> "Programme":
        """Return a programme that ships.

        Parameters
        ----------
        name : {"prakerja", "iskur"}
            Indonesia's Kartu Prakerja, or the vocational training of Turkey's İŞKUR.

        Raises
        ------
        UsageError
            For a programme that there is not.
        """
        if name not in NAMES:
            known = ", ".join(map(repr, NAMES))
            raise UsageError(
                f"there is no programme {name!r}; there are {known}.{nearest(str(name), NAMES)} "
                "Your own programme: Programme.read('your.toml')."
            )
        return _shipped(name)

    @classmethod
    def read(cls, path: str | Path) -> "Programme":
        """Read a programme from a TOML file, or from a folder of them that make one.

        Parameters
        ----------
        path : str or Path
            See the method page "programme" for the shape.

        Raises
        ------
        UsageError
            If it is missing, is no TOML, or has an unknown key, a figure without value, unit,
            date or source, or a wrong mark: every fault at once, each with its remedy.
        """
        place = Path(path)
        if not place.exists():
            raise UsageError(f"there is no file or folder {place.name!r} with a programme.")
        return cls._of(place)

    def figure(self, key: str) -> Figure:
        """Return a figure by its dotted key.

        Raises
        ------
        UsageError
            For a key that there is not, and for what was looked for and not found.
        """
        if key in self.figures:
            return self.figures[key]
        if key in self.not_found:
            raise UsageError(
                f"{self.title}: {key} was looked for and not found ({self.not_found[key]}). "
                "Where a number is needed, state it as your own assumption."
            )
        hint = nearest(key, (*self.figures, *self.not_found))
        raise UsageError(f"{self.title} has no figure {key!r}.{hint}")

    def cite(self, key: str) -> str:
        """Return a figure with its date, source and confidence in one line.

        Raises
        ------
        UsageError
            As `figure` does.
        """
        return str(self.figure(key))

    def frame(self) -> "pd.DataFrame":
        """Return every figure, one a row, those of batches and provinces included.

        Returns
        -------
        DataFrame
            Columns ``key, value, low, high, unit, date, source, confidence, note``. A range has
            ``low`` and ``high`` and no ``value``; a value with a published interval has all
            three. ``value`` holds numbers, texts and dates as they are published.
        """
        import pandas as pd

        rows = [_row(key, figure) for key, figure in self._all().items()]
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"low": float, "high": float})

    def _all(self) -> dict[str, Figure]:
        provinces = {f"province.{p.code}.{k}": v for p in self.provinces for k, v in _figures(p)}
        batches = {f"batch.{b.number}.{k}": v for b in self.batches for k, v in _figures(b)}
        return dict(self.figures) | batches | provinces

    @classmethod
    def _of(cls, place: Traversable) -> "Programme":
        files = [place] if place.is_file() else sorted(place.iterdir(), key=lambda f: f.name)
        texts = {}
        for file in files:
            if place.is_file() or file.name.endswith(".toml"):
                texts[file.name] = _text(file)
        if not texts:
            raise UsageError(f"the folder {place.name!r} has no .toml file with a programme.")
        parts = read_tree(texts, place.name)
        return cls(
            **parts.identity,
            provinces=parts.provinces,
            batches=parts.batches,
            figures=parts.figures,
            not_found=parts.not_found,
        )

    def __repr__(self) -> str:
        return (
            f"{self.title} ({self.country}): {len(self.figures)} figures, "
            f"{len(self.batches)} batches, {len(self.provinces)} provinces, "
            f"{len(self.not_found)} looked for and not found"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(key)}</td><td>{html.escape(str(figure))}</td></tr>"
            for key, figure in self.figures.items()
        )
        head = html.escape(repr(self))
        return f"<details><summary>{head}</summary><table>{rows}</table></details>"


@lru_cache(maxsize=len(NAMES))
def _shipped(name: str) -> Programme:
    return Programme._of(resources.files("prakerja_eval.programme").joinpath(name))


def _text(file: Traversable) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file.name} is not in UTF-8; save it again as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{file.name} cannot be read: {error.strerror}.") from error


def _figures(record: Batch | Province) -> list[tuple[str, Figure]]:
    cells = {f.name: getattr(record, f.name) for f in fields(record)}
    return [(k, v) for k, v in cells.items() if isinstance(v, Figure)]


def _row(key: str, figure: Figure) -> tuple[object, ...]:
    value = None if isinstance(figure.value, tuple) else figure.value
    ends = (figure.low, figure.high)
    about = (figure.unit, figure.date, figure.source, figure.confidence, figure.note)
    return (key, value, *ends, *about)
