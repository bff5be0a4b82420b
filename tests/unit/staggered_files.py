"""A small study of staggered starts on disk: cohorts 2, 3, 4 and never, six waves, 400 people."""

from pathlib import Path

import numpy as np
import pandas as pd

STUDY = """
title = "Training in three batches"
question = "What did it do to income?"
about = "Simulated people."
data = "people.csv"
spillovers = "None."
synthetic = true

[roles]
unit = "person_id"
wave = "wave"
cohort = "first"

[[outcomes]]
column = "income"
label = "Income"
unit = "rupiah"

[[estimates]]
name = "cs"
label = "Group-time effects"
estimator = "did.group_time"
role = "benchmark"
design = { method = "unconditional", base_period = "universal" }
sensitivity = { relative_magnitudes = { m = [0.5, 1] }, smoothness = {} }

[[estimates]]
name = "imputed"
label = "Imputation"
estimator = "did.imputation"
role = "candidate"

[[estimates]]
name = "sa"
label = "Saturated regression"
estimator = "did.sun_abraham"

[[estimates]]
name = "two_way"
label = "Two-way fixed effects"
estimator = "did.twfe"

[[estimates]]
name = "percent"
label = "Poisson, in percent"
estimator = "did.poisson"
scale = "percent"
"""

SIZES = {2: 80, 3: 100, 4: 60, 0: 160}


def people(sizes: dict[int, int] | None = None) -> pd.DataFrame:
    """Draw six waves in which effects grow with time since treatment, by 30 a wave."""
    rng = np.random.Generator(np.random.PCG64(11))
    first = np.concatenate([np.full(n, g) for g, n in (sizes or SIZES).items()])
    level = rng.gamma(2.0, 300.0, len(first)) + 500
    ids = [f"SYN-{i:06d}" for i in range(len(first))]
    waves = []
    for wave in range(1, 7):
        since = np.where((first > 0) & (wave >= first), wave - first + 1, 0)
        income = level + 20 * wave + 30 * since + rng.normal(0.0, 60.0, len(first))
        waves.append(
            pd.DataFrame(
                {"person_id": ids, "wave": wave, "first": first, "income": income.round(1)}
            )
        )
    return pd.concat(waves, ignore_index=True)


def write_study(folder: Path, text: str = STUDY, frame: pd.DataFrame | None = None) -> Path:
    """Write the study file and its data; return the path of the study file."""
    (people() if frame is None else frame).to_csv(folder / "people.csv", index=False)
    path = folder / "staggered.toml"
    path.write_text(text, encoding="utf-8")
    return path
