"""Does the lottery wing give R's numbers and the printed tables, row by row?

Sources: R estimatr 1.0.0 and clubSandwich 0.5.8 (`data/lottery/README.md`), and the printed tables
named at each test. R prints ten digits, so rtol 1e-8 leaves room for rounding and nothing else.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate import LinearFit, LinearTerm, estimate_row
from prakerja_eval.numerics.blocks import block_dummies
from prakerja_eval.numerics.iv import tsls
from prakerja_eval.numerics.linear import wls

DATA = Path(__file__).parent / "data" / "lottery"
ESTIMATR = pd.read_csv(DATA / "estimatr.csv")
CLUBSANDWICH = pd.read_csv(DATA / "clubsandwich.csv")

NSW_COVARIATES = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")
JTPA_COVARIATES = ("prevearn", "married", "black", "hispanic", "hsorged")
JTPA_PRINTED = (
    *("hsorged", "black", "hispanic", "married", "wkless13", "class_tr", "ojt_jsa", "f2sms"),
    *("age2225", "age2629", "age3035", "age3644", "age4554"),
)


def read(folder, name, **options):
    frame = pd.read_csv(folder / name, **options)
    return frame.assign(id=[f"SYN-{i:06d}" for i in range(len(frame))])


@pytest.fixture(scope="module")
def frames(request):
    """Give a data set by name; other people's lie in ../shared, which may be absent."""
    kept = {}

    def get(dataset):
        if dataset not in kept:
            kept[dataset] = _frame(request, dataset)
        return kept[dataset]

    return get


def _frame(request, dataset):
    if dataset == "synthetic":
        return read(DATA, "synthetic_lottery.csv")
    folder = request.getfixturevalue("shared_reference") / "lottery"
    if dataset == "penn":
        return read(folder, "penn_jae.dat", sep=r"\s+")
    if dataset.startswith("jtpa"):
        frame = read(folder, "jtpa.csv")
        return frame[frame.sex == (dataset == "jtpa_men")]
    return read(folder, {"nsw722": "nswdemo722"}.get(dataset, dataset) + ".csv")


OFFER = {"nsw": "treat", "nsw722": "trt", "alo_star_men": "sfsp", "synthetic": "z"}
OUTCOME = {"nsw": "re78", "nsw722": "re78", "alo_star_men": "GPA_year1", "synthetic": "income"}
RECEIVED = {"synthetic": "d", "jtpa_men": "training", "jtpa_women": "training"}
CLUSTER = {"synthetic": "district", "jtpa_men": "site", "jtpa_women": "site"}


def panel_of(frame, dataset, blocks=(), weight=None):
    return pe.read_panel(
        frame,
        pe.Roles(
            unit="id",
            offer=OFFER.get(dataset, "assignmt"),
            received=RECEIVED.get(dataset),
            clusters=CLUSTER.get(dataset, ()),
            blocks=blocks,
            weight=weight,
        ),
    )


def inverse_probability(frame, arm, block):
    """Weight each person by one over the share of the own arm in the own block."""
    share = frame.groupby(block)[arm].transform("mean")
    return frame.assign(ipw=np.where(frame[arm] == 1, 1 / share, 1 / (1 - share)))


def two_or_more_an_arm(frame, arm, blocks):
    """Leave out blocks with fewer than two people in an arm, as blocked Neyman variances must."""
    won = frame.groupby(blocks)[arm].transform("sum")
    size = frame.groupby(blocks)[arm].transform("size")
    return frame[(won >= 2) & (size - won >= 2)]


def run(frames, dataset, estimator="itt", **options):
    frame = frames(dataset)
    blocks, weight = options.pop("blocks", ()), options.pop("weight", None)
    outcome = options.pop("outcome", OUTCOME.get(dataset, "earnings"))
    prepare = options.pop("prepare", None)
    frame = frame if prepare is None else prepare(frame)
    panel = panel_of(frame, dataset, blocks, weight)
    call = {"itt": pe.lottery.itt, "late": pe.lottery.late}[estimator]
    return call(panel, outcome, pe.lottery.Design(**options))


