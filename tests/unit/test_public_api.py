"""Do the public names hold, and does every bad input end in one clear refusal or a right number?"""

import doctest
import importlib
import pkgutil
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, NotEstimableError, PrakerjaEvalError, UsageError

ROLES = {"unit": "id", "offer": "won", "received": "trained", "blocks": "block", "clusters": "hh"}


def people(n=48, seed=0):
    rng = np.random.default_rng(seed)
    i = np.arange(n)
    return pd.DataFrame(
        {
            "id": [f"SYN-{k:06d}" for k in i],
            "won": i % 2,
            "trained": (i % 2) * (i % 3 > 0),
            "block": i // (n // 2),
            "hh": i // 2,
            "age": rng.normal(size=n),
            "income": rng.normal(size=n) + i % 2,
        }
    )


def run(frame, estimator="itt", outcome="income", design=None, roles=None, **options):
    panel = pe.read_panel(frame, pe.Roles(**(ROLES | (roles or {}))))
    return getattr(pe.lottery, estimator)(panel, outcome, design, **options)


# The names


def test_every_public_name_loads_and_is_listed():
    for name in pe.__all__:
        assert getattr(pe, name) is not None, name
    assert dir(pe) == pe.__all__
    with pytest.raises(AttributeError, match="has no attribute 'simulate_everything'"):
        pe.simulate_everything  # noqa: B018


def test_importing_the_package_imports_no_numpy():
    code = "import sys, prakerja_eval; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


ROOMS = ("estimate", "panel", "balance", "learners", "lottery", "did", "matching", "compare")


def test_the_examples_in_the_docstrings_run():
    tried = 0
    for room in ROOMS:
        package = importlib.import_module(f"prakerja_eval.{room}")
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            result = doctest.testmod(importlib.import_module(info.name))
            assert result.failed == 0, info.name
            tried += result.attempted
    assert tried >= 20


# The law ψ_i = dθ/dw_i, through the public functions and the weight role


def with_weight(w, design, estimator):
    frame = people().assign(weight=w)
    frame["income"] += frame.block * frame.won + 0.5 * frame.age * frame.won
    return run(frame, estimator, design=design, roles={"weight": "weight"})


LAWFUL = [
    pe.lottery.Design(shares="superpopulation"),
    pe.lottery.Design("treated", shares="superpopulation"),
    pe.lottery.Design(covariates=("age",), shares="superpopulation"),
    pe.lottery.Design(covariates=("age",), covariate_model="lin", shares="superpopulation"),
    pe.lottery.Design("treated", "superpopulation", ("age", "age^2"), "lin"),
    pe.lottery.Design("strata_fe"),
    pe.lottery.Design("strata_fe", covariates=("age",)),
]


@pytest.mark.parametrize("estimator", ["itt", "late"])
@pytest.mark.parametrize("design", LAWFUL, ids=str)
def test_influence_is_the_derivative_in_the_weight(design, estimator):
    found, step = with_weight(1.0, design, estimator), 1e-5
    for i in range(0, 48, 7):
        theta = []
        for sign in (1, -1):
            w = np.ones(48)
            w[i] += sign * step
            theta.append(with_weight(w, design, estimator).theta[0])
        slope = (theta[0] - theta[1]) / (2 * step)
        np.testing.assert_allclose(found.psi[i, 0], slope, rtol=1e-6, atol=1e-9)


def test_fixed_shares_leave_out_the_influence_of_the_shares_and_nothing_else():
    fixed = with_weight(1.0, pe.lottery.Design(), "itt")
    drawn = with_weight(1.0, pe.lottery.Design(shares="superpopulation"), "itt")
    assert fixed.theta == drawn.theta
    extra = pd.Series((drawn.psi - fixed.psi)[:, 0]).groupby(people().block)
    assert (extra.max() - extra.min()).max() < 1e-14
    np.testing.assert_allclose(extra.sum().sum(), 0, atol=1e-12)


# Labels


def test_late_says_whose_effect_it_is():
    one_block = people().assign(block=0)
    crossed = people().assign(trained=lambda f: f.trained | (f.index == 0))
    cases = [
        (one_block, None, "ATT"),
        (people(), None, "LATE"),
        (people(), pe.lottery.Design("treated"), "ATT"),
        (people(), pe.lottery.Design("strata_fe"), "LATE"),
        (crossed, pe.lottery.Design("treated"), "LATE"),
    ]
    for frame, design, estimand in cases:
        assert run(frame, "late", design=design).index["estimand"].iloc[0] == estimand


