"""A small study on disk, for tests that read, run and spoil it."""

from pathlib import Path

import numpy as np
import pandas as pd

STUDY = """
title = "A small study"
question = "What did it do?"
about = "Simulated people."
data = "people.csv"
spillovers = "None."
synthetic = true

[roles]
unit = "person_id"
wave = "wave"
baseline = 1
offer = "won"
received = "trained"

[groups]
column = "won"
labels = { 1 = "Winners", 0 = "Losers" }

[[outcomes]]
column = "income"
label = "Income"
unit = "rupiah"

[[estimates]]
name = "lottery"
label = "Lottery"
estimator = "lottery.late"
role = "benchmark"
design = { block_weights = "treated" }

[[estimates]]
name = "matching"
label = "Matching"
estimator = "matching.att"
role = "candidate"
covariates = ["age", "income@1"]

[[estimates]]
name = "did"
label = "Difference-in-differences"
estimator = "did.two_by_two"
role = "candidate"
design = { method = "dr", covariates = ["age"] }
"""


def people(n: int = 200) -> pd.DataFrame:
    """Draw a two-wave panel in which winners, and only they, are trained."""
    rng = np.random.Generator(np.random.PCG64(3))
    won = np.repeat([1, 0], n // 2)
    age = rng.integers(18, 60, n)
    before = rng.gamma(2.0, 500.0, n)
    after = before + rng.normal(50.0, 200.0, n) + 150.0 * won
    base = {"person_id": [f"SYN-{i:06d}" for i in range(n)], "won": won, "age": age}
    waves = [
        pd.DataFrame({**base, "wave": 1, "trained": 0, "income": before.round(1)}),
        pd.DataFrame({**base, "wave": 2, "trained": won, "income": after.round(1)}),
    ]
    return pd.concat(waves, ignore_index=True)


def write_study(folder: Path, text: str = STUDY, frame: pd.DataFrame | None = None) -> Path:
    """Write the study file and its data; return the path of the study file."""
    (people() if frame is None else frame).to_csv(folder / "people.csv", index=False)
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path
