"""How long does entropy balancing take where a programme has a million treated people?

1,000,000 treated and 2,500,000 comparison people, ten covariates, by public names: people are read
off the panel, weighted, and their balance met to 1e-10. CPU seconds and the largest memory of the
process; the panel is made and read before the clock starts, as for the other verbs. Run it with
`python benchmarks/bench_entropy.py [share of the full size]`, one thread.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd

import prakerja_eval as pe

TREATED, COMPARISON = 1_000_000, 2_500_000
COVARIATES = tuple(f"x{j}" for j in range(10))


def population(share: float) -> pd.DataFrame:
    """Draw two arms half a standard deviation apart; three covariates are indicators."""
    rng = np.random.Generator(np.random.PCG64(7))
    n1, n0 = int(TREATED * share), int(COMPARISON * share)
    treated = np.arange(n1 + n0) < n1
    X = rng.standard_normal((n1 + n0, len(COVARIATES))) + 0.5 * treated[:, None]
    X[:, :3] = X[:, :3] > 0.3
    X[:, 9] = np.exp(X[:, 9])
    frame = pd.DataFrame(X, columns=list(COVARIATES))
    return frame.assign(unit=np.arange(len(X)), treated=treated.astype(int))


def main(share: float) -> None:
    """Print what it took."""
    panel = pe.read_panel(population(share), pe.Roles(unit="unit", received="treated"))
    for moments in (1, 2):
        design = pe.matching.EntropyBalance(moments=moments)
        people = pe.matching.people(panel, COVARIATES)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        clock = time.process_time()
        made = pe.matching.weight(panel, design, score=people)
        alone = time.process_time() - clock
        weights, treated = made.weights, people.treated
        gap = weights[treated] @ people.covariates[treated]
        gap -= weights[~treated] @ people.covariates[~treated]
        left = np.abs(gap / made.size / people.covariates.std(axis=0)).max()
        clock = time.process_time()
        pe.matching.weight(panel, design, covariates=COVARIATES)
        both = time.process_time() - clock
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"moments {moments}: {len(treated):,} people, weighting {alone:.1f} CPU s, with "
            f"reading the panel {both:.1f}; largest imbalance {left:.1e}; peak {peak:.2f} GB, "
            f"{before:.2f} of it before weighting"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
