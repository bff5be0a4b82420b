"""How long does a synthetic programme take, in memory and streamed, beside its raw numbers?

    python benchmarks/bench_simulate.py [--people 1000000] [--streamed 1000000]
        [--scenario at_scale]

There is no other simulator of this programme, so the peer is a floor: numpy draws as many random
numbers as our people need and pandas holds a table of the same size, columns of text included, with
nothing computed from the numbers. Each row runs in a process of its own; CPU seconds and the peak
of memory are the process's, without its imports. ``--streamed 22800000`` is the whole programme.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

WAVES = 4
UNIFORMS, NORMALS = 85, 18  # what our layers draw for a person of at_scale
HEAD = f"{'task':<44}{'cpu s':>9}{'wall s':>9}{'peak GB':>9}  answer"


def in_memory(scenario: str, people: int) -> str:
    """Panel and applications."""
    from prakerja_eval import synthetic

    world = synthetic.simulate(scenario, people, 1)
    return f"{len(world.panel):,} rows, {len(world.applications):,} applications"


def truth(scenario: str, people: int) -> str:
    """Every true effect, from potential outcomes."""
    from prakerja_eval import synthetic

    return f"{len(synthetic.simulate(scenario, people, 1).truth.frame):,} values"


def streamed(scenario: str, people: int) -> str:
    """Panel, applications, records and truth in a folder, chunk by chunk."""
    from pathlib import Path

    from prakerja_eval.synthetic.stream import stream

    with tempfile.TemporaryDirectory() as home:
        folder = stream(scenario, people, 1, Path(home) / "world")
        size = sum(p.stat().st_size for p in folder.iterdir())
    return f"{size / 1e9:.2f} GB on disk"


def floor(_scenario: str, people: int) -> str:
    """Random numbers and a table alone."""
    rng, n = np.random.default_rng(1), people * WAVES
    table: dict[str, object] = {}
    for k in range(UNIFORMS):
        drawn = rng.random(people)
        if k < 12:
            table[f"flag{k}"] = np.repeat((drawn < 0.5).astype(np.int8), WAVES)
    for k in range(NORMALS):
        drawn = rng.standard_normal(people)
        table[f"number{k}"] = np.repeat(drawn, WAVES)
    ids = pd.Series([f"SYN-{i:08d}" for i in range(people)], dtype="str")
    rows = np.repeat(np.arange(people), WAVES)
    for k in range(9):
        table[f"text{k}"] = ids.take(rows).reset_index(drop=True)
    return f"{len(pd.DataFrame(table)):,} rows of {n // people} waves"


TASKS: dict[str, Callable[[str, int], str]] = {
    "simulate, panel, applications": in_memory,
    "numpy and pandas, nothing computed": floor,
    "simulate, truth": truth,
    "stream to Parquet, with records and truth": streamed,
}


def measure(task: str, scenario: str, people: int) -> dict[str, object]:
    """Run a task once, after a small one that loads and compiles."""
    call = TASKS[task]
    call(scenario, 2_000)
    cpu, wall = time.process_time(), time.perf_counter()
    answer = call(scenario, people)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"cpu": cpu, "wall": wall, "peak": peak, "answer": answer}


def main() -> None:
    """Print a table of all tasks, and our time over the floor's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--streamed", type=int, default=1_000_000)
    parser.add_argument("--scenario", default="at_scale")
    parser.add_argument("--tasks", nargs="+", help="words that a task has")
    options = parser.parse_args()
    print(f"{options.scenario}: {options.people:,} people; streamed: {options.streamed:,}")
    print(HEAD)
    times = {}
    for task, call in TASKS.items():
        if options.tasks and not any(word in task for word in options.tasks):
            continue
        people = options.streamed if call is streamed else options.people
        arguments = [sys.executable, __file__, "measure", task, options.scenario, str(people)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{task}: {done.stderr.strip()[-200:]}")
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        times[call] = found["cpu"]
        print(
            f"{task:<44}{found['cpu']:>9.1f}{found['wall']:>9.1f}{found['peak']:>9.2f}"
            f"  {found['answer']}"
        )
    if in_memory in times and floor in times:
        print(f"{times[in_memory] / times[floor]:.2f} times the floor")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        main()
