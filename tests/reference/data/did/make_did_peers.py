"""What do pyfixest, diff-diff and csdid say of panel8.csv? Makes did_peers.csv.

In an environment with pyfixest 0.60.0, diff-diff 3.13.0 and csdid 0.4.3, with panel8.csv in one
folder: ``python make_did_peers.py FOLDER > did_peers.csv``. `data` is panel8, or holes: its rows
with seen = 1. `settings` says which factor is in the error; none means plain sums of clusters.
"""

import contextlib
import io
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest as pf
from csdid.att_gt import ATTgt
from diff_diff import (
    BaconDecomposition,
    ImputationDiD,
    SunAbraham,
    SurveyDesign,
    WooldridgeDiD,
    twowayfeweights,
)

COHORTS, WAVES = (3, 4, 6, 7), range(1, 9)
FACTOR = "factor G/(G-1)"
HC1 = "factor G/(G-1) (N-1)/(N-k)"
PYFIXEST, DIFF_DIFF, CSDID = "pyfixest 0.60.0", "diff-diff 3.13.0", "csdid 0.4.3"
NAMED = ("y", "id", "t", "g")


def fit(data, columns, weights, effects="id + t", outcome="y", call=pf.feols, **more):
    """Regress the outcome on columns and fixed effects; errors by unit without a factor."""
    return call(
        f"{outcome} ~ {' + '.join(columns)} | {effects}",
        data,
        vcov={"CRV1": "id"},
        weights=None if weights == "none" else weights,
        ssc=pf.ssc(k_adj=False, G_adj=False),
        fixef_tol=1e-13,
        fixef_maxiter=100_000,
        **more,
    )


def dummies(data, cells):
    """Add a column a cohort and wave."""
    new = {f"c{g}{t}": ((data.g == g) & (data.t == t)) * 1.0 for g, t in cells}
    return data.assign(**new), list(new)


def survey(weights):
    """Return diff-diff's way to say weights."""
    return None if weights == "none" else SurveyDesign(weights=weights)


def twfe_rows(data, weights):
    """Yield the static coefficient and one an event time, -1 the reference."""
    found = fit(data, ["d"], weights)
    yield PYFIXEST, "none", "twfe", "static", "", "", found.coef()["d"], found.se()["d"]
    times = [k for k in range(-6, 6) if k != -1]
    new = {f"e{i}": (data.g > 0) * (data.t - data.g == k) * 1.0 for i, k in enumerate(times)}
    found = fit(data.assign(**new), list(new), weights)
    for k, name in zip(times, new, strict=True):
        yield PYFIXEST, "none", "twfe", "event", "", k, found.coef()[name], found.se()[name]


def sun_abraham_rows(data, weights):
    """Yield cells, their averages with fixed shares of rows, and the averages of diff-diff."""
    cells = [(g, t) for g in COHORTS for t in WAVES if t != g - 1]
    found = fit(*dummies(data, cells), weights)
    beta, error = found.coef().to_numpy(), found.se().to_numpy()
    for (g, t), b, s in zip(cells, beta, error, strict=True):
        yield PYFIXEST, "none", "sun_abraham", "cell", g, t, b, s
    rows = data.assign(w=1.0 if weights == "none" else data[weights]).groupby(["g", "t"]).w.sum()
    size = np.array([rows[c] for c in cells])
    event = np.array([t - g for g, t in cells])
    for k in sorted(set(event)):
        r = np.where(event == k, size, 0.0) / size[event == k].sum()
        se = np.sqrt(r @ found._vcov @ r)
        yield PYFIXEST, "none, fixed shares of rows", "sun_abraham", "event", "", k, r @ beta, se
    found = SunAbraham(cluster="id").fit(data, *NAMED, survey_design=survey(weights))
    for k, row in found.event_study_effects.items():
        yield DIFF_DIFF, HC1, "sun_abraham", "event", "", k, row["effect"], row["se"]
    yield DIFF_DIFF, HC1, "sun_abraham", "overall", "", "", found.overall_att, found.overall_se


def imputation_rows(data, weights):
    """Yield averages with fixed shares of rows, residuals about means by cohort and wave."""
    factor = "none" if weights == "none" else FACTOR
    settings = f"{factor}, cohort_horizon, fixed shares of rows"
    fixed = ImputationDiD(cluster="id", aux_partition="cohort_horizon").fit
    found = fixed(data, *NAMED, aggregate="all", survey_design=survey(weights))
    head = DIFF_DIFF, settings, "imputation"
    yield *head, "overall", "", "", found.overall_att, found.overall_se
    for k, row in found.event_study_effects.items():
        if k != -1:
            yield *head, "event", "", k, row["effect"], row["se"]
    for g, row in found.group_effects.items():
        yield *head, "cohort", g, "", row["effect"], row["se"]