HC0, HC1, HC2, HC3 = (pe.Robust(kind) for kind in ("HC0", "HC1", "HC2", "HC3"))
WELCH = pe.Robust("HC2", reference="welch")
SITE_CR2 = pe.Clustered("site", "CR2")
SITE_STATA = pe.Clustered("site", "stata")
FE = {"block_weights": "strata_fe"}
LIN = {"covariate_model": "lin"}

NSW_ROWS = {
    "lm_robust re78~treat classical": ({}, pe.Classical()),
    "lm_robust re78~treat HC0": ({}, HC0),
    "lm_robust re78~treat HC1": ({}, HC1),
    "lm_robust re78~treat HC2": ({}, HC2),
    "lm_robust re78~treat HC3": ({}, HC3),
    "difference_in_means": ({}, WELCH),
    "ancova re74 re75 HC2": ({"covariates": ("re74", "re75")}, HC2),
    "lm_lin 8 covs HC2": ({"covariates": NSW_COVARIATES, **LIN}, HC2),
    "lm_lin 8 covs HC3": ({"covariates": NSW_COVARIATES, **LIN}, HC3),
}
STAR_ROWS = {
    "unadj HC0": ({}, HC0),
    "ancova HC0": ({"covariates": ("gpa0",)}, HC0),
    "lm_lin HC0": ({"covariates": ("gpa0",), **LIN}, HC0),
    "lm_lin HC2": ({"covariates": ("gpa0",), **LIN}, HC2),
}
SITE = {"blocks": "site"}
SIX = (*JTPA_COVARIATES, "wkless13")
JTPA_ROWS = {
    "difference_in_means": ({}, WELCH),
    "difference_in_means blocks=site": (SITE, HC2),
    "lm_robust site FE HC2": (SITE | FE, HC2),
    "lm_robust site FE HC1": (SITE | FE, HC1),
    "lm_lin saturated site HC2": (SITE, HC2),
    "lm_lin site+prevearn+covs HC2": (SITE | LIN | {"covariates": SIX}, HC2),
    "iv_robust nocov HC2": ({"estimator": "late"}, HC2),
    "iv_robust nocov HC1": ({"estimator": "late"}, HC1),
    "iv_robust site FE HC2": (SITE | FE | {"estimator": "late"}, HC2),
    "iv_robust site FE HC1": (SITE | FE | {"estimator": "late"}, HC1),
    "lm_robust cluster site CR2": ({}, SITE_CR2),
    "lm_robust cluster site stata": ({}, SITE_STATA),
    "lm_robust cluster site CR2 + site FE": (SITE | FE, SITE_CR2),
    "iv_robust cluster site CR2": ({"estimator": "late"}, SITE_CR2),
    "iv_robust cluster site stata": ({"estimator": "late"}, SITE_STATA),
    "lm_robust IPW(site) HC2": (
        {"weight": "ipw", "prepare": lambda f: inverse_probability(f, "assignmt", "site")},
        HC2,
    ),
    "difference_in_means blocks=site x quarter": (
        {
            "blocks": ("site", "qtr"),
            "prepare": lambda f: two_or_more_an_arm(f, "assignmt", ["site", "qtr"]),
        },
        HC2,
    ),
}
STRATUM = {"blocks": "stratum"}
X1X2 = {"covariates": ("x1", "x2")}
DISTRICT_CR2 = pe.Clustered("district", "CR2")
SYNTHETIC_ROWS = {
    "DIM naive": ({}, WELCH),
    "DIM blocks=stratum": (STRATUM, HC2),
    "strata FE HC2": (STRATUM | FE, HC2),
    "strata FE HC1": (STRATUM | FE, HC1),
    "lm_lin strata HC2": (STRATUM, HC2),
    "lm_lin strata+x1+x2 HC2": (STRATUM | LIN | X1X2, HC2),
    "ancova strata FE x1 x2 HC2": (STRATUM | FE | X1X2, HC2),
    "iv strata FE HC2": (STRATUM | FE | {"estimator": "late"}, HC2),
    "iv strata FE HC1 x": (STRATUM | FE | X1X2 | {"estimator": "late"}, HC1),
    "strata FE CR2 district": (STRATUM | FE, DISTRICT_CR2),
    "no FE CR2 district": ({}, DISTRICT_CR2),
    "IPW HC2": (
        {"weight": "ipw", "prepare": lambda f: inverse_probability(f, "z", "stratum")},
        HC2,
    ),
    "ITT employed DIM blocks": (STRATUM | {"outcome": "employed"}, HC2),
    "responders DIM blocks": (
        STRATUM | {"prepare": lambda f: f.assign(income=f.income.where(f.responded == 1))},
        HC2,
    ),
}
HANDLED = {
    (dataset, spec): how
    for datasets, rows in (
        (["nsw"], NSW_ROWS),
        (["alo_star_men"], STAR_ROWS),
        (["jtpa_men", "jtpa_women"], JTPA_ROWS),
        (["synthetic"], SYNTHETIC_ROWS),
    )
    for dataset in datasets
    for spec, how in rows.items()
}
EXCLUDED = {}  # (dataset, spec): reason. Every row concerns this wing, so none is left out.


