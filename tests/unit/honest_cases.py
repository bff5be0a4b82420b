"""Event studies with chosen coefficients and covariance."""

import numpy as np
import pandas as pd

from prakerja_eval.estimate import Clustered, Estimate
from prakerja_eval.estimate.estimate import COUNT_COLUMNS, INDEX_COLUMNS, index_row


def event_study(beta, covariance, times, reference=-1.0, **labels):
    """Return an Estimate whose covariance is given; without a reference row if it is None."""
    k = len(beta)
    psi = np.linalg.cholesky(np.asarray(covariance, dtype=float)).T
    theta, statuses = np.asarray(beta, dtype=float), ["ok"] * k
    times = list(map(float, times))
    if reference is not None:
        place = int(np.searchsorted(times, reference))
        theta, psi = np.insert(theta, place, 0.0), np.insert(psi, place, np.nan, axis=1)
        times.insert(place, float(reference))
        statuses.insert(place, "reference")
    first = -1.0 if reference is None else reference
    words = {"estimator": "did.group_time", "population": "treated people", "outcome": "income"}
    words |= {"specification": "base universal"} | labels
    rows = [
        index_row(event_time=t, estimand="ATT" if t > first else "pre-trend", **words)
        for t in times
    ]
    counts = [{"n": k, "status": s} for s in statuses]
    return Estimate(
        theta=theta,
        psi=psi,
        sample=np.ones(psi.shape, dtype=bool),
        units=pd.DataFrame({"weight": 1.0}, index=[f"u{i}" for i in range(k)]),
        index=pd.DataFrame(rows, columns=list(INDEX_COLUMNS), dtype=object),
        counts=pd.DataFrame(counts, columns=list(COUNT_COLUMNS)),
        terms=((),) * len(times),
        defaults=(Clustered("unit", correction="none"),) * len(times),
    )


def covariance_of(k, seed, sd=0.05):
    """Return a covariance with a part that the reference gives to all coefficients."""
    root = np.random.default_rng(seed).standard_normal((k, 3 * k))
    return sd**2 * (0.5 + 0.5 * np.eye(k) + root @ root.T / (6 * k))