def poisson_rows(data, weights):
    """Yield log ratios of treated cells, with effects of cohorts and of units."""
    cells = [(g, t) for g in COHORTS for t in WAVES if t >= g]
    data, names = dummies(data, cells)
    for what, effects in (("poisson", "g + t"), ("poisson, unit effects", "id + t")):
        found = fit(data, names, weights, effects, "pay", pf.fepois, iwls_tol=1e-13)
        for (g, t), name in zip(cells, names, strict=True):
            yield PYFIXEST, "none", what, "log ratio", g, t, found.coef()[name], found.se()[name]
    if weights == "none":
        yield from wooldridge_rows(data)


def wooldridge_rows(data):
    """Yield Poisson effects in levels: cells and their averages by rows."""
    found = WooldridgeDiD(method="poisson", cluster="id").fit(data, "pay", *NAMED[1:])
    head = DIFF_DIFF, f"{HC1}, fixed shares of rows", "poisson"
    yield *head, "overall", "", "", found.overall_att, found.overall_se
    for (g, t), row in found.group_time_effects.items():
        yield *head, "cell", g, t, row["att"], row["se"]
    for kind, name in (("event", "event_study_effects"), ("group", "group_effects")):
        for k, row in getattr(found.aggregate(kind), name).items():
            at = ("event", "", k) if kind == "event" else ("cohort", k, "")
            yield *head, *at, row["att"], row["se"]


def csdid_rows(data, weights, panel=True):
    """Yield doubly robust cells given x1 and x2, and their averages with drawn shares."""
    for control in ("nevertreated", "notyettreated"):
        name = None if weights == "none" else weights
        head = CSDID, f"none, drawn shares, x1 x2, {control}", "group_time dr"
        with contextlib.redirect_stdout(io.StringIO()):
            found = ATTgt(
                *("y", "t", "id", "g"),
                data,
                control_group=[control],
                xformla="y~x1+x2",
                weights_name=name,
                allow_unbalanced_panel=not panel,
            ).fit("dr", bstrap=False)
            cells = pd.DataFrame({k: found.results[k] for k in ("group", "year", "att", "se")})
            simple = found.aggte("simple", bstrap=False).atte
            event = found.aggte("dynamic", bstrap=False).atte
        for row in cells.itertuples():
            yield *head, "cell", int(row.group), int(row.year), row.att, row.se
        yield *head, "overall", "", "", simple["overall_att"], simple["overall_se"]
        for k, b, s in zip(event["egt"], event["att_egt"], event["se_egt"], strict=True):
            yield *head, "event", "", int(k), b, np.ravel(s)[0]


def decomposition_rows(data):
    """Yield comparisons of two groups and treated cells; `se` holds weights, `time` the control."""
    found = BaconDecomposition(weights="exact").fit(data, *NAMED)
    head = DIFF_DIFF, "se is a weight", "bacon"
    for row in found.to_dataframe().replace("never_treated", 0).itertuples():
        yield *head, "pair", row.treated_group, row.control_group, row.estimate, row.weight
    yield *head, "total", "", "", found.twfe_estimate, 1.0
    found = twowayfeweights(data, outcome="y", unit="g", time="t", treatment="d")
    for row in found.weights[
        found.weights.t >= found.weights.g.where(found.weights.g > 0)
    ].itertuples():
        yield (
            DIFF_DIFF,
            "estimate is a weight",
            "effect weights",
            "cell",
            row.g,
            row.t,
            row.weight,
            np.nan,
        )


def rows(name, data, weights):
    """Yield everything of one panel."""
    for make in (twfe_rows, sun_abraham_rows, imputation_rows, poisson_rows):
        yield from make(data, weights)
    if name == "panel8" or weights == "none":
        yield from csdid_rows(data, weights, panel=name == "panel8")
    if name == "panel8" and weights == "none":
        yield from decomposition_rows(data)


def main(folder):
    """Print the table."""
    whole = pd.read_csv(Path(folder) / "panel8.csv")
    whole = whole.assign(d=((whole.g > 0) & (whole.t >= whole.g)) * 1.0)
    print("data,weights,package,settings,estimator,term,cohort,time,estimate,se")
    for name, data in (("panel8", whole), ("holes", whole[whole.seen == 1].reset_index(drop=True))):
        for weights in ("none", "w"):
            for package, settings, *labels, b, s in rows(name, data, weights):
                cells = (name, weights, package, f'"{settings}"', f'"{labels[0]}"', *labels[1:])
                print(*cells, repr(float(b)), repr(float(s)), sep=",")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1])