def rows_of(table):
    return [
        pytest.param(row, id=" ".join(str(v) for v in row[:3] if v is not None))
        for row in table.itertuples(index=False)
    ]


@pytest.mark.parametrize("row", rows_of(ESTIMATR))
def test_every_row_of_estimatr_is_met(frames, row):
    key = (row.dataset, row.spec)
    if key in EXCLUDED:
        pytest.skip(EXCLUDED[key])
    assert key in HANDLED, f"no call is written for the row {key}"
    options, inference = HANDLED[key]
    found = pe.infer(run(frames, row.dataset, **options), inference).frame.iloc[0]
    columns = {
        "estimate": row.estimate,
        "std_error": row.se,
        "statistic": row.stat,
        "p_value": row.p,
        "conf_low": row.lo,
        "conf_high": row.hi,
        "df": row.df,
    }
    for name, expected in columns.items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-8, err_msg=name)
    assert found["n"] == row.n
    assert found["status"] == "ok"


def test_no_call_is_written_for_a_row_that_estimatr_does_not_have():
    known = set(zip(ESTIMATR.dataset, ESTIMATR.spec, strict=True))
    assert set(HANDLED) | set(EXCLUDED) == known


CLUB_SPECS = {
    "earnings~assignmt": {},
    "+site FE": SITE | FE,
    "+prevearn married black hispanic hsorged": {"covariates": JTPA_COVARIATES},
    "strata FE, district clusters": STRATUM | FE,
}
# clubSandwich's own rounding reaches 1.05e-8 in the degrees of freedom of one row and 2.7e-8 in its
# p-value (prevearn is in dollars beside indicators). The same formulas in rational arithmetic with
# 60-digit roots give these figures: the row is held to them at 1e-12, and to R's at 3e-8.
EXACT = {
    ("jtpa_men", "+prevearn married black hispanic hsorged", "CR2"): {
        "std_error": 391.0284823756391,
        "df": 7.864994533827936,
        "p_value": 0.01785677147223411,
    }
}
CLUB_CORRECTIONS = {"CR0": "none", "CR1": "G", "CR1S": "stata", "CR2": "CR2", "CR3": "CR3"}


@pytest.mark.parametrize("row", rows_of(CLUBSANDWICH))
def test_every_row_of_clubsandwich_is_met(frames, row):
    by = CLUSTER[row.dataset]
    inference = pe.Clustered(by, CLUB_CORRECTIONS[row.vcov], reference="satterthwaite")
    found = pe.infer(run(frames, row.dataset, **CLUB_SPECS[row.spec]), inference).frame.iloc[0]
    np.testing.assert_allclose(found["estimate"], row.estimate, rtol=1e-8)
    np.testing.assert_allclose(found["std_error"], row.se, rtol=1e-8)
    np.testing.assert_allclose(found["statistic"], row.tstat, rtol=1e-8)
    exact = EXACT.get((row.dataset, row.spec, row.vcov), {})
    rtol = 3e-8 if exact else 1e-8
    np.testing.assert_allclose(found["df"], row.df_satt, rtol=rtol)
    np.testing.assert_allclose(found["p_value"], row.p, rtol=rtol)
    for name, value in exact.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)
    assert (found["n"], found["n_clusters"]) == (row.n, row.G)


