"""Which rows lie in one block of the lottery? Combinations of the block columns, by name."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.panel.contract.codes import Codes, pair
from prakerja_eval.panel.roles import Roles
from prakerja_eval.panel.values import plain_text

NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The blocks of a table's rows.

    Attributes
    ----------
    codes : Codes
    names : (codes.count,) array of str
    private : bool
        Whether a block column is a column of ids, whose cells are never shown.
    """

    codes: Codes
    names: np.ndarray
    private: bool

    def shown(self, chosen: np.ndarray) -> str:
        """Write how many blocks these are, and the first of their names."""
        count = int(np.count_nonzero(chosen))
        word = "1 block" if count == 1 else f"{count:,} blocks"
        if self.private:
            return word
        names = sorted(map(str, self.names[chosen]))
        more = f" and {count - NAMES_SHOWN:,} more" if count > NAMES_SHOWN else ""
        return f"{word}: {', '.join(names[:NAMES_SHOWN])}{more}"


def blocks_of(frame: pd.DataFrame, roles: Roles) -> Blocks:
    """Return the blocks; one block, "all", where Roles names none."""
    if not roles.blocks:
        codes = Codes(np.zeros(len(frame), dtype=np.int64), 1)
        return Blocks(codes, np.array(["all"], dtype=object), False)
    private = bool(set(roles.blocks) & set(roles.id_columns()))
    codes, names = _labels(frame[roles.blocks[0]])
    for column in roles.blocks[1:]:
        other, more = _labels(frame[column])
        both = pair(codes, other)
        first = np.full(both.count, -1, dtype=np.int64)
        rows = np.flatnonzero(both.known)
        first[both.of[rows]] = rows
        at = first[first >= 0]
        joined = np.array([""] * both.count, dtype=object)
        parts = zip(names[codes.of[at]], more[other.of[at]], strict=True)
        joined[first >= 0] = [f"{a} / {b}" for a, b in parts]
        codes, names = both, joined
    return Blocks(codes, names, private)


def block_labels(frame: pd.DataFrame, roles: Roles) -> np.ndarray:
    """Return the block of each row as text, None without one; one block where Roles names none."""
    blocks = blocks_of(frame, roles)
    return np.array([*blocks.names, None], dtype=object)[blocks.codes.of]


def _labels(column: pd.Series) -> tuple[Codes, np.ndarray]:
    """Return a column's labels as codes, and their names; one name is one code."""
    codes, values = pd.factorize(column)
    texts = [plain_text(v) for v in values]
    places, names = pd.factorize(np.array(texts, dtype=object))
    merged = np.append(places, -1)[codes]
    return Codes(np.asarray(merged, dtype=np.int64), len(names)), np.asarray(names, dtype=object)
