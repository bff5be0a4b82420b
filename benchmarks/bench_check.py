"""How long does a look at a file take beside reading it, and beside six rules in plain pandas?

A Parquet file of 20 columns at three sizes: read and checked by this package (identifiers, some 50
kinds of fault), read by pandas alone, and read by pandas with the six rules that an analyst writes
by hand. CPU seconds, best of three, in one run. Run it with `make bench`.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import prakerja_eval as pe

WAVES = (2020, 2021, 2022, 2023)
SIZES = (10_000, 100_000, 1_000_000)
ROLES = pe.Roles(
    unit="person_id",
    wave="wave",
    baseline=2020,
    offer="selected",
    received="received",
    cohort="cohort",
    blocks=("batch", "province"),
    household="household",
    weight="weight",
)


def panel(rows: int) -> pd.DataFrame:
    """Draw a clean panel of four waves and 20 columns; a row a person and wave."""
    n = rows // len(WAVES)
    rng = np.random.Generator(np.random.PCG64(7))
    batch, province = rng.integers(4, 10, n), rng.integers(11, 20, n)
    selected = rng.integers(0, 2, n)
    taker = selected * (rng.random(n) < 0.9)
    person = {
        "person_id": [f"SYN-{i:07d}" for i in range(n)],
        "batch": batch,
        "province": province,
        "selected": selected,
        "cohort": np.where(taker == 1, 2021, 0),
        "household": [f"H{i:07d}" for i in range(n)],
        "weight": rng.gamma(4.0, 1.0, n) + 0.1,
        "age": rng.integers(18, 60, n),
        "female": rng.integers(0, 2, n),
        "education": rng.choice(["SD", "SMP", "SMA", "S1"], n),
    }
    frame = pd.DataFrame(person).loc[np.repeat(np.arange(n), len(WAVES))].reset_index(drop=True)
    frame["wave"] = np.tile(WAVES, n)
    frame["received"] = np.repeat(taker, len(WAVES)) * (frame["wave"] > WAVES[0])
    for name in ("income", "consumption"):
        frame[name] = np.exp(rng.normal(14.0, 0.8, len(frame))).round(-2)
    frame["employed"] = rng.integers(0, 2, len(frame))
    for k in range(5):
        frame[f"x{k}"] = rng.normal(size=len(frame))
    frame.loc[rng.random(len(frame)) < 0.1, "income"] = np.nan
    return frame


def ours(path: Path) -> object:
    """Read, screen and check by the public names."""
    return pe.read_panel(path, ROLES).check(["income", "employed"])


def pandas_alone(path: Path) -> object:
    """Read."""
    return pd.read_parquet(path)


def by_hand(path: Path) -> object:
    """Read, and look for repeated rows, changing offers and blocks, empty arms, odd values."""
    frame = pd.read_parquet(path)
    return (
        frame.duplicated(["person_id", "wave"]).sum(),
        (frame.groupby("person_id")["selected"].nunique() > 1).sum(),
        (frame.groupby("person_id")["batch"].nunique() > 1).sum(),
        (frame.groupby(["batch", "province"])["selected"].nunique() < 2).sum(),
        (frame["income"] < 0).sum(),
        frame[["selected", "received", "wave"]].isna().sum().sum(),
    )


def cpu(call: Callable[[Path], object], path: Path) -> float:
    """Return the best CPU seconds of three."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        call(path)
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    """Print a row a size."""
    print(f"{'rows':>9} {'ours':>8} {'pandas read':>12} {'by hand':>8} {'ours / by hand':>15}")
    with tempfile.TemporaryDirectory() as folder:
        for rows in SIZES:
            path = Path(folder) / "panel.parquet"
            panel(rows).to_parquet(path, index=False)
            a, b, c = (cpu(call, path) for call in (ours, pandas_alone, by_hand))
            print(f"{rows:>9,} {a:>8.2f} {b:>12.2f} {c:>8.2f} {a / c:>15.2f}")


if __name__ == "__main__":
    main()