@pytest.mark.parametrize("dataset", ["jtpa_men", "jtpa_women"])
def test_cr3_is_refused_where_the_fixed_effect_is_the_cluster(frames, dataset):
    estimate = run(frames, dataset, **SITE, **FE)
    with pytest.raises(NotEstimableError, match="CR3 is not defined"):
        pe.infer(estimate, pe.Clustered("site", "CR3"))


# --- the same linear rows, as bare regressions through LinearFit ---


def regression(y, X, rows=None, units=None, w=None):
    """An Estimate of the first coefficient of a least-squares fit."""
    w = np.ones(len(y)) if w is None else w
    fit = wls(y, X, w)
    units = pd.DataFrame({"weight": w}) if units is None else units
    units.index = [f"u{i}" for i in range(len(units))]
    linear = LinearFit(fit.residuals, fit.weights, fit.bread, np.arange(len(y)), design=X)
    contrast = np.eye(X.shape[1])[0]
    term = LinearTerm(linear, contrast)
    return estimate_row(
        fit.beta[0], fit.psi[:, 0], units, {"estimator": "ols"}, {"n": len(y)}, HC2, [term]
    )


@pytest.mark.parametrize("dataset", ["jtpa_men", "jtpa_women", "synthetic"])
def test_a_weighted_regression_gives_the_inverse_probability_row(frames, dataset):
    arm, block = ("z", "stratum") if dataset == "synthetic" else ("assignmt", "site")
    frame = inverse_probability(frames(dataset), arm, block)
    X = np.column_stack([frame[arm], np.ones(len(frame))]).astype(float)
    y = frame[OUTCOME.get(dataset, "earnings")].to_numpy()
    found = pe.infer(regression(y, X, w=frame.ipw.to_numpy()), HC2).frame.iloc[0]
    row = ESTIMATR[(ESTIMATR.dataset == dataset) & ESTIMATR.spec.str.contains("IPW")].iloc[0]
    np.testing.assert_allclose(
        [found["estimate"], found["std_error"], found["df"]],
        [row.estimate, row.se, row.df],
        rtol=1e-8,
    )


# --- Angrist and Pischke (2009), Mostly Harmless Econometrics, table 4.4.1 ---

MHE_441 = {
    ("jtpa_men", "ols"): ((3970, 555), (3754, 536)),
    ("jtpa_men", "itt"): ((1117, 569), (970, 546)),
    ("jtpa_men", "iv"): ((1825, 928), (1593, 895)),
    ("jtpa_women", "ols"): ((2133, 345), (2215, 334)),
    ("jtpa_women", "itt"): ((1243, 359), (1139, 341)),
    ("jtpa_women", "iv"): ((1942, 560), (1780, 532)),
}


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize(("dataset", "kind"), MHE_441)
def test_the_twelve_printed_cells_of_jtpa(frames, dataset, kind, adjusted):
    names = [*JTPA_PRINTED, *(["afdc"] if dataset == "jtpa_women" else [])] if adjusted else []
    if kind == "ols":
        frame = frames(dataset)
        X = np.column_stack([frame.training, np.ones(len(frame)), frame[names]]).astype(float)
        estimate = regression(frame.earnings.to_numpy(), X)
    else:
        estimator = {"itt": "itt", "iv": "late"}[kind]
        estimate = run(frames, dataset, estimator, covariates=tuple(names))
    found = pe.infer(estimate, HC1).frame.iloc[0]
    printed = MHE_441[dataset, kind][adjusted]
    assert (round(found["estimate"]), round(found["std_error"])) == printed


