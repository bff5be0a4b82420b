"""Do the intervals cover? Run every scenario and write reports/validation/.

``python -m tests.simulation.validate`` (``make validate``); about eight minutes on one core.
"""

import argparse
import sys
import time
from pathlib import Path

import pandas as pd

from .claims import Scenario
from .judge import LEVEL, RATIO, SIGMAS, misses, simulate, summary
from .scenarios import DRAWS, SEED, scenarios

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "reports" / "validation"
KEYS = ["scenario", "row", "inference", "side", "claim", "seed", "draws"]


def table(draws: int = DRAWS, progress: bool = False) -> pd.DataFrame:
    """Return a row a claim or contrast, from the first `draws` draws of every scenario."""
    rows: list[dict[str, object]] = []
    for scenario, seeds in scenarios():
        start = time.process_time()
        answers = simulate(scenario, seeds[:draws])
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
                    "draws": draws,
                }
                | found
                | {"verdict": kept if row.claim else "contrast"}
            )
        if progress:
            spent = time.process_time() - start
            print(f"{scenario.name}: {spent:.0f} CPU seconds", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def page(results: pd.DataFrame, listed: list[Scenario]) -> str:
    """Return the readable report."""
    claims = results[results["claim"]]
    kept = int((claims["verdict"] == "kept").sum())
    draws, seed = int(results["draws"].iloc[0]), int(results["seed"].iloc[0])
    slack = SIGMAS * float(results["coverage_mc_se"].iloc[0])
    lines = [
        "# Coverage of the intervals",
        "",
        "| | |",
        "|---|---|",
        "| made by | `make validate` (`python -m tests.simulation.validate`) |",
        f"| seed | `SeedSequence({seed})`, spawned by scenario, then by draw |",
        f"| draws | {draws:,} a scenario, fixed beforehand |",
        f"| claims kept | {kept} of {len(claims)} |",
        "",
        f"A claim is kept if coverage of the nominal {LEVEL:.0%} interval is within {SIGMAS:g} "
        f"Monte Carlo standard errors of it ({LEVEL - slack:.4f} to {LEVEL + slack:.4f}), the mean "
        f"standard error over the Monte Carlo sd is in [{RATIO[0]}, {RATIO[1]}], and bias is "
        f"within {SIGMAS:g} Monte Carlo standard errors of zero. Where theory says that a variance "
        "is too large (*conservative*), coverage and standard error are judged from below only. "
        "A joint *test* has its Wald statistic in these columns, whose mean should be its degrees "
        "of freedom; its coverage is the share of draws in which the true hypothesis is kept at "
        "5 %, and that alone is judged. "
        "A *contrast* shows what goes wrong without the method above it, and is not judged.",
        "",
    ]
    for scenario in listed:
        lines += [f"## {scenario.name}", "", scenario.about, ""]
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
    """Run, write, and return 1 if a claim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    folder = parser.parse_args().out
    results = table(progress=True)
    write(results, [scenario for scenario, _ in scenarios()], folder)
    missed = results[results["claim"] & (results["verdict"] != "kept")]
    print(results[["scenario", "row", "se_ratio", "coverage", "verdict"]].to_string(index=False))
    return 1 if len(missed) else 0


if __name__ == "__main__":
    sys.exit(main())
