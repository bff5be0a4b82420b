"""How long do three estimates of difference-in-differences take, and how much memory, beside peers?

Eight waves, four cohorts and never treated, five continuous covariates; all group-time effects with
their event study without covariates, doubly robust given five, and the event study by two-way fixed
effects; standard errors analytic, clustered by unit. Each estimate runs in a process of its own,
one after another, after a warm-up on 500 units, once: wall and CPU seconds, and the peak of memory
from then on, what is being held included. "panel" starts from a Panel, "checked" from one that was
checked before, everything else from the DataFrame. Then our own cost at several sizes.

Run it with ``make bench``, or beside peers, with an interpreter that has them:
``python benchmarks/bench_did.py --peers PATH/TO/python --store``. Otherwise what peers took when
they were last stored is printed, from did_peers.csv: compare CPU seconds, and the load beside them.
"""

import argparse
import contextlib
import csv
import gc
import importlib.metadata
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

COVARIATES = [f"x{k}" for k in range(1, 6)]
OURS = ("checked", "panel", "frame")
COHORTS = (0, 3, 4, 6, 7)
WAVES = 8
SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
HEAD = "task         units by                     wall s    cpu s peak GB  load   gap to ours, SE"
EVENTS = [k for k in range(-6, 6) if k != -1]
STORED = Path(__file__).with_name("did_peers.csv")
FIELDS = ("task", "who", "version", "units", "wall", "cpu", "peak_gb", "load", "answer")
PEERS = {
    "means": ("diff-diff", "csdid", "moderndid"),
    "robust": ("diff-diff", "csdid", "moderndid"),
    "two-way": ("pyfixest", "linearmodels"),
}
Answer = dict[float, tuple[float, float]]  # event time: estimate, standard error


def draw(units: int) -> pd.DataFrame:
    """Draw a balanced panel; adoption and trends depend on the covariates."""
    rng = np.random.Generator(np.random.PCG64(11))
    x = rng.normal(size=(units, len(COVARIATES)))
    taste = x @ [0.3, -0.2, 0.1, 0.0, 0.2]
    score = taste[:, None] * [0.0, 0.5, 0.3, -0.2, 0.4] + rng.gumbel(size=(units, len(COHORTS)))
    score[:, 0] += 0.8
    cohort = np.array(COHORTS)[score.argmax(1)][:, None]
    wave = np.arange(1, WAVES + 1)
    since = np.where(cohort > 0, np.maximum(wave - cohort + 1, 0), 0)
    y = taste[:, None] * (1 + 0.1 * wave) + 0.1 * wave + 0.2 * since
    y += rng.normal(size=(units, 1)) + rng.normal(size=(units, WAVES))
    columns = {"id": np.repeat(np.arange(units), WAVES), "t": np.tile(wave, units)}
    columns |= {"g": np.repeat(cohort[:, 0], WAVES), "y": y.ravel()}
    columns |= {name: np.repeat(x[:, k], WAVES) for k, name in enumerate(COVARIATES)}
    return pd.DataFrame(columns)


# --- ours -----------------------------------------------------------------------------------------


def read(frame: pd.DataFrame) -> Any:
    """Return a Panel."""
    import prakerja_eval as pe

    return pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g", baseline=2))


def ours(panel: object, task: str) -> Answer:
    """Estimate by the public names."""
    import prakerja_eval as pe

    if task == "two-way":
        found = pe.did.twfe(panel, "y", dynamic=True)
    else:
        given = tuple(COVARIATES) if task == "robust" else ()
        found = pe.did.event_study(pe.did.group_time(panel, "y", pe.did.Design(covariates=given)))
    rows = found.tidy().query("status == 'ok'")
    return {
        float(k): (float(b), float(s))
        for k, b, s in zip(rows["event_time"], rows["estimate"], rows["std_error"], strict=True)
    }


# --- peers ----------------------------------------------------------------------------------------


def with_diff_diff(frame: pd.DataFrame, task: str) -> Answer:
    """Run CallawaySantAnna with its analytic errors."""
    from diff_diff import CallawaySantAnna

    given = COVARIATES if task == "robust" else None
    found = CallawaySantAnna(n_bootstrap=0).fit(
        frame, "y", "id", "t", "g", covariates=given, aggregate="event_study"
    )
    return {k: (row["effect"], row["se"]) for k, row in found.event_study_effects.items()}


