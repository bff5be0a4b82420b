"""Which panel would a programme that admits people in batches leave behind? One with known truth.

Run ``python data/synthetic/make_batches.py``: writes ``batches.csv`` and ``batches_truth.csv``
beside this file, the same bytes each time. Nobody in it is real. Quarterly interviews from the
first quarter of 2020 to the last of 2021; people first receive the programme in the second or the
last quarter of 2020, in the second of 2021, or never in these waves.

- Earnings (rupiah a month, without the programme's cash) fall in the pandemic and recover, faster
  for people with more schooling, of whom the first batches took more. So trends are parallel only
  given schooling.
- The effect is 40,000 rupiah a month at first and grows by 30,000 a quarter; it is 40,000 larger
  for the first batches.
- Later batches hold people who lost before and applied again.
- One interview in sixteen is missing, at random.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
SEED = 20200411  # the day on which the first batch opened
WAVES = [f"{year}Q{quarter}" for year in (2020, 2021) for quarter in (1, 2, 3, 4)]
STARTS = {"2020Q2": 1, "2020Q4": 3, "2021Q2": 5, "never": 99}
PANDEMIC = np.array([0, -520, -430, -330, -260, -190, -150, -90]) * 1_000.0
RECOVERY = np.array([0, 0, 12, 22, 30, 38, 44, 52]) * 1_000.0  # for each two years of schooling
PEOPLE = 1_200


def effect(start: int, wave: int) -> float:
    """Return the effect on earnings, rupiah a month, on people who start at a wave."""
    if wave < start:
        return 0.0
    return 40_000.0 + 30_000.0 * (wave - start) + (40_000.0 if start == 1 else 0.0)


def employment(start: int, wave: int) -> float:
    """Return the effect on the chance of having work."""
    return 0.0 if wave < start else min(0.02 + 0.015 * (wave - start), 0.08)


def people(rng: np.random.Generator) -> pd.DataFrame:
    """Return one row a person: who they are, and when they first receive the programme."""
    schooling = rng.choice([6, 9, 12, 16], PEOPLE, p=[0.15, 0.2, 0.47, 0.18])
    keen = 0.22 * (schooling - 11.3) / 4 + rng.normal(0, 1, PEOPLE)
    rank = keen.argsort().argsort() / PEOPLE
    names = np.select([rank > 0.82, rank > 0.64, rank > 0.44], list(STARTS)[:3], "never")
    applied = np.select(
        [names == "2020Q2", names == "2020Q4", names == "2021Q2"], [0.0, 0.35, 0.6], 0.15
    )
    return pd.DataFrame(
        {
            "person_id": [f"SYN-{k:06d}" for k in range(1, PEOPLE + 1)],
            "first_received": names,
            "applied_before": (rng.random(PEOPLE) < applied).astype(int),
            "schooling": schooling,
            "female": rng.integers(0, 2, PEOPLE),
            "age": rng.integers(18, 60, PEOPLE),
            "district": [f"D{d:02d}" for d in rng.integers(1, 31, PEOPLE)],
        }
    )


def panel(rng: np.random.Generator) -> pd.DataFrame:
    """Return the interviews, a row a person and wave."""
    who = people(rng)
    level = 1_900_000 + 90_000 * (who["schooling"] - 11) + rng.normal(0, 420_000, PEOPLE)
    rows = []
    for wave, label in enumerate(WAVES):
        start = who["first_received"].map(STARTS).to_numpy()
        gain = np.array([effect(s, wave) for s in start])
        trend = PANDEMIC[wave] + RECOVERY[wave] * (who["schooling"] - 11) / 2
        pay = level + trend + gain + rng.normal(0, 330_000, PEOPLE)
        chance = 0.66 + 0.015 * (who["schooling"] - 11) + PANDEMIC[wave] / 4_000_000
        chance = chance + np.array([employment(s, wave) for s in start])
        number = 1 + (who["applied_before"] == 1) * (wave >= np.minimum(start, 4))
        rows.append(
            who.drop(columns="applied_before").assign(
                wave=label,
                applications=number,
                earnings=np.round(np.maximum(pay, 0) / 1_000) * 1_000,
                works=(rng.random(PEOPLE) < chance).astype(int),
                seen=rng.random(PEOPLE) > 1 / 16,
            )
        )
    table = pd.concat(rows).sort_values(["person_id", "wave"], kind="stable")
    table["first_received"] = table["first_received"].replace("never", "0")
    return table[table["seen"]].drop(columns="seen").astype({"earnings": int})


def truth() -> pd.DataFrame:
    """Return the effect on each cohort in each wave."""
    return pd.DataFrame(
        [
            (name, label, round(effect(start, wave)), round(employment(start, wave), 3))
            for name, start in STARTS.items()
            for wave, label in enumerate(WAVES)
            if start <= wave
        ],
        columns=["cohort", "wave", "earnings", "works"],
    )


if __name__ == "__main__":
    generator = np.random.Generator(np.random.PCG64(SEED))
    panel(generator).to_csv(HERE / "batches.csv", index=False, lineterminator="\n")
    truth().to_csv(HERE / "batches_truth.csv", index=False, lineterminator="\n")
