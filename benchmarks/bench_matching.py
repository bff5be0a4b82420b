"""How long do a score and its matching take, at three sizes, beside scikit-learn?

    python benchmarks/bench_matching.py [--treated 10000 100000 1000000] [--out matching.csv]

Two and a half comparison people for each treated one, ten covariates, a caliper of .2 standard
deviations, exact within 800 districts. Each row runs in a process of its own, which first does the
same on a few people ("cold" skips that and gives numba an empty cache, so that compilation
counts). CPU and wall seconds are those of the step alone; peak memory is that of the process, the
data frame and the panel included. scikit-learn has no caliper, strata or rule for ties: its row is
one search tree a district, with replacement, and the caliper applied afterwards.
"""

import argparse
import csv
import importlib.metadata
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

DISTRICTS, CALIPER = 800, 0.2
COVARIATES = [f"x{k}" for k in range(10)]
SIZES = (10_000, 100_000, 1_000_000)
FIELDS = ("treated", "comparison", "step", "by", "cpu_s", "wall_s", "peak_gb", "answer")
Step = Callable[[], dict[str, float]]


def draw(n_treated: int) -> pd.DataFrame:
    """Draw people of whom the first ``n_treated`` by propensity less luck are treated."""
    rng, n = np.random.Generator(np.random.PCG64(7)), n_treated * 7 // 2
    X = rng.normal(size=(n, len(COVARIATES)))
    eager = 1 / (1 + np.exp(-X @ np.linspace(-0.4, 0.4, len(COVARIATES)))) - rng.random(n)
    frame = pd.DataFrame(X, columns=COVARIATES)
    frame["id"] = [f"SYN-{i:07d}" for i in range(n)]
    frame["district"] = [f"D{k:03d}" for k in rng.integers(0, DISTRICTS, n)]
    frame["trained"] = (eager >= np.partition(eager, n - n_treated)[n - n_treated]).astype(int)
    return frame


def ours(frame: pd.DataFrame, step: str) -> Step:
    """Return a step by the public names; what comes before it is done here."""
    import prakerja_eval as pe

    panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    if step == "score":
        return lambda: {"score": float(pe.matching.propensity(panel, COVARIATES).score.mean())}
    design = pe.matching.Nearest(
        caliper=CALIPER, exact=("district",), replace="without" not in step
    )
    known = None if step.startswith("score") else pe.matching.propensity(panel, COVARIATES)

    def match() -> dict[str, float]:
        score = known or pe.matching.propensity(panel, COVARIATES)
        found = pe.matching.match(panel, design, score=score).summary()
        return {"matched": found["matched_treated"], "distance": found["total_distance"]}

    return match


def theirs(frame: pd.DataFrame, step: str) -> Step:
    """Return what scikit-learn does of a step."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import NearestNeighbors

    X, d = frame[COVARIATES].to_numpy(), frame["trained"].to_numpy()
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-9)
    if step == "score":
        return lambda: {"score": float(model.fit(X, d).predict_proba(X)[:, 1].mean())}
    score = model.fit(X, d).predict_proba(X)[:, [1]]

    def match() -> dict[str, float]:
        district, near = pd.factorize(frame["district"])[0], []
        by_district = np.split(
            np.argsort(district, kind="stable"), np.cumsum(np.bincount(district))[:-1]
        )
        for people in by_district:
            own, other = people[d[people] == 1], people[d[people] == 0]
            if len(own) and len(other):
                tree = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(score[other])
                near.append(tree.kneighbors(score[own])[0][:, 0])
        distance = np.concatenate(near)
        kept = distance[distance <= CALIPER * score.std(ddof=1)]
        return {"matched": len(kept), "distance": float(kept.sum())}

    return match


def measure(by: str, step: str, path: str, warm: bool) -> dict[str, object]:
    """Run one step once and measure it."""
    prepare = ours if by == "prakerja-eval" else theirs
    if warm:
        prepare(draw(2_000), step)()
    call = prepare(pd.read_parquet(path), step)
    cpu, wall = time.process_time(), time.perf_counter()
    answer = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    said = "; ".join(f"{k} {v:.10g}" for k, v in answer.items())
    version = f"{by} {importlib.metadata.version(by)}"
    return {
        "by": version,
        "cpu_s": round(cpu, 2),
        "wall_s": round(wall, 2),
        "peak_gb": round(peak, 2),
        "answer": said,
    }


def in_a_process(by: str, step: str, path: str, warm: bool) -> dict[str, object]:
    """Call this file in a process of its own."""
    with tempfile.TemporaryDirectory() as empty:
        cache = {} if warm else {"NUMBA_CACHE_DIR": empty}
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, __file__, "measure", by, step, path, str(int(warm))],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | cache | threads,
        )
    return json.loads(done.stdout.splitlines()[-1])


def plan(n: int, smallest: int) -> list[tuple[str, str, bool]]:
    """Return package, step and whether it is warm, for one size."""
    rows = [("prakerja-eval", "matching without replacement", False)] if n == smallest else []
    steps = ("score", "matching with replacement", "matching without replacement")
    rows += [("prakerja-eval", step, True) for step in (*steps, "score, matching with replacement")]
    return [*rows, *(("scikit-learn", step, True) for step in steps[:2])]


def main() -> None:
    """Print a table of all rows, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--treated", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--out", type=Path, help="a CSV file to write")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n in options.treated:
            path = f"{folder}/{n}.parquet"
            draw(n).to_parquet(path, index=False)
            for by, step, warm in plan(n, min(options.treated)):
                found = in_a_process(by, step, path, warm)
                name = step if warm else f"{step}, cold"
                rows.append({"treated": n, "comparison": n * 5 // 2, "step": name, **found})
                print(*(rows[-1][field] for field in FIELDS), sep="  ", flush=True)
    if options.out:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(*sys.argv[2:5], sys.argv[5] == "1")))
    else:
        main()
