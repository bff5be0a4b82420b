"""Which estimator is right in which world? The standard estimators on every scenario that ships.

``python -m tests.simulation.grid [--new] [--draws N]`` writes reports/validation/grid.csv and
grid.md. Which are expected to be right where, and why the others are not, stands in
grid_expected.toml, from the scenarios' descriptions.
"""

import argparse
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import prakerja_eval as pe
from prakerja_eval.compare.diagnose import Experiment
from prakerja_eval.compare.diagnosis import NAMING, Diagnosis
from prakerja_eval.compare.estimators import STANDARD, Judged, standard

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "reports" / "validation"
EXPECTED = Path(__file__).with_name("grid_expected.toml")
OUTCOMES = ("employed", "income")
SEED = 20261124
DRAWS = 100
LEVEL, SIGMAS = 0.95, 3.0
FIRST = 3  # draws that the tests repeat
LABELS = ["scenario", "estimator", *NAMING]
KEY = ("scenario", "estimator", "outcome", "wave")
CHANCE = "a hundred draws miss some of 94 claims by chance; with other seeds"
# The claims that are missed, by KEY: the verdict and what is known of it. Documented, never tuned
# away.
SHORTFALLS = {
    ("few_clusters", "lottery.itt, by district", "employed", "2021-02"): (
        "missed: bias",
        f"{CHANCE}, 400 worlds of 1,200 people, the bias in 2021-08 is 0.0002 (0.0045)",
    ),
    ("matched_national:selective_response", "did.group_time", "income", "nan"): (
        "missed: coverage",
        f"{CHANCE}, 200 worlds, coverage is 0.925 (0.019)",
    ),
    ("unbalanced", "lottery.itt", "employed", "2021-10"): (
        "missed: coverage",
        f"{CHANCE}, 300 worlds, coverage is 0.953 (0.012)",
    ),
}


@dataclass(frozen=True)
class Expected:
    """What is expected of the estimators in one scenario.

    `right` are judged; `wrong` are contrasts, each with the reason. `applicants` is how many people
    a world has.
    """

    scenario: str
    about: str
    right: tuple[str, ...]
    wrong: dict[str, str]
    applicants: int

    @property
    def names(self) -> list[str]:
        """Return all that run, in the order of the standard ones."""
        return [name for name in estimators() if name in self.right or name in self.wrong]


def expectations() -> list[Expected]:
    """Return the committed table."""
    table = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))
    return [
        Expected(name, e["about"], tuple(e["right"]), e["wrong"], e["applicants"])
        for name, e in table.items()
    ]


def estimators() -> dict[str, Judged]:
    """Return the standard estimators, and those that a scenario of the grid calls for."""
    by_district = pe.lottery.Design(clusters="district")
    given = pe.did.Design(covariates=("education", "age", "female"))
    return standard(list(STANDARD), OUTCOMES) | {
        "lottery.itt, by district": Judged(lambda p: pe.lottery.itt(p, OUTCOMES, by_district)),
        "did.group_time, given covariates": Judged(
            lambda p: pe.did.overall(pe.did.group_time(p, OUTCOMES, given))
        ),
    }


def diagnose(expected: Expected, draws: int, jobs: int | None, home: Path | None) -> Diagnosis:
    """Return the diagnosis of one scenario."""
    every = estimators()
    chosen = {name: every[name] for name in expected.names}
    asked = Experiment(expected.scenario, chosen, draws, expected.applicants, SEED)
    return asked.run(jobs=jobs, resume=home)


def judged(found: Diagnosis, expected: Expected) -> pd.DataFrame:
    """Return the rows with seed, applicants, what was expected and the verdict."""
    frame = found.frame.assign(scenario=expected.scenario)
    right = frame["estimator"].isin(expected.right)
    verdicts = [
        verdict(row) if claim else "contrast"
        for row, claim in zip(frame.to_dict("records"), right, strict=True)
    ]
    return frame.assign(
        applicants=expected.applicants, seed=SEED, claim=right.to_numpy(), verdict=verdicts
    )


def verdict(row: dict[str, object]) -> str:
    """Say whether an estimator that is expected to be right is, by bias and coverage."""
    missed = []
    if not abs(row["bias"]) <= SIGMAS * row["bias_mc_se"]:
        missed.append("bias")
    intervals = row["draws"] - row["failed"] - row["no_interval"]
    slack = SIGMAS * np.sqrt(LEVEL * (1 - LEVEL) / max(intervals, 1))
    if not abs(row["coverage"] - LEVEL) <= slack:
        missed.append("coverage")
    if row["failed"]:
        missed.append(f"{row['failed']} draws failed")
    return f"missed: {', '.join(missed)}" if missed else "kept"


