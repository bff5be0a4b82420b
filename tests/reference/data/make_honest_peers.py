"""Make honest_peers.csv: intervals of moderndid 0.2.0 for the studies in honest_studies.csv.

python make_honest_peers.py, in an environment of its own with moderndid 0.2.0 and cvxpy 1.9.3.

honest_studies.csv: one row a coefficient, event_time, beta and the columns of its covariance. mpdta
is did.event_study(did.group_time(...)) of lemp with a universal base, never treated, no covariates;
"near", "noisy" and "long" were drawn once by the function ``draw``.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
# name: pre, post, seed, size of the trend's steps
DRAWN = {"near": (3, 3, 1, 0.02), "noisy": (4, 4, 2, 0.06), "long": (5, 5, 3, 0.03)}
HEAD = (
    "# moderndid 0.2.0 on honest_studies.csv, made by make_honest_peers.py; "
    "step: of its grid, 0 for flci\n"
)
LEAST = 2.8  # least favourable critical value of every hybrid
REACH = {"first": 8, "average": 20}  # of the grid, in standard errors of the first effect
SKIPPED = (("near", "average"), ("noisy", "first"), ("long", "first"))  # it takes minutes each


def draw(pre, post, seed, step):
    """Return an event study with a wandering trend and an effect that grows."""
    generator = np.random.default_rng(seed)
    k = pre + post
    root = generator.standard_normal((k, 3 * k))
    covariance = 0.05**2 * (0.5 * np.eye(k) + 0.5 + root @ root.T / (6 * k))
    trend = step * generator.standard_normal(k + 1).cumsum()
    trend = np.delete(trend - trend[pre], pre)
    effect = np.append(np.zeros(pre), 0.3 + 0.1 * np.arange(post))
    return trend + effect + np.linalg.cholesky(covariance) @ generator.standard_normal(
        k
    ), covariance


def studies():
    """Write the drawn studies beside that of mpdta, which is in the file already."""
    frame = pd.read_csv(HERE / "honest_studies.csv")
    parts = [frame[frame.study == "mpdta"]]
    for name, (pre, post, seed, step) in DRAWN.items():
        beta, covariance = draw(pre, post, seed, step)
        time = np.delete(np.arange(-pre - 1, post), pre)
        part = pd.DataFrame({"study": name, "event_time": time, "beta": beta})
        parts.append(
            part.join(pd.DataFrame(covariance, columns=[f"v{j}" for j in range(len(beta))]))
        )
    pd.concat(parts).to_csv(HERE / "honest_studies.csv", index=False)


def intervals():
    """Ask moderndid for every study, target, restriction, method and size."""
    from moderndid.didhonest import arp_nuisance
    from moderndid.didhonest.fixed_length_ci import compute_flci
    from moderndid.didhonest.sensitivity import (
        create_sensitivity_results_rm,
        create_sensitivity_results_sm,
    )

    # theirs is the fifth largest of 1000 draws: 2.44 to 2.79 by the seed where 2.81 is right
    arp_nuisance.compute_least_favorable_cv = lambda *_, **__: LEAST
    rows = []
    for name, part in pd.read_csv(HERE / "honest_studies.csv").groupby("study", sort=False):
        k = len(part)
        beta, covariance = part["beta"].to_numpy(), part[[f"v{j}" for j in range(k)]].to_numpy()
        pre = int((part["event_time"] < -1).sum())
        post = k - pre
        se = np.sqrt(covariance[pre, pre])
        targets = {"first": np.eye(post)[0], "average": np.full(post, 1 / post)}
        for target, weights in targets.items():
            column = weights.reshape(-1, 1)
            if (name, target) in SKIPPED:
                continue
            edge = beta[pre:] @ weights + np.array([-1, 1]) * REACH[target] * se
            common = (beta, covariance, pre, post)
            grid = {"grid_points": 401, "grid_lb": edge[0], "grid_ub": edge[1]}
            step = (edge[1] - edge[0]) / 400
            for m in (0.0, 0.25 * se, se, 3 * se):
                found = compute_flci(beta, covariance, m, pre, post, column, num_points=100)
                ends = found.flci
                rows.append((name, target, "smoothness", "flci", m, ends[0], ends[1], 0.0))
            for method, peer in (("conditional", "Conditional"), ("conditional_hybrid", "C-LF")):
                sizes = np.array([0.25 * se, se])
                found = create_sensitivity_results_sm(
                    *common, method=peer, m_vec=sizes, l_vec=column, **grid
                )
                for m, low, high in zip(sizes, found["lb"], found["ub"], strict=True):
                    rows.append((name, target, "smoothness", method, m, low, high, step))
                sizes = np.array([0.5, 1.0])
                found = create_sensitivity_results_rm(
                    *common, method=peer, m_bar_vec=sizes, l_vec=column, **grid
                )
                for m, low, high in zip(sizes, found["lb"], found["ub"], strict=True):
                    rows.append((name, target, "relative magnitudes", method, m, low, high, step))
    columns = ["study", "target", "restriction", "method", "m", "conf_low", "conf_high", "step"]
    with (HERE / "honest_peers.csv").open("w") as file:
        file.write(HEAD)
        pd.DataFrame(rows, columns=columns).to_csv(file, index=False)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    studies()
    intervals()
