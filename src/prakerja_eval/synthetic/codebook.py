"""What does each column of a synthetic programme mean? A codebook in English and Indonesian."""

import tomllib
from importlib import resources
from typing import Any

import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.language import LANGUAGES

TABLES = ("panel", "applications", "records")
COLUMNS = (
    "table",
    "column",
    "role",
    "kind",
    "unit",
    "values",
    "label",
    "meaning",
    "observed",
)
BY_RESEARCHER, BY_NOBODY = "by a researcher", "only in a simulation"


def codebook(language: str = "en") -> pd.DataFrame:
    """Return what each column of a synthetic programme's tables means.

    Parameters
    ----------
    language : {"en", "id"}
        English or Indonesian. The columns of the codebook keep their names.

    Returns
    -------
    DataFrame
        A row a column, in the order in which they stand: ``table`` (panel, applications, or
        records of the administration), ``column``, ``role`` (in ``Roles``; empty for none),
        ``kind``, ``unit``, ``values``, ``label``, ``meaning``, and ``observed``: by a researcher,
        or only in a simulation.

    Raises
    ------
    UsageError
        For another language.

    Examples
    --------
    >>> from prakerja_eval.synthetic.codebook import codebook
    >>> book = codebook("id").set_index(["table", "column"])
    >>> book.loc[("panel", "employed"), "label"]
    'Bekerja'
    """
    if language not in LANGUAGES:
        known = ", ".join(map(repr, LANGUAGES))
        raise UsageError(f"language {language!r} is not known; there are {known}.")
    tree = _tree()
    words = tree["words"] if language == "id" else {word: word for word in tree["words"]}
    rows = [_row(name, entry, words, language) for name in TABLES for entry in tree[name]]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _tree() -> dict[str, Any]:
    source = resources.files("prakerja_eval.synthetic").joinpath("codebook.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _row(
    table: str, entry: dict[str, Any], words: dict[str, str], language: str
) -> tuple[str, ...]:
    """Return the cells of one column."""
    unit = entry.get("unit")
    return (
        table,
        entry["column"],
        entry["role"],
        words[entry["kind"]],
        words[unit] if unit else "",
        words[entry["values"]],
        entry["label"][language],
        entry["meaning"][language],
        words[BY_RESEARCHER if entry["observed"] else BY_NOBODY],
    )