def page(results: pd.DataFrame, listed: list[Expected]) -> str:
    """Return the readable report."""
    claims = results[results["claim"]]
    draws = sorted(set(results["draws"]), reverse=True)
    limits = ", ".join(
        f"{LEVEL - s:.3f} to {LEVEL + s:.3f} with {n:,} draws"
        for n, s in ((n, SIGMAS * np.sqrt(LEVEL * (1 - LEVEL) / n)) for n in draws)
    )
    lines = [
        "# The estimators in every simulated world",
        "",
        "| | |",
        "|---|---|",
        "| made by | `python -m tests.simulation.grid` |",
        f"| seed | `SeedSequence({SEED})`, child (r,) for draw r, in every scenario |",
        f"| draws | {' or '.join(f'{n:,}' for n in draws)} a scenario |",
        f"| claims kept | {int((claims['verdict'] == 'kept').sum())} of {len(claims)} |",
        "",
        "An estimator that is expected to be right in a scenario keeps its claim if its bias is "
        f"within {SIGMAS:g} Monte Carlo standard errors of zero, its coverage within {SIGMAS:g} of "
        f"{LEVEL:.0%} ({limits}), and no draw failed. A *contrast* shows what goes wrong "
        "there, and is not judged; where its bias is within its error too, what was expected to go "
        "wrong is too small to be seen in worlds of this size. Bias, RMSE and coverage have their "
        "Monte Carlo standard error "
        "in brackets ([how](../../docs/methods/diagnose.md)). The test column is the share of "
        "p-values below .05: size where the truth is always zero, else power.",
        "",
    ]
    if SHORTFALLS:
        lines += ["Claims missed:", ""]
        lines += [
            f"- {', '.join(part for part in key if part != 'nan')}: {what}; {why}."
            for key, (what, why) in SHORTFALLS.items()
        ]
        lines += [""]
    for expected in listed:
        mine = results[results["scenario"] == expected.scenario]
        applicants = int(mine["applicants"].iloc[0])
        lines += [f"## {expected.scenario}", "", f"{expected.about} {applicants:,} applicants.", ""]
        lines += [
            "| estimator | outcome | wave | failed | truth | bias | RMSE | SE / sd | coverage "
            "| test | verdict |",
            "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
        ]
        lines += [_line(row) for row in mine.to_dict("records")]
        lines += ["", *(f"- {name}: {why}" for name, why in expected.wrong.items()), ""]
    return "\n".join(lines).rstrip() + "\n"


def _line(row: dict[str, object]) -> str:
    kind = "size" if not np.isnan(row["size"]) else "power"
    test = "" if np.isnan(row["rejects"]) else f"{kind} {row['rejects']:.3f}"
    cells = [
        row["estimator"],
        _word(row["outcome"]),
        _word(row["wave"]),
        f"{row['failed']}",
        _number(row["truth"]),
        *(f"{_number(row[m])} ({_number(row[f'{m}_mc_se'])})" for m in ("bias", "rmse")),
        f"{row['se_ratio']:.3f}",
        f"{row['coverage']:.3f} ({row['coverage_mc_se']:.3f})",
        test,
        row["verdict"],
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _word(value: object) -> str:
    return "" if pd.isna(value) else str(value)


def _number(value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"


def read(path: Path) -> pd.DataFrame:
    """Read a grid.csv as it was written; one scenario is named null."""
    words = dict.fromkeys(LABELS, str)
    frame = pd.read_csv(path, dtype=words, keep_default_na=False, na_values=[""])
    return frame.assign(**{c: None for c in NAMING if c not in frame})


def write(results: pd.DataFrame, listed: list[Expected], folder: Path) -> None:
    """Write grid.csv and grid.md."""
    folder.mkdir(parents=True, exist_ok=True)
    results = results.dropna(axis=1, how="all")
    text = results.to_csv(index=False, float_format="%.10g", lineterminator="\n")
    (folder / "grid.csv").write_text(text, encoding="utf-8")
    printed = read(folder / "grid.csv")
    (folder / "grid.md").write_text(page(printed, listed), encoding="utf-8")


def main() -> int:
    """Run, write after each scenario, and return 1 if a claim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--new", action="store_true", help="run scenarios not in the table alone")
    parser.add_argument("--only", nargs="*", help="names of scenarios")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--resume", type=Path, help="folder that keeps each draw")
    asked = parser.parse_args()
    listed = expectations()
    parts: dict[str, pd.DataFrame] = {}
    if (asked.new or asked.only) and (asked.out / "grid.csv").is_file():
        parts = dict(iter(read(asked.out / "grid.csv").groupby("scenario", sort=False)))
    for expected in listed:
        name = expected.scenario
        if (asked.only and name not in asked.only) or (asked.new and name in parts):
            continue
        start = time.monotonic()
        home = None if asked.resume is None else asked.resume / name.replace(":", "_")
        parts[name] = judged(diagnose(expected, asked.draws, asked.jobs, home), expected)
        print(f"{name}: {time.monotonic() - start:.0f} seconds", file=sys.stderr, flush=True)
        there = [e for e in listed if e.scenario in parts]
        results = pd.concat([parts[e.scenario] for e in there], ignore_index=True)
        write(results, there, asked.out)
    results = read(asked.out / "grid.csv")
    shown = [*LABELS[:4], "bias", "bias_mc_se", "coverage", "verdict"]
    print(results[shown].to_string(index=False))
    return 1 if results["verdict"].str.startswith("missed").any() else 0


if __name__ == "__main__":
    sys.exit(main())
