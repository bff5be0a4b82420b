"""What do diff-diff and pyfixest say of the simulated panels? Makes imputation_peers.csv.

In an environment with diff-diff 3.13.0 and pyfixest 0.60.0, with sim_panel.csv and
sim_unbalanced.csv in one folder: ``python make_imputation_peers.py FOLDER > imputation_peers.csv``.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
from diff_diff import ImputationDiD

CELLS = [(g, t) for g in (3, 4, 6) for t in range(g, 7)]
PLAIN = pf.ssc(k_adj=False, G_adj=False)


def read(folder, name):
    """Return a panel without the units that were never seen untreated."""
    data = pd.read_csv(Path(folder) / f"{name}.csv")
    seen = data.id[(data.g == 0) | (data.t < data.g)].unique()
    return data[data.id.isin(seen)].reset_index(drop=True)


def impute(data, covariates=(), aggregate="simple", **options):
    """Run diff-diff's imputation; covariates become one column a wave, since trends differ."""
    names = [f"{x}_{t}" for t in range(2, 7) for x in covariates]
    more = {f"{x}_{t}": data[x] * (data.t == t) for t in range(2, 7) for x in covariates}
    data = data.assign(**more)
    fit = ImputationDiD(**options).fit
    return fit(data, "y", "id", "t", "g", covariates=names or None, aggregate=aggregate)


def imputation_rows(name, data):
    """Yield cells, each from a panel whose only treated rows are the cell's, and averages."""
    free = (data.g == 0) | (data.t < data.g)
    for given, covariates in (("none", ()), ("x1x2", ("x1", "x2"))):
        for g, t in CELLS:
            found = impute(data[free | ((data.g == g) & (data.t == t))], covariates)
            yield name, given, "cell", g, t, found.overall_att, found.overall_se
    if name == "sim_panel":
        for partition in ("cohort_horizon", "horizon"):
            found = impute(data, aggregate="all", aux_partition=partition)
            yield name, partition, "overall", "", "", found.overall_att, found.overall_se
            for h in range(4):
                event = found.event_study_effects[h]
                yield name, partition, "event", "", h, event["effect"], event["se"]


def lead_rows(name, data):
    """Yield leads 1 and 2 of a regression on untreated rows, clustered without a factor."""
    free = data[(data.g == 0) | (data.t < data.g)]
    free = free.assign(**{f"l{k}": ((free.g > 0) & (free.t - free.g == -k)) * 1.0 for k in (1, 2)})
    fit = pf.feols("y ~ l1 + l2 | id + t", free, vcov={"CRV1": "id"}, ssc=PLAIN)
    for k in (1, 2):
        yield name, "none", "lead", "", -k, fit.coef()[f"l{k}"], fit.se()[f"l{k}"]


def poisson_rows(name, data):
    """Yield log ratios of cells, cohort and wave effects, clustered without a factor."""
    data = data.assign(pay=np.maximum(0, np.round(1000 * (data.y + 1))))
    names = [f"d{g}{t}" for g, t in CELLS]
    data = data.assign(**{f"d{g}{t}": ((data.g == g) & (data.t == t)) * 1.0 for g, t in CELLS})
    fit = pf.fepois(
        f"pay ~ {' + '.join(names)} | g + t", data, vcov={"CRV1": "id"}, ssc=PLAIN, iwls_tol=1e-13
    )
    for (g, t), column in zip(CELLS, names, strict=True):
        yield name, "none", "log ratio", g, t, fit.coef()[column], fit.se()[column]


def main(folder):
    """Print the table."""
    print("# diff-diff 3.13.0 (imputation), pyfixest 0.60.0 (leads, Poisson): see the script")
    print("data,kind,what,cohort,time,estimate,std_error")
    for name in ("sim_panel", "sim_unbalanced"):
        data = read(folder, name)
        for make in (imputation_rows, lead_rows, poisson_rows):
            for *labels, estimate, error in make(name, data):
                print(*labels, repr(float(estimate)), repr(float(error)), sep=",")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1])