def with_csdid(frame: pd.DataFrame, task: str) -> Answer:
    """Run ATTgt and its dynamic average without a bootstrap."""
    from csdid.att_gt import ATTgt

    given = f"y~{'+'.join(COVARIATES)}" if task == "robust" else None
    with contextlib.redirect_stdout(io.StringIO()):
        cells = ATTgt("y", "t", "id", "g", frame, control_group=["nevertreated"], xformla=given)
        found = cells.fit("dr", bstrap=False).aggte("dynamic", bstrap=False).atte
    errors = np.ravel(found["se_egt"])
    return dict(zip(found["egt"], zip(found["att_egt"], errors, strict=True), strict=True))


def with_moderndid(frame: pd.DataFrame, task: str) -> Answer:
    """Run att_gt and its dynamic average without a bootstrap."""
    import moderndid

    given = f"~{'+'.join(COVARIATES)}" if task == "robust" else None
    cells = moderndid.att_gt(frame, "y", "t", "id", "g", given, boot=False, cband=False)
    found = moderndid.aggte(cells, type="dynamic")
    pairs = zip(found.att_by_event, found.se_by_event, strict=True)
    return dict(zip(found.event_times, pairs, strict=True))


def with_pyfixest(frame: pd.DataFrame, task: str) -> Answer:
    """Regress on event times, never treated at the reference."""
    import pyfixest as pf

    event = np.where(frame["g"] > 0, frame["t"] - frame["g"], -1)
    plain = pf.ssc(k_adj=False, G_adj=False)
    found = pf.feols(
        "y ~ i(event, ref=-1) | id + t", frame.assign(event=event), {"CRV1": "id"}, ssc=plain
    )
    return dict(zip(EVENTS, zip(found.coef(), found.se(), strict=True), strict=True))


def with_linearmodels(frame: pd.DataFrame, task: str) -> Answer:
    """Regress on dummies of event times; no small-sample factor."""
    from linearmodels.panel import PanelOLS

    event = np.where(frame["g"] > 0, frame["t"] - frame["g"], -1)
    dummies = {f"e{k}": (event == k).astype(float) for k in EVENTS}
    data = frame[["id", "t", "y"]].assign(**dummies).set_index(["id", "t"])
    model = PanelOLS(data["y"], data[list(dummies)], entity_effects=True, time_effects=True)
    found = model.fit(
        cov_type="clustered",
        cluster_entity=True,
        auto_df=False,
        count_effects=False,
        debiased=False,
    )
    return dict(zip(EVENTS, zip(found.params, found.std_errors, strict=True), strict=True))


CALLS: dict[str, Callable[[pd.DataFrame, str], Answer]] = {
    "diff-diff": with_diff_diff,
    "csdid": with_csdid,
    "moderndid": with_moderndid,
    "pyfixest": with_pyfixest,
    "linearmodels": with_linearmodels,
    "frame": lambda frame, task: ours(read(frame), task),
}


# --- a measurement --------------------------------------------------------------------------------


