"""The clean panels that are spoiled: 32 invented people of four lottery blocks in three waves."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from .asking import ROLES, Asking

WAVES = ("2020-07", "2021-02", "2021-08")
NUMBERED = (202007, 202102, 202108)
BLOCKS = ((4, "Bali"), (4, "Jambi"), (5, "Bali"), (6, "Jambi"))
PEOPLE, ROWS = 32, 96
AWAY = 30  # the row of a person who was not reached


@lru_cache(maxsize=1)
def _panel() -> pd.DataFrame:
    """A row a person and wave, people together, in whole numbers that no generator draws."""
    i = np.repeat(np.arange(PEOPLE), 3)
    wave = np.tile(np.arange(3), PEOPLE)
    block = i // 8
    winner = (i % 2).astype(int)
    takes = winner * (i % 8 != 7)
    employed = ((5 * i + 3 * wave) % 7 != 0).astype(int)
    amount = 900_000 + 1_000 * ((7_919 * i + 104_729 * wave + 31 * i * wave) % 2_617)
    frame = pd.DataFrame(
        {
            "person_id": [f"SYN-{k + 1:06d}" for k in i],
            "wave": np.array(WAVES)[wave],
            "batch": np.array([b for b, _ in BLOCKS])[block],
            "province": np.array([p for _, p in BLOCKS])[block],
            "selected": winner,
            "odds": 0.5,
            "trained": takes * (wave > 0),
            "household": [f"H{k // 2 + 1:02d}" for k in i],
            "psu": [f"P{k // 4 + 1}" for k in i],
            "weight": 1 + (i % 5) / 4,
            "responded": 1,
            "attempts": 1 + (i + wave) % 3,
            "age": 18 + (7 * i) % 41,
            "female": (i // 2) % 2,
            "education": 1 + (i // 3) % 4,
            "income": np.where(employed == 1, amount, 0),
            "employed": employed,
        }
    )
    frame = frame.astype({"income": object, "employed": object})
    frame.loc[AWAY - 1, ["responded", "attempts", "income", "employed"]] = [0, 6, None, None]
    return frame


def panel() -> pd.DataFrame:
    """The clean panel, a new one each time."""
    return _panel().copy()


def monthly() -> Asking:
    """Waves that are months, 2020-07 before the batches of August 2020 opened."""
    return Asking(panel())


def numbered() -> Asking:
    """The same with waves that are numbers, and the cohort in place of the odds."""
    frame = panel()
    frame["wave"] = frame["wave"].map(dict(zip(WAVES, NUMBERED, strict=True)))
    ever = frame.groupby("person_id")["trained"].transform("max")
    frame["cohort"] = np.where(ever == 1, 202102, 0)
    return Asking(frame, replace(ROLES, baseline=202007, cohort="cohort"))


def applied() -> Asking:
    """The same with the number of the application, and the village as one more cluster."""
    frame = panel().assign(application=1)
    frame["village"] = "V" + (frame.index // 12 + 1).astype(str)
    return Asking(frame, replace(ROLES, application="application", clusters="village"))


def rows_of(*people: int) -> tuple[int, ...]:
    """The rows, from 1, of people, from 1."""
    return tuple(r for k in people for r in range(3 * k - 2, 3 * k + 1))


def block_rows(block: int) -> tuple[int, ...]:
    """The rows of a block, from 1."""
    return rows_of(*range(8 * block - 7, 8 * block + 1))


ALL = tuple(range(1, ROWS + 1))
