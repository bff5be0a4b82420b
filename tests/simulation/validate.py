"""Do the intervals cover? Run every scenario and write reports/validation/.

``python -m tests.simulation.validate`` (``make validate``); about half an hour of one core.
"""

import argparse
import os
import sys
import time
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import pandas as pd

from .claims import Scenario
from .judge import LEVEL, RATIO, SIGMAS, misses, simulate, summary
from .scenarios import SEED, scenarios

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "reports" / "validation"
# A scenario has its own seeds, so that running it alone gives the rows that all together would.
MADE = (
    "`make validate` (`python -m tests.simulation.validate`); the scenarios from *did, group-time "
    "effects* on were run later and alone, those from *lottery, stated odds* on later again, and "
    "those from *weighting by a fitted score* on, with two that compare matching with an "
    "experiment, last, by `python -m tests.simulation.validate --new`"
)
KEYS = ["scenario", "row", "inference", "side", "claim", "seed", "draws"]


def table(first: int | None = None, names: Collection[str] | None = None) -> pd.DataFrame:
    """Return a row a claim or contrast, from all or the `first` draws of all or some scenarios."""
    numbers = [i for i, (s, _) in enumerate(scenarios()) if names is None or s.name in names]
    return pd.DataFrame([row for i in numbers for row in rows_of(i, first)])


def rows_of(number: int, first: int | None = None) -> list[dict[str, object]]:
    """Return the rows of one scenario, whose draws depend on no other scenario."""
    scenario, seeds = scenarios()[number]
    start = time.process_time()
    answers = simulate(scenario, seeds[:first])
    rows = []
    for row in scenario.rows:
        found = summary(row, answers[row.name])
        missed = ", ".join(misses(row.side, found))
        kept = "kept" if not missed else f"missed: {missed}"
        rows.append(
            {
                "scenario": scenario.name,
                "row": row.name,
                "inference": row.label,
                "side": row.side,
                "claim": row.claim,
                "seed": SEED,
                "draws": len(seeds[:first]),
            }
            | found
            | {"verdict": kept if row.claim else "contrast"}
        )
    if first is None:
        spent = time.process_time() - start
        print(f"{scenario.name}: {spent:.0f} CPU seconds", file=sys.stderr, flush=True)
    return rows


def page(results: pd.DataFrame, listed: list[Scenario]) -> str:
    """Return the readable report."""
    claims = results[results["claim"]]
    kept = int((claims["verdict"] == "kept").sum())
    seed = int(results["seed"].iloc[0])
    numbers = sorted(set(results["draws"]), reverse=True)
    slack = {n: SIGMAS * float(np.sqrt(LEVEL * (1 - LEVEL) / n)) for n in numbers}
    limits = ", ".join(
        f"{LEVEL - slack[n]:.4f} to {LEVEL + slack[n]:.4f} with {n:,} draws" for n in numbers
    )
    lines = [
        "# Coverage of the intervals",
        "",
        "| | |",
        "|---|---|",
        f"| made by | {MADE} |",
        f"| seed | `SeedSequence({seed})`, spawned by scenario, then by draw |",
        f"| draws | {' or '.join(f'{n:,}' for n in numbers)} a scenario, fixed beforehand |",
        f"| claims kept | {kept} of {len(claims)} |",
        "",
        f"A claim is kept if coverage of the nominal {LEVEL:.0%} interval is within {SIGMAS:g} "
        f"Monte Carlo standard errors of it ({limits}), the mean "
        f"standard error over the Monte Carlo sd is in [{RATIO[0]}, {RATIO[1]}], and bias is "
        f"within {SIGMAS:g} Monte Carlo standard errors of zero. Where theory says that a variance "
        "is too large (*conservative*), coverage and standard error are judged from below only. "
        "A joint *test* has its Wald statistic in these columns, whose mean should be its degrees "
        "of freedom; its coverage is the share of draws in which the true hypothesis is kept at "
        "5 %, and that alone is judged. A *band* has the t-ratio farthest from zero, and its "
        "coverage is the share of draws in which the band holds every true value at once. "
        "A set or an interval that need not be short is judged *at least*: by its coverage alone, "
        "from below. "
        "A *contrast* shows what goes wrong without the method above it, and is not judged.",
        "",
    ]
    for scenario in listed:
        lines += [f"## {scenario.name}", "", scenario.about, f"{scenario.draws:,} draws.", ""]
        lines += [
            "| row | judged | truth | bias (MC SE) | MC sd | mean SE / sd | coverage | verdict |",
            "|---|---|---:|---:|---:|---:|---:|---|",
        ]
        mine = results[results["scenario"] == scenario.name]
        lines += [_line(r) for r in mine.to_dict("records")]
        notes = [f"- {row.name}: {row.why}." for row in scenario.rows if row.why]
        lines += ["", *notes, ""] if notes else [""]
    return "\n".join(lines).rstrip() + "\n"


def _line(r: dict[str, object]) -> str:
    judged = r["side"] if r["claim"] else "not judged"
    return (
        f"| {r['row']} | {judged} | {r['truth']:.4f} | {r['bias']:+.4f} ({r['bias_mc_se']:.4f}) | "
        f"{r['mc_sd']:.4f} | {r['se_ratio']:.3f} | {r['coverage']:.4f} | {r['verdict']} |"
    )


def read(path: Path) -> pd.DataFrame:
    """Read a coverage.csv as it was written."""
    return pd.read_csv(path, keep_default_na=False)


def write(results: pd.DataFrame, listed: list[Scenario], folder: Path) -> None:
    """Write coverage.csv and coverage.md."""
    folder.mkdir(parents=True, exist_ok=True)
    text = results.to_csv(index=False, float_format="%.10g", lineterminator="\n")
    (folder / "coverage.csv").write_text(text, encoding="utf-8")
    printed = read(folder / "coverage.csv")
    (folder / "coverage.md").write_text(page(printed, listed), encoding="utf-8")


def main() -> int:
    """Run, write after each scenario, and return 1 if a claim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--new", action="store_true", help="run scenarios not in the table alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    listed = [scenario for scenario, _ in scenarios()]
    place = {scenario.name: i for i, scenario in enumerate(listed)}
    parts: dict[int, pd.DataFrame] = {}
    if asked.new:
        committed = read(asked.out / "coverage.csv")
        parts |= {place[name]: rows for name, rows in committed.groupby("scenario")}
    with ProcessPoolExecutor(asked.jobs) as pool:
        left = {pool.submit(rows_of, i): i for i in range(len(listed)) if i not in parts}
        for done in as_completed(left):
            parts[left[done]] = pd.DataFrame(done.result())
            results = pd.concat([parts[i] for i in sorted(parts)], ignore_index=True)
            write(results, [listed[i] for i in sorted(parts)], asked.out)
    missed = results[results["claim"] & (results["verdict"] != "kept")]
    print(results[["scenario", "row", "se_ratio", "coverage", "verdict"]].to_string(index=False))
    return 1 if len(missed) else 0


if __name__ == "__main__":
    sys.exit(main())