def peak_gb() -> float:
    """Return the peak of this process's memory, since it was last forgotten where Linux can."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def forget_peak() -> None:
    """Start a new peak of memory at what is held now."""
    gc.collect()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def measure(task: str, who: str, path: str) -> dict[str, object]:
    """Run one estimate once, after a warm-up; read the file beforehand."""
    warnings.simplefilter("ignore")
    small = draw(500)
    if who in ("checked", "panel"):
        ours(read(small), task)
        held, call = read(pd.read_parquet(path)), ours
        if who == "checked":
            held.check(["y"])
    else:
        call = CALLS[who]
        call(small, task)
        held = pd.read_parquet(path)
    forget_peak()
    cpu, wall = time.process_time(), time.perf_counter()
    answer = call(held, task)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    package = who if who in CALLS and who != "frame" else "prakerja-eval"
    return {
        "version": importlib.metadata.version(package),
        "wall": round(wall, 3),
        "cpu": round(cpu, 3),
        "peak_gb": round(peak_gb(), 2),
        "load": round(os.getloadavg()[0], 1),
        "answer": [(float(k), float(answer[k][0]), float(answer[k][1])) for k in sorted(answer)],
    }


def in_a_process(python: str, *arguments: str) -> dict[str, object] | None:
    """Call this file in a process of its own; nothing if it fails."""
    command = [python, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(" ".join(arguments[:3]), "failed:", done.stderr.strip().splitlines()[-1:])
        return None
    return json.loads(done.stdout.splitlines()[-1])


# --- the table ------------------------------------------------------------------------------------


def gap(answer: list[list[float]], reference: list[list[float]]) -> str:
    """Say how far estimates are from ours in our standard errors, and standard errors from ours."""
    mine = {k: (b, s) for k, b, s in reference}
    both = [(b, s, *mine[k]) for k, b, s in answer if k in mine and s > 0]
    if len(both) < len(mine):
        return f"{len(both)} of {len(mine)} estimates"
    b, s, b0, s0 = np.array(both).T
    return f"{np.abs((b - b0) / s0).max():.0e} {np.abs(s / s0 - 1).max():.0e}"


def line(row: dict[str, object], reference: list[list[float]]) -> str:
    """Return a row of the table."""
    name = f"{row['who']} {row['version']}"
    return (
        f"{row['task']:<8} {row['units']:>9,} {name:<20} {row['wall']:>8.2f} {row['cpu']:>8.2f} "
        f"{row['peak_gb']:>7.2f} {row['load']:>5.1f}   {gap(row['answer'], reference)}"
    )


def stored() -> list[dict[str, object]]:
    """Return what peers took when it was last stored."""
    if not STORED.exists():
        return []
    with STORED.open(newline="") as file:
        rows = list(csv.DictReader(file))
    numbers: dict[str, Callable[[str], object]] = {"units": int, "answer": json.loads}
    numbers |= dict.fromkeys(("wall", "cpu", "peak_gb", "load"), float)
    return [r | {k: to(r[k]) for k, to in numbers.items()} for r in rows]


def store(row: dict[str, object]) -> None:
    """Put a peer's row in the place of the one before."""
    key = ("task", "who", "units")
    rows = [r for r in stored() if any(r[k] != row[k] for k in key)] + [row]
    rows.sort(key=lambda r: (list(PEERS).index(str(r["task"])), r["units"], r["wall"]))
    with STORED.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(r | {"answer": json.dumps(r["answer"])} for r in rows)


def compare(task: str, units: int, path: str, options: argparse.Namespace) -> None:
    """Print ours and then peers, measured now or stored, for one task."""
    label = {"task": task, "units": units}
    reference: list[list[float]] = []
    for who in OURS:
        found = in_a_process(sys.executable, "measure", task, who, path)
        if found:
            reference = reference or found["answer"]
            print(line(label | {"who": who} | found, reference), flush=True)
    if options.peers:
        for who in PEERS[task]:
            found = in_a_process(options.peers, "measure", task, who, path)
            if not found:
                continue
            row = label | {"who": who} | found
            print(line(row, reference or found["answer"]), flush=True)
            if options.store:
                store(row)
        return
    for row in stored():
        if row["task"] == task and row["units"] == units:
            print(line(row, reference), "(stored)")


def main() -> None:
    """Print a table beside peers at one size, then our own cost at several."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--tasks", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--peers", help="an interpreter that has the peers")
    parser.add_argument("--store", action="store_true", help="keep what the peers took")
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    options = parser.parse_args()
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for units in (options.units, *options.sizes):
            path = str(Path(folder) / f"{units}.parquet")
            if not Path(path).exists():
                in_a_process(sys.executable, "draw", str(units), path)
        for task in options.tasks:
            compare(task, options.units, str(Path(folder) / f"{options.units}.parquet"), options)
        if options.sizes:
            print("\nOurs, CPU microseconds a unit at", *(f"{n:,}" for n in options.sizes), "units")
        for task in options.tasks if options.sizes else ():
            for who in OURS:
                cells = []
                for units in options.sizes:
                    path = str(Path(folder) / f"{units}.parquet")
                    found = in_a_process(sys.executable, "measure", task, who, path)
                    cells.append(f"{1e6 * found['cpu'] / units:>9.2f}" if found else " " * 9)
                print(f"{task:<8} {who:<7}", *cells)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(*sys.argv[2:])))
    elif sys.argv[1:2] == ["draw"]:
        draw(int(sys.argv[2])).to_parquet(sys.argv[3], index=False, compression=None)
        print("{}")
    else:
        main()