def test_with_full_take_up_late_is_itt():
    frame = people().assign(trained=lambda f: f.won)
    for design in (None, pe.lottery.Design("strata_fe"), pe.lottery.Design("treated")):
        late, itt = (run(frame, e, design=design) for e in ("late", "itt"))
        np.testing.assert_allclose(late.theta, itt.theta, rtol=1e-12)
        np.testing.assert_allclose(late.psi, itt.psi, rtol=1e-9, atol=1e-14)
        pd.testing.assert_frame_equal(late.counts, itt.counts, rtol=1e-12)


def test_counts_and_the_comparison_mean_are_those_of_the_sample():
    frame = people()
    frame.loc[[0, 1, 5], "income"] = np.nan
    found = run(frame).counts.iloc[0]
    kept = frame.dropna(subset=["income"])
    assert (found["n"], found["n_treated"], found["n_comparison"]) == (45, 22, 23)
    means = kept[kept.won == 0].groupby("block")["income"].mean()
    shares = kept.groupby("block").size() / len(kept)
    np.testing.assert_allclose(found["comparison_mean"], means @ shares, rtol=1e-12)


def test_adding_a_constant_changes_no_effect_and_scaling_scales():
    plain = run(people())
    shifted = run(people().assign(income=lambda f: 3 * f.income + 1e6))
    np.testing.assert_allclose(shifted.theta, 3 * plain.theta, rtol=1e-9)
    np.testing.assert_allclose(shifted.psi, 3 * plain.psi, rtol=1e-8, atol=1e-10)


def test_a_shuffle_of_the_rows_changes_no_number():
    shuffled = people().sample(frac=1, random_state=3)
    for design in (None, pe.lottery.Design(covariates=("age",), covariate_model="lin")):
        a, b = (run(f, "late", design=design) for f in (people(), shuffled))
        np.testing.assert_allclose(a.theta, b.theta, rtol=1e-12)
        np.testing.assert_allclose(
            a.psi, b.psi[b.units.index.get_indexer(a.units.index)], rtol=1e-9, atol=1e-15
        )


def test_people_of_weight_zero_are_not_there():
    frame = people().assign(weight=lambda f: (f.index > 7) * 1.0)
    for design in (None, pe.lottery.Design("strata_fe", covariates=("age",))):
        a = run(frame, design=design, roles={"weight": "weight"})
        b = run(frame[8:], design=design)
        np.testing.assert_allclose(a.theta, b.theta, rtol=1e-12)
        pd.testing.assert_frame_equal(a.counts, b.counts)
        for inference in (pe.Robust("HC2"), pe.Clustered("hh", "CR2")):
            x, y = (pe.infer(e, inference).frame.iloc[0] for e in (a, b))
            np.testing.assert_allclose(
                x[["std_error", "df"]].astype(float),
                y[["std_error", "df"]].astype(float),
                rtol=1e-10,
            )


# Dtypes: one answer, whatever the column is stored as


@pytest.mark.parametrize(
    "dtype",
    [
        "Int64",
        "Float64",
        "float32",
        "int8",
        "string",
        "str",
        "object",
        "category",
        "bool",
        "boolean",
    ],
)
@pytest.mark.parametrize("column", ["won", "trained", "block", "hh", "age"])
def test_a_role_or_covariate_of_any_dtype_gives_the_same_answer(column, dtype):
    frame = people().assign(age=lambda f: (f.age > 0).astype(int))
    if "bool" in dtype:
        # more than two households and blocks cannot be true or false
        frame["hh"] %= 2
    kind = frame[column].astype(bool) if "bool" in dtype else frame[column]
    cast = frame.assign(**{column: kind.astype(dtype)})
    design = pe.lottery.Design(covariates=("age",))
    a, b = (run(f, "late", design=design) for f in (frame, cast))
    for inference in (pe.Robust("HC2"), pe.Clustered("hh")):
        x, y = (pe.infer(e, inference).frame.iloc[0] for e in (a, b))
        np.testing.assert_allclose(x["estimate"], y["estimate"], rtol=1e-12)
        np.testing.assert_allclose(x["std_error"], y["std_error"], rtol=1e-12)