# --- Mostly Harmless Econometrics, table 3.3.3 (classical standard errors) ---

DEMOGRAPHICS = ("age", "age^2", "educ", "black", "hisp", "marr", "nodegree")
MHE_333 = [
    ((), 1794, 633),
    (("re75",), 1750, 632),
    (DEMOGRAPHICS, 1670, 639),
    ((*DEMOGRAPHICS, "re75"), 1636, 638),
    ((*DEMOGRAPHICS, "re74", "re75"), 1676, 639),
]


@pytest.mark.parametrize(("covariates", "estimate", "se"), MHE_333)
def test_the_experiment_of_dehejia_and_wahba_as_printed(frames, covariates, estimate, se):
    found = pe.infer(run(frames, "nsw", covariates=covariates), pe.Classical()).frame.iloc[0]
    assert (round(found["estimate"]), round(found["std_error"])) == (estimate, se)


# --- LaLonde (1986), table 5, the 722 men ---

BEFORE = ("age", "age^2", "educ", "black", "hisp", "nodeg")


def change(frame):
    return frame.assign(change=frame.re78 - frame.re75)


LALONDE_T5 = [
    # printed 886 (476); the file gives 472 for the standard error, as the reference page says
    ("re78", (), 886, 472),
    ("re78", BEFORE, 798, 472),
    ("change", (), 847, 560),
    # printed 856; the file gives 857
    ("change", ("age", "age^2"), 857, 558),
]


@pytest.mark.parametrize(("outcome", "covariates", "estimate", "se"), LALONDE_T5)
def test_the_experiment_of_lalonde_as_printed(frames, outcome, covariates, estimate, se):
    answer = run(frames, "nsw722", outcome=outcome, covariates=covariates, prepare=change)
    found = pe.infer(answer, pe.Classical()).frame.iloc[0]
    assert (round(found["estimate"]), round(found["std_error"])) == (estimate, se)


@pytest.mark.parametrize(
    ("outcome", "covariates", "estimate", "se"),
    [
        ("re78", (*BEFORE, "re75"), 802.05, 467.71),
        ("change", BEFORE, 819.28, 561.49),
    ],
)
def test_lalonde_adjusted_figures_to_two_decimals(frames, outcome, covariates, estimate, se):
    answer = run(frames, "nsw722", outcome=outcome, covariates=covariates, prepare=change)
    found = pe.infer(answer, pe.Classical()).frame.iloc[0]
    assert (round(found["estimate"], 2), round(found["std_error"], 2)) == (estimate, se)


# --- Lin (2013), table 2 ---


@pytest.mark.parametrize(
    ("options", "estimate", "se"),
    [
        ({}, -0.036, 0.158),
        ({"covariates": ("gpa0",)}, -0.083, 0.146),
        ({"covariates": ("gpa0",), **LIN}, -0.081, 0.146),
    ],
)
def test_lin_2013_table_2(frames, options, estimate, se):
    found = pe.infer(run(frames, "alo_star_men", **options), HC0).frame.iloc[0]
    assert (round(found["estimate"], 3), round(found["std_error"], 3)) == (estimate, se)


def test_the_pennsylvania_bonus_as_printed_in_the_causal_ml_book(frames):
    frame = frames("penn")
    frame = frame[frame.tg.isin([0, 4])]
    frame = frame.assign(offer=(frame.tg == 4).astype(int), log=np.log(frame.inuidur1))
    estimate = pe.lottery.itt(pe.read_panel(frame, pe.Roles(unit="id", offer="offer")), "log")
    found = pe.infer(estimate, HC1).frame.iloc[0]
    assert (round(found["estimate"], 4), round(found["std_error"], 4)) == (-0.0855, 0.0359)
    assert found["n"] == 5099


# --- figures of the reference page, "Other figures, full precision" ---


