"""How long do the lottery's slow answers take, beside other Python packages?

    python benchmarks/bench_lottery.py [--people 100000] [--blocks 500] [--rows NAME ...]
        [--peers PYTHON] [--afresh]

A row is a function of the data, registered with ``@row(task, package)``; it runs in a process of
its own, after the same call on a small lottery, and is timed in CPU and wall seconds. ``--afresh``
skips the small call and gives numba an empty cache, so that compilation counts. Peers need an
interpreter that has them (``--peers``); one that draws few times and is scaled says so in its row.
"""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

OUTCOMES = 10
DISTRICTS = 500
REPS = 9_999
HEAD = f"{'task':<34}{'by':<22}{'cpu s':>9}{'wall s':>9}  answer"
OURS = "prakerja-eval"


@dataclass(frozen=True)
class Row:
    """A task done by a package: ``prepare`` is not timed, ``call`` is."""

    task: str
    package: str
    call: Callable[..., dict[str, object]]


ROWS: list[Row] = []


def row(task: str, package: str = OURS) -> Callable[..., Callable[..., dict[str, object]]]:
    """Register a function of ``prepared`` data; what it returns is printed as the answer.

    A key "times" in the answer multiplies the time: a peer that drew fewer times than asked.
    """

    def keep(call: Callable[..., dict[str, object]]) -> Callable[..., dict[str, object]]:
        ROWS.append(Row(task, package, call))
        return call

    return keep


def draw(people: int, blocks: int) -> pd.DataFrame:
    """Draw a lottery with odds from .08 to .6, outcomes of which one of seven is not seen."""
    rng = np.random.Generator(np.random.PCG64(11))
    block = np.sort(np.arange(people) % blocks)
    odds, won = rng.uniform(0.08, 0.6, blocks), np.zeros(people)
    for b in range(blocks):
        members = np.flatnonzero(block == b)
        quota = min(max(2, round(odds[b] * len(members))), len(members) - 2)
        won[rng.choice(members, quota, replace=False)] = 1
    columns: dict[str, object] = {"id": [f"SYN-{i:06d}" for i in range(people)]}
    columns |= {"block": block.astype(str), "won": won}
    for k in range(OUTCOMES):
        y = rng.normal(size=people) + 0.01 * won
        columns[f"y{k}"] = np.where(rng.random(people) < 6 / 7, y, np.nan)
    columns["x"] = rng.normal(size=people)
    columns["district"] = rng.integers(0, DISTRICTS, people)
    return pd.DataFrame(columns)


def prepared(frame: pd.DataFrame, package: str) -> object:
    """Return a Panel for ours, the frame for peers."""
    if package != OURS:
        return frame
    import prakerja_eval as pe

    return pe.read_panel(frame, pe.Roles("id", offer="won", blocks="block", clusters="district"))


# --- randomisation --------------------------------------------------------------------------------


@row("randomisation p, 1 outcome")
def ours_one(panel: object) -> dict[str, object]:
    """Studentised difference by block, with its interval."""
    import prakerja_eval as pe

    found = pe.lottery.randomise(panel, "y0", redraw=pe.lottery.Redraw(reps=REPS)).frame
    return {"p": found["p_value"].iloc[0]}


@row("randomisation p, 10 outcomes")
def ours_ten(panel: object) -> dict[str, object]:
    """Ten outcomes on the same draws, with intervals and step-down p-values."""
    import prakerja_eval as pe

    names = [f"y{k}" for k in range(OUTCOMES)]
    found = pe.lottery.randomise(panel, names, redraw=pe.lottery.Redraw(reps=REPS))
    return {"p": found.frame["p_value"].iloc[0], "adjusted": found.adjusted()["p_adjusted"].min()}


@row("randomisation p, covariate")
def ours_covariate(panel: object) -> dict[str, object]:
    """Solve the regression with a covariate again in each draw; 500 draws, scaled."""
    import prakerja_eval as pe

    design, redraw = pe.lottery.Design(covariates=("x",)), pe.lottery.Redraw(reps=500)
    found = pe.lottery.randomise(panel, "y0", design, redraw).frame
    return {"p": found["p_value"].iloc[0], "times": REPS / 500}