@pytest.mark.parametrize(
    "dtype", ["Int64", "Float64", "float32", "string", "str", "object", "category", "boolean"]
)
def test_an_outcome_of_any_dtype_gives_the_same_answer_with_missing_values(dtype):
    frame = people().assign(income=lambda f: (f.income > 0.5).astype(float))
    frame.loc[3, "income"] = np.nan
    values = frame.income.astype("Int64")
    values = values.astype("boolean") if dtype == "boolean" else values
    values = values.astype(object).where(values.notna(), None) if dtype == "object" else values
    if dtype in ("float32", "category", "str"):
        values = frame.income
    cast = frame.assign(income=values.astype(dtype))
    a, b = run(frame), run(cast)
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-12)
    np.testing.assert_allclose(a.psi, b.psi, rtol=1e-12)
    assert b.counts["n"].iloc[0] == 47


# Adversaries: each ends in one refusal with a message, never in another traceback


def long(n=24):
    frame = people(n)
    return pd.concat([frame.assign(wave=t, first=frame.won * 2) for t in (1, 2, 3)])


LONG = {"wave": "wave", "baseline": 1}
REFUSED = {
    "no rows": (lambda: run(people()[:0]), NotEstimableError),
    "no rows, waves": (lambda: run(long()[:0], roles=LONG), DataError),
    "one unit": (lambda: run(people()[:1]), DataError),
    "all outcomes missing": (lambda: run(people().assign(income=np.nan)), DataError),
    "an infinite outcome": (lambda: run(people().assign(income=np.inf)), DataError),
    "dates as outcome": (
        lambda: run(people().assign(income=pd.date_range("2020", periods=48))),
        DataError,
    ),
    "text as outcome": (lambda: run(people().assign(income="high")), DataError),
    "thousands separators": (lambda: run(people().assign(income="1,000")), DataError),
    "weights of zero": (
        lambda: run(people().assign(w=0.0), roles={"weight": "w"}),
        NotEstimableError,
    ),
    "negative weights": (lambda: run(people().assign(w=-1.0), roles={"weight": "w"}), DataError),
    "an infinite covariate": (
        lambda: run(people().assign(age=np.inf), design=pe.lottery.Design(covariates=("age",))),
        DataError,
    ),
    "a missing covariate": (
        lambda: run(people().assign(age=np.nan), design=pe.lottery.Design(covariates=("age",))),
        DataError,
    ),
    "a constant covariate": (
        lambda: run(people().assign(age=3.0), design=pe.lottery.Design(covariates=("age",))),
        NotEstimableError,
    ),
    "a covariate twice": (
        lambda: run(people(), design=pe.lottery.Design(covariates=("age", "age"))),
        NotEstimableError,
    ),
    "the offer as covariate": (
        lambda: run(people(), design=pe.lottery.Design(covariates=("won",))),
        NotEstimableError,
    ),
    "more covariates than people": (
        lambda: run(
            people(8), design=pe.lottery.Design(covariates=tuple(f"age^{k}" for k in range(1, 9)))
        ),
        NotEstimableError,
    ),
    "the unit as covariate": (
        lambda: run(people(), design=pe.lottery.Design(covariates=("id",))),
        UsageError,
    ),
    "nobody takes up": (lambda: run(people().assign(trained=0), "late"), NotEstimableError),
    "everybody takes up": (lambda: run(people().assign(trained=1), "late"), NotEstimableError),
    "no outcome": (lambda: run(people(), outcome=[]), UsageError),
    "an unknown outcome": (lambda: run(people(), outcome="incme"), UsageError),
    "attrition of an arm": (
        lambda: run(
            people().assign(income=lambda f: f.income.where((f.won == 0) | (f.block == 0)))
        ),
        NotEstimableError,
    ),
    "two columns of one name": (
        lambda: run(pd.concat([people(), people()[["age"]]], axis=1)),
        DataError,
    ),
    "a wave column that is empty": (lambda: run(long().assign(wave=np.nan), roles=LONG), DataError),
    "no wave after the baseline": (
        lambda: run(long().assign(trained=0), roles={"wave": "wave", "baseline": 3}),
        UsageError,
    ),
    "wave as text, baseline as number": (
        lambda: run(long().assign(wave=lambda f: f.wave.astype(str)), roles=LONG),
        UsageError,
    ),
    "several rows a person and no wave": (lambda: run(long()), DataError),
    "superpopulation weights of a regression": (
        lambda: pe.lottery.Design("strata_fe", "superpopulation"),
        UsageError,
    ),
    "an unknown weighting": (lambda: pe.lottery.Design("blocks"), UsageError),
    "a design of another wing": (lambda: run(people(), design=pe.did.Design()), UsageError),
    "an inference by name": (lambda: pe.infer(run(people()), "HC2"), UsageError),
    "an inference without its brackets": (lambda: pe.infer(run(people()), pe.Robust), UsageError),
    "a correction by name": (lambda: pe.infer(run(people()), adjust="holm"), UsageError),
    "a table among estimates": (lambda: pe.join(run(people()), people()), UsageError),
    "covariates without a method": (
        lambda: pe.did.Design("unconditional", ("age",)),
        UsageError,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_ends_in_one_clear_refusal(name):
    call, kind = REFUSED[name]
    with pytest.raises(kind) as refused:
        call()
    assert isinstance(refused.value, PrakerjaEvalError)
    assert len(str(refused.value)) > 20
    assert refused.value.exit_code in (2, 3, 4)


def did(frame, design=None, roles=None, **options):
    named = {"unit": "id", "wave": "wave", "cohort": "first", "baseline": 1} | (roles or {})
    return pe.did.two_by_two(pe.read_panel(frame, pe.Roles(**named)), "income", design, **options)


def test_did_gives_a_group_of_one_no_standard_error():
    frame = long().assign(first=lambda f: 2 * (f.id == "SYN-000001"))
    found = pe.infer(did(frame)).frame
    assert found["std_error"].isna().all()
    assert set(found["status"]) == {"a group of one unit has no variance"}
    assert found["estimate"].notna().all()


def test_did_gives_changes_that_are_all_alike_no_standard_error():
    frame = long().assign(income=lambda f: 0.1 * f.wave + f.age)
    for design in (None, pe.did.Design("dr", ("hh",))):
        found = pe.infer(did(frame, design)).frame
        assert found["std_error"].isna().all()
        assert np.abs(found["estimate"]).max() < 1e-12


def test_did_reads_the_treated_from_receipt_where_no_cohort_is_named():
    frame = long().assign(trained=lambda f: f.won * (f.wave > 1))
    frame["income"] += frame.wave**2 * frame.trained + np.sin(np.arange(len(frame)))
    a = did(frame)
    b = did(frame, roles={"cohort": None, "received": "trained"})
    np.testing.assert_array_equal(a.psi, b.psi)
    flag = frame.assign(trained=frame.won)
    with pytest.raises(DataError, match="12 units with 'trained' 1 at the baseline 1"):
        did(flag, roles={"cohort": None, "received": "trained"})
    with pytest.raises(UsageError, match="already treated"):
        did(flag, roles={"cohort": None, "received": "trained", "baseline": None}, base=1)
    with pytest.raises(UsageError, match=r"Roles\(cohort"):
        did(frame, roles={"cohort": None})


@pytest.mark.parametrize(
    ("design", "edit", "message"),
    [
        (pe.did.Design("dr", ("won",)), {}, "'won' predicts treatment perfectly"),
        (
            pe.did.Design("reg", ("age", "age")),
            {},
            "'age' is constant among those compared, or a combination",
        ),
        (
            pe.did.Design("ipw", ("age", "flat")),
            {"flat": 1.0},
            "'flat' is constant among those compared, or a combination",
        ),
    ],
)
def test_did_names_the_covariate_that_it_refuses(design, edit, message):
    with pytest.raises(NotEstimableError, match=message):
        did(long().assign(**edit), design)


def test_one_covariate_may_stand_without_a_tuple():
    assert pe.lottery.Design(covariates="age") == pe.lottery.Design(covariates=("age",))
    assert pe.did.Design(covariates="age").covariates == ("age",)


def test_no_warning_reaches_the_user_on_an_ordinary_run():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        every = pe.join(run(people()), run(people(), "late"))
        for inference in (None, pe.Clustered("hh", "CR2"), pe.MultiplierBootstrap(reps=99)):
            found = pe.infer(every, inference)
            assert found.summary()
            assert found.to_latex()
            assert found._repr_html_()
