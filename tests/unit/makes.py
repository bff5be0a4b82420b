"""One panel in files of five different makes, as survey firms send them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

LABELS = {
    "person_id": "Participant",
    "wave": "Survey round",
    "batch": "Lottery batch",
    "selected": "Selected by lottery",
    "received": "Took up the training",
    "female": "Respondent is a woman",
    "age": "Age at registration",
    "income": "Income of last month",
    "employed": "Worked last week",
}
VALUES = {"selected": {0: "loser", 1: "winner"}, "female": {0: "man", 1: "woman"}}


def survey(n: int = 240) -> pd.DataFrame:
    """Draw people of three batches over two rounds; 80 percent of the winners take up."""
    rng = np.random.Generator(np.random.PCG64(11))
    batch = np.tile([5, 6, 7], n // 3)
    selected = (np.arange(n) // 3) % 2
    base = {
        "person_id": [f"SYN-{i:06d}" for i in range(n)],
        "batch": batch,
        "selected": selected,
        "female": rng.integers(0, 2, n),
        "age": rng.integers(18, 60, n),
    }
    taker = selected * (rng.random(n) < 0.8)
    before = 1_000_000 + 37 * rng.integers(0, 40_000, n)
    after = before + 100_000 * taker + 53 * rng.integers(0, 8_000, n)
    rounds = [
        pd.DataFrame({**base, "wave": 2020, "received": 0, "income": before}),
        pd.DataFrame({**base, "wave": 2021, "received": taker, "income": after}),
    ]
    frame = pd.concat(rounds, ignore_index=True)
    frame["employed"] = (rng.random(2 * n) < 0.6 + 0.1 * frame["received"]).astype(int)
    return frame[list(LABELS)]


def write_stata(frame: pd.DataFrame, path: Path) -> Path:
    """Write a .dta with labels, and .a where the income of a round was refused."""
    data = frame.astype({"income": object})
    data.loc[[250, 260, 270], "income"] = "a"
    pyreadstat.write_dta(
        data,
        str(path),
        column_labels=LABELS,
        variable_value_labels=VALUES,
        missing_user_values={"income": ["a"]},
    )
    return path


def write_spss(frame: pd.DataFrame, path: Path) -> Path:
    """Write a .sav with labels and the user-missing code 98 for a refused income."""
    data = frame.astype({"income": float})
    data.loc[[250, 260, 270], "income"] = 98.0
    pyreadstat.write_sav(
        data,
        str(path),
        column_labels=LABELS,
        variable_value_labels={**VALUES, "income": {98: "refused"}},
        missing_ranges={"income": [98]},
    )
    return path


def write_semicolons(frame: pd.DataFrame, path: Path) -> Path:
    """Write a .csv as Indonesian Excel does: semicolons, decimal commas, cp1252."""
    data = frame.assign(income=frame["income"] / 8, district="Kab. Dharmasraya – É")
    data.to_csv(path, sep=";", decimal=",", encoding="cp1252", index=False)
    return path


def write_wide_excel(frame: pd.DataFrame, path: Path) -> Path:
    """Write an .xlsx with a row a person and columns by year."""
    keys = ["person_id", "batch", "selected", "female", "age"]
    values = ["received", "income", "employed"]
    wide = frame.pivot_table(index=keys, columns="wave", values=values)
    wide.columns = [f"{name}_{wave}" for name, wave in wide.columns]
    wide.reset_index().to_excel(path, index=False)
    return path


def write_parquet(frame: pd.DataFrame, path: Path) -> Path:
    """Write a .parquet."""
    frame.to_parquet(path, index=False)
    return path


MAKES = {
    "panel.dta": write_stata,
    "panel.sav": write_spss,
    "panel.csv": write_semicolons,
    "panel.xlsx": write_wide_excel,
    "panel.parquet": write_parquet,
}