@pytest.mark.parametrize(("dataset", "se"), [("jtpa_men", 563.053), ("jtpa_women", 355.988)])
def test_superpopulation_shares_add_the_term_of_bugni_canay_and_shaikh(frames, dataset, se):
    estimate = run(frames, dataset, blocks="site", shares="superpopulation")
    found = pe.infer(estimate, HC2).frame.iloc[0]
    assert round(found["std_error"], 3) == se
    fixed = run(frames, dataset, blocks="site")
    assert found["estimate"] == fixed.theta[0]


@pytest.mark.parametrize(
    ("dataset", "blocks", "decimals", "value"),
    [
        ("jtpa_men", "site", 3, 1838.407),
        ("jtpa_women", "site", 3, 1946.626),
        ("synthetic", "stratum", 6, 0.245945),
    ],
)
def test_late_by_default_is_the_ratio_of_saturated_itt_and_first_stage(
    frames, dataset, blocks, decimals, value
):
    late = run(frames, dataset, "late", blocks=blocks)
    itt = run(frames, dataset, blocks=blocks)
    receipt = run(frames, dataset, blocks=blocks, outcome=RECEIVED[dataset])
    np.testing.assert_allclose(late.theta, itt.theta / receipt.theta, rtol=1e-12)
    psi = (itt.psi - late.theta * receipt.psi) / receipt.theta
    np.testing.assert_allclose(late.psi, psi, rtol=1e-8, atol=1e-12 * np.abs(psi).max())
    assert round(late.theta[0], decimals) == value


@pytest.mark.parametrize(
    ("dataset", "blocks", "covariates"),
    [
        ("synthetic", "stratum", ()),
        ("synthetic", "stratum", ("x1", "x2")),
        ("jtpa_men", "site", ()),
        ("jtpa_women", "site", ("married", "prevearn")),
    ],
)
def test_strata_fe_is_two_stage_least_squares_with_block_dummies(
    frames, dataset, blocks, covariates
):
    frame = frames(dataset)
    late = run(frames, dataset, "late", blocks=blocks, covariates=covariates, **FE)
    codes, names = pd.factorize(frame[blocks], sort=True)
    rest = np.column_stack([block_dummies(codes, len(names)), frame[list(covariates)]])
    d, z = frame[RECEIVED[dataset]], frame[OFFER.get(dataset, "assignmt")]
    X, Z = (np.column_stack([a, rest]).astype(float) for a in (d, z))
    y = frame[OUTCOME.get(dataset, "earnings")].to_numpy()
    iv = tsls(y, X, Z, np.ones(len(y)))
    fit = LinearFit(iv.residuals, iv.weights, iv.bread, np.arange(len(y)), design=iv.design)
    units = pd.DataFrame({"weight": 1.0, "g": frame[CLUSTER[dataset]].to_numpy()})
    units.index = [f"u{i}" for i in range(len(y))]
    term = LinearTerm(fit, np.eye(X.shape[1])[0])
    labels = {"estimator": "tsls"}
    row = estimate_row(iv.beta[0], iv.psi_scores[:, 0], units, labels, {"n": len(y)}, HC2, [term])
    np.testing.assert_allclose(late.theta, row.theta, rtol=1e-10)
    by = CLUSTER[dataset]
    pairs = ((HC1, HC1), (HC2, HC2), (pe.Clustered(by, "CR2"), pe.Clustered("g", "CR2")))
    for mine, theirs in pairs:
        a, b = pe.infer(late, mine).frame.iloc[0], pe.infer(row, theirs).frame.iloc[0]
        np.testing.assert_allclose(a["std_error"], b["std_error"], rtol=1e-10)
        np.testing.assert_allclose(a["df"], b["df"], rtol=1e-8)


def test_missing_outcomes_and_absent_people_give_one_answer(frames):
    kept = run(frames, "synthetic", **STRATUM, prepare=lambda f: f[f.responded == 1])
    missing = run(
        frames,
        "synthetic",
        **STRATUM,
        prepare=lambda f: f.assign(income=f.income.where(f.responded == 1)),
    )
    np.testing.assert_array_equal(kept.theta, missing.theta)
    np.testing.assert_array_equal(kept.psi, missing.psi)
    assert list(kept.units.index) == list(missing.units.index)