@row("randomisation p, 1 outcome", "pyfixest")
def pyfixest_one(frame: pd.DataFrame) -> dict[str, object]:
    """Test the coefficient with block effects; 1,000 draws, scaled.

    Its draws ignore blocks and quotas. Its compiled algorithm needs numba beside it.
    """
    import pyfixest as pf

    fit = pf.feols("y0 ~ won | block", frame.dropna(subset=["y0"]))
    found = fit.ritest("won", reps=1_000, type="randomization-c", rng=np.random.default_rng(1))
    return {"p": float(found["Pr(>|t|)"]), "times": REPS / 1_000}


# --- wild cluster bootstrap -----------------------------------------------------------------------


@row("wild bootstrap, 500 clusters")
def ours_wild(panel: object) -> dict[str, object]:
    """Test and invert: block effects, clusters by district."""
    import prakerja_eval as pe

    estimate = pe.lottery.itt(panel, "y0", pe.lottery.Design(block_weights="strata_fe"))
    found = pe.infer(estimate, pe.WildClusterBootstrap("district", reps=REPS)).frame
    return {"p": found["p_value"].iloc[0], "high": found["conf_high"].iloc[0]}


@row("wild bootstrap, 500 clusters", "wildboottest")
def wildboottest_blocks(frame: pd.DataFrame) -> dict[str, object]:
    """Give the same p-value, with blocks as dummies; it has no interval."""
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    seen = frame.dropna(subset=["y0"])
    model = smf.ols("y0 ~ won + C(block)", seen)
    found = wildboottest(
        model, param="won", cluster=seen["district"], B=REPS, bootstrap_type="11", show=False
    )
    return {"p": float(found["p-value"].iloc[0])}


# --- bounds under attrition -----------------------------------------------------------------------


@row("Lee bounds")
def ours_lee(panel: object) -> dict[str, object]:
    """Trim within blocks, with standard errors and the interval."""
    import prakerja_eval as pe

    found = pe.lottery.lee_bounds(panel, "y0").frame
    return {"lower": found["lower"].iloc[0], "upper": found["upper"].iloc[0]}


# --- a measurement --------------------------------------------------------------------------------


def measure(number: int, path: str, warm: bool) -> dict[str, object]:
    """Run one row once."""
    warnings.simplefilter("ignore")
    chosen = ROWS[number]
    if warm:
        chosen.call(prepared(draw(1_000, 10), chosen.package))
    held = prepared(pd.read_parquet(path), chosen.package)
    cpu, wall = time.process_time(), time.perf_counter()
    answer = chosen.call(held)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    times = float(answer.pop("times", 1.0))  # type: ignore[arg-type]
    version = importlib.metadata.version(chosen.package)
    return {"version": version, "cpu": cpu, "wall": wall, "times": times, "answer": answer}


def in_a_process(python: str, number: int, path: str, warm: bool) -> dict[str, object] | None:
    """Call this file in a process of its own; nothing if it fails."""
    with tempfile.TemporaryDirectory() as empty:
        cache = {} if warm else {"NUMBA_CACHE_DIR": empty}
        arguments = [python, __file__, "measure", str(number), path, str(int(warm))]
        done = subprocess.run(
            arguments, capture_output=True, text=True, check=False, env=os.environ | cache
        )
    if done.returncode:
        print(f"{ROWS[number].task}, {ROWS[number].package}: {done.stderr.strip()[-200:]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a table of all rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--blocks", type=int, default=500)
    parser.add_argument("--rows", nargs="+", help="words that a row's task has")
    parser.add_argument("--peers", help="an interpreter that has the peers")
    parser.add_argument("--afresh", action="store_true", help="count compilation")
    options = parser.parse_args()
    print(f"{options.people:,} people, {options.blocks} blocks, {REPS:,} draws")
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/lottery.parquet"
        draw(options.people, options.blocks).to_parquet(path, index=False)
        for number, chosen in enumerate(ROWS):
            python = sys.executable if chosen.package == OURS else options.peers
            wanted = not options.rows or any(word in chosen.task for word in options.rows)
            if not wanted or python is None:
                continue
            found = in_a_process(python, number, path, not options.afresh)
            if found:
                by = f"{chosen.package} {found['version']}"
                scaled = f" (x {found['times']:.0f})" if found["times"] != 1 else ""
                cpu, wall = found["cpu"] * found["times"], found["wall"] * found["times"]
                print(
                    f"{chosen.task:<34}{by:<22}{cpu:>9.2f}{wall:>9.2f}  {found['answer']}{scaled}"
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(int(sys.argv[2]), sys.argv[3], sys.argv[4] == "1")))
    else:
        main()
