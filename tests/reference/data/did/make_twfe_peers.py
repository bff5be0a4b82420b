"""What do pyfixest and diff-diff say of two-way fixed effects? Makes twfe_peers.csv.

In an environment with pyfixest 0.60.0 and diff-diff 3.13.0, with sim_panel.csv and
sim_unbalanced.csv in one folder: ``python make_twfe_peers.py FOLDER > twfe_peers.csv``. Fixed
effects are demeaned to 1e-13 a step; errors are clustered by unit without a factor.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
from diff_diff import BaconDecomposition, twowayfeweights

COHORTS = (3, 4, 6)
WINDOW = (-2, 1)


def read(folder, name):
    """Return a panel with event times; 0 and never apart."""
    data = pd.read_csv(Path(folder) / f"{name}.csv")
    event = np.where(data.g > 0, data.t - data.g, np.nan)
    return data.assign(d=((data.g > 0) & (data.t >= data.g)) * 1.0, e=event)


def fit(data, columns, weights):
    """Regress y on columns, unit and wave effects."""
    return pf.feols(
        f"y ~ {' + '.join(columns)} | id + t",
        data,
        vcov={"CRV1": "id"},
        weights=None if weights == "none" else weights,
        ssc=pf.ssc(k_adj=False, G_adj=False),
        fixef_tol=1e-13,
        fixef_maxiter=100_000,
    )


def event_rows(data, weights, what, event):
    """Yield a coefficient an event time, with -1 as the reference."""
    times = sorted(set(event.dropna()) - {-1})
    names = [f"e{k}" for k in range(len(times))]
    data = data.assign(**{n: (event == t) * 1.0 for n, t in zip(names, times, strict=True)})
    found = fit(data, names, weights)
    for n, t in zip(names, times, strict=True):
        yield what, "", int(t), found.coef()[n], found.se()[n]


def cell_rows(data, weights, what, cohorts, waves):
    """Yield a coefficient a cohort and wave, with the last wave before treatment as the base."""
    cells = [(g, t) for g in cohorts for t in waves if t != g - 1]
    data = data.assign(**{f"c{g}{t}": ((data.g == g) & (data.t == t)) * 1.0 for g, t in cells})
    found = fit(data, [f"c{g}{t}" for g, t in cells], weights)
    for g, t in cells:
        yield what, g, t, found.coef()[f"c{g}{t}"], found.se()[f"c{g}{t}"]


def bacon_rows(data):
    """Yield estimate and weight of each two-by-two comparison; no time is never treated."""
    found = BaconDecomposition(weights="exact").fit(data, "y", "id", "t", "g").to_dataframe()
    for row in found.replace("never_treated", "").itertuples():
        yield "bacon", row.treated_group, row.control_group, row.estimate, row.weight


def weight_rows(data):
    """Yield the weight of each treated cohort and wave in the static coefficient."""
    found = twowayfeweights(data, outcome="y", unit="g", time="t", treatment="d").weights
    for row in found[(found.g > 0) & (found.t >= found.g)].itertuples():
        yield "effect weights", row.g, row.t, row.weight, np.nan


def rows(name, data):
    """Yield everything of one panel."""
    for weights in ("none", "w"):
        found = fit(data, ["d"], weights)
        yield weights, "static", "", "", found.coef()["d"], found.se()["d"]
        several = [
            *event_rows(data, weights, "dynamic", data.e),
            *event_rows(data, weights, "binned", data.e.clip(*WINDOW)),
            *cell_rows(data, weights, "saturated", COHORTS, range(1, 7)),
        ]
        early = data[(data.g > 0) & (data.t < 6)]
        several += cell_rows(early, weights, "saturated last", (3, 4), range(1, 6))
        for row in several:
            yield weights, *row
    if name == "sim_panel":
        for row in (*bacon_rows(data), *weight_rows(data)):
            yield "none", *row


def main(folder):
    """Print the table."""
    print(
        "# pyfixest 0.60.0 (regressions), diff-diff 3.13.0 (bacon, effect weights): see the script"
    )
    print("data,weights,what,cohort,time,estimate,std_error")
    for name in ("sim_panel", "sim_unbalanced"):
        for *labels, estimate, error in rows(name, read(folder, name)):
            print(name, *labels, repr(float(estimate)), repr(float(error)), sep=",")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1])
