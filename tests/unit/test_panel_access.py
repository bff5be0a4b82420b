"""Does a panel give what it is asked for, unchanged and by name, and refuse what is not there?"""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel import ArrayRequest
from prakerja_eval.panel.shown import shown_names, shown_waves

ROLES = pe.Roles(
    unit="id",
    wave="wave",
    baseline=1,
    offer="won",
    received="trained",
    blocks=("batch", "city"),
    clusters="village",
    household="home",
    weight="weight",
)


def people():
    """Four people, three waves, one row missing; people in no order."""
    rows = [
        # id, wave, won, trained, batch, city, village, home, weight, income, age, work
        ("d", 1, 1, 0, 1, "A", "v1", "h1", 1.0, 10.0, 30, "farm"),
        ("b", 1, 0, 0, 1, "A", "v1", "h2", 2.0, 20.0, 40, "shop"),
        ("d", 3, 1, 1, 1, "A", "v1", "h1", 1.0, 12.0, 32, "shop"),
        ("a", 2, 1, 1, 2, "A", "v2", "h3", 1.0, np.nan, 51, "farm"),
        ("a", 1, 1, 0, 2, "A", "v2", "h3", 1.0, 30.0, 50, "none"),
        ("c", 1, 0, 0, 2, "A", "v2", "h4", 0.0, 40.0, 60, "farm"),
        ("b", 2, 0, 0, 1, "A", "v1", "h2", 2.0, 22.0, 41, "shop"),
        ("b", 3, 0, 0, 1, "A", "v1", "h2", 2.0, 24.0, 42, "shop"),
        ("d", 2, 1, 1, 1, "A", "v1", "h1", 1.0, 11.0, 31, "farm"),
        ("a", 3, 1, 0, 2, "A", "v2", "h3", 1.0, 33.0, 52, "farm"),
        ("c", 3, 0, 0, 2, "A", "v2", "h4", 0.0, 44.0, 62, "farm"),
    ]
    names = "id wave won trained batch city village home weight income age work".split()  # noqa: SIM905
    return pd.DataFrame(rows, columns=names)


@pytest.fixture
def panel():
    return pe.Panel(people(), ROLES)


def test_units_stand_in_order_of_appearance_and_waves_in_order(panel):
    assert panel.units == ["d", "b", "a", "c"]
    assert panel.waves == (1, 2, 3)
    assert len(panel) == 11


def test_wide_puts_each_value_at_its_unit_and_wave(panel):
    expected = [[10, 11, 12], [20, 22, 24], [30, np.nan, 33], [40, np.nan, 44]]
    wide = panel.wide("income")
    np.testing.assert_array_equal(wide.to_numpy(), expected)
    assert list(wide.index) == ["d", "b", "a", "c"]
    assert list(wide.columns) == [1, 2, 3]
    assert panel.wide("work").loc["a"].tolist() == ["none", "farm", "farm"]
    assert pd.isna(panel.wide("work").loc["c", 2])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: pd.concat([f, f.iloc[[0]]]), "share a unit and wave"),
        (lambda f: f.assign(id=f.id.where(f.index > 0)), "'id', the unit column"),
        (lambda f: f.assign(wave=f.wave.where(f.index > 0)), "'wave', the wave column"),
    ],
)
def test_wide_refuses_rows_that_have_no_one_place(edit, message):
    with pytest.raises(DataError, match=message):
        pe.Panel(edit(people()), ROLES).wide("income")


def test_wide_allows_faults_that_leave_places_clear():
    panel = pe.Panel(people().assign(weight=-1.0), ROLES)
    assert panel.wide("income").loc["d", 1] == 10


def test_arrays_hold_every_role_by_unit(panel):
    arrays = panel.arrays(ArrayRequest("income", ("age",), ("offer",)))
    np.testing.assert_array_equal(arrays.offer, [1, 0, 1, 0])
    np.testing.assert_array_equal(arrays.weight, [1, 2, 1, 0])
    # treated once, treated from then on; a lapse in the record does not untreat
    np.testing.assert_array_equal(arrays.received, [[0, 1, 1], [0, 0, 0], [0, 1, 1], [0, 0, 0]])
    assert arrays.block_names == ("1 / A", "2 / A")
    np.testing.assert_array_equal(arrays.block, [0, 0, 1, 1])
    assert list(arrays.clusters.columns) == ["weight", "village", "home", "household"]
    assert arrays.clusters.loc["a", "household"] == "h3"
    np.testing.assert_array_equal(arrays.covariates[:, 0], [30, 40, 50, 60])
    assert np.isnan(arrays.cohort).all()


def test_arrays_without_an_outcome_read_none(panel):
    broken = pe.Panel(people().assign(income="secret"), ROLES)
    arrays = broken.arrays(ArrayRequest(None, ("age",)))
    assert arrays.outcome.shape == (4, 0)
    np.testing.assert_array_equal(
        arrays.covariates, panel.arrays(ArrayRequest("income", ("age",))).covariates
    )


def test_cohorts_are_infinite_for_the_never_treated():
    frame = people().assign(first=lambda f: f.id.map({"d": 2, "a": 2, "b": 0, "c": np.inf}))
    panel = pe.Panel(frame, pe.Roles(unit="id", wave="wave", cohort="first"))
    arrays = panel.arrays(ArrayRequest("income"))
    np.testing.assert_array_equal(arrays.cohort, [2, np.inf, 2, np.inf])


def test_a_role_that_an_estimator_needs_is_asked_for(panel):
    plain = pe.Panel(people(), pe.Roles(unit="id", wave="wave"))
    with pytest.raises(UsageError, match=r"Roles\(offer=...\)"):
        pe.lottery.itt(plain, "income")
    with pytest.raises(UsageError, match=r"Roles\(received=...\)"):
        pe.lottery.late(pe.Panel(people(), pe.Roles(unit="id", wave="wave", offer="won")), "income")


# where


def test_where_keeps_rows_by_value_and_compares_as_text(panel):
    for wanted in (1, "1", 1.0, (1,), [1], {1}, np.int64(1)):
        assert panel.where(wave=wanted).waves == (1,)  # the baseline stays a wave
    both = panel.where(batch=1, id=["d", "b", "a"])
    assert both.units == ["d", "b"]
    assert panel.where(work=("farm", "none"), wave=(1, 3)).units == ["d", "a", "c"]
    floats = pe.Panel(people().astype({"batch": "float32"}), ROLES)
    assert floats.where(batch=1).units == ["d", "b"]


def test_where_refuses_unknown_columns_and_empty_answers_without_repeating_values(panel):
    with pytest.raises(UsageError, match="Did you mean 'income'"):
        panel.where(incme=1)
    with pytest.raises(UsageError) as refused:
        panel.where(id="3201011234567890", wave=1)
    assert "id, wave" in str(refused.value)
    assert "3201" not in str(refused.value)


def test_where_that_loses_the_baseline_leaves_none(panel):
    part = panel.where(wave=(2, 3))
    assert part.waves == (2, 3)
    assert part.roles.baseline is None
    assert panel.where(wave=(1, 3)).roles.baseline == 1


# Covariates


def matrix(panel, *names):
    arrays = panel.arrays(ArrayRequest(None, names))
    return arrays.covariates, arrays.names


def test_covariates_are_read_at_the_baseline_or_at_a_named_wave(panel):
    ages, later = np.array([30.0, 40, 50, 60]), np.array([32.0, 42, 52, 62])
    found, names = matrix(panel, "age", "age@1", "age^2", "age@1^2")
    np.testing.assert_array_equal(found, np.column_stack([ages, ages, ages**2, ages**2]))
    assert names == ("age", "age@1", "age^2", "age@1^2")
    last = pe.Panel(people(), replace(ROLES, baseline=3, received=None))
    np.testing.assert_array_equal(matrix(last, "age", "age@1")[0], np.column_stack([later, ages]))


def test_a_covariate_after_the_baseline_is_refused(panel):
    with pytest.raises(UsageError, match="treatment may have moved it"):
        matrix(panel, "age@3")


def test_text_covariates_become_indicators_less_the_first_in_order(panel):
    found, names = matrix(panel, "work")
    assert names == ("work[none]", "work[shop]")
    np.testing.assert_array_equal(found, [[0, 0], [0, 1], [1, 0], [0, 0]])


@pytest.mark.parametrize("dtype", ["category", "string", "object"])
def test_text_covariates_are_the_same_in_any_dtype(panel, dtype):
    cast = pe.Panel(people().astype({"work": dtype}), ROLES)
    np.testing.assert_array_equal(matrix(cast, "work")[0], matrix(panel, "work")[0])


def test_true_and_false_are_one_and_zero():
    panel = pe.Panel(people().assign(female=lambda f: f.id.isin(["a", "b"])), ROLES)
    found, names = matrix(panel, "female")
    np.testing.assert_array_equal(found[:, 0], [0, 1, 1, 0])
    assert names == ("female",)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("agee", UsageError, "Did you mean 'age'"),
        ("age@9", UsageError, "no wave of the panel; there are 1, 2, 3"),
        ("age^two", UsageError, "no whole power"),
        ("age@2", UsageError, "after the baseline"),
        ("id", UsageError, "names the units"),
    ],
)
def test_covariates_that_cannot_be_read_are_refused(panel, name, error, message):
    with pytest.raises(error, match=message):
        matrix(panel, name)


def test_a_power_that_overflows_is_refused_as_infinite():
    panel = pe.Panel(people().assign(age=lambda f: f.age * 1e200), ROLES)
    with pytest.raises(DataError, match="infinite"):
        matrix(panel, "age^2")


def test_a_varying_covariate_needs_a_baseline_or_a_wave():
    panel = pe.Panel(people(), pe.Roles(unit="id", wave="wave"))
    with pytest.raises(UsageError, match=r"varies over waves for 4 units.*age@1"):
        matrix(panel, "age")
    np.testing.assert_array_equal(matrix(panel, "batch")[0][:, 0], [1, 1, 2, 2])
    np.testing.assert_array_equal(matrix(panel, "age@1")[0][:, 0], [30, 40, 50, 60])


# describe and moments


def test_describe_counts_rows_and_values_by_wave_and_arm(panel):
    about = panel.describe()
    groups = about.groups.set_index(["wave", "arm"])
    assert groups.loc[(2, "treatment"), "rows"] == 2
    assert groups["rows"].sum() == 11
    coverage = about.coverage.set_index(["wave", "arm", "column"])
    assert coverage.loc[(2, "treatment", "income"), "n"] == 1
    assert "id" not in set(about.coverage["column"])


def test_describe_survives_columns_of_its_own_names_and_panels_without_waves():
    frame = people().assign(rows=np.nan, panel="p", wave_=1, arm="x", column=2)
    groups = pe.Panel(frame, pe.Roles(unit="id", wave="wave")).describe().groups
    assert groups["rows"].tolist() == [4, 3, 4]
    cross = frame[frame.wave == 1].drop(columns="wave")
    assert pe.Panel(cross, pe.Roles(unit="id")).describe().groups["rows"].tolist() == [4]


def test_moments_are_sums_by_group_and_pattern_of_missing_waves(panel):
    frame = people().assign(weight=1.0)
    moments = pe.Panel(frame, ROLES).moments(pe.MomentPlan("income", by="won"))
    assert list(moments.groups["won"]) == [0, 1]
    assert moments.waves == (1, 2, 3)
    assert moments.cells.__class__.__name__ == "GroupMoments"
    total = pe.Panel(frame, ROLES).moments(pe.MomentPlan("income"))
    assert len(total.groups) == 1


def test_moments_refuse_groups_that_vary_within_a_unit(panel):
    with pytest.raises(UsageError, match="varies over waves for 2 units"):
        panel.moments(pe.MomentPlan("income", by="work"))
    with pytest.raises(UsageError, match="no column 'sex'"):
        panel.moments(pe.MomentPlan("income", by="sex"))


# Immutability


def test_changing_a_source_or_an_answer_changes_nothing():
    source = people()
    panel = pe.Panel(source, ROLES)
    before, waves = panel.wide("income"), panel.waves
    source["income"] = -1.0
    source.loc[0, "id"] = "z"
    frame = panel.frame
    frame["income"] = -2.0
    wide = panel.wide("income")
    wide.iloc[:, :] = -3.0
    arrays = panel.arrays(ArrayRequest("income"))
    arrays.outcome[:] = -4.0
    clusters = arrays.clusters
    clusters["village"] = None
    panel.units.append("y")
    arrays.units[0] = "z"
    pd.testing.assert_frame_equal(panel.wide("income"), before)
    assert (panel.units, panel.waves) == (["d", "b", "a", "c"], waves)
    assert list(panel.arrays(ArrayRequest()).units) == ["d", "b", "a", "c"]
    for change in (
        lambda: setattr(panel, "roles", None),
        lambda: setattr(panel, "_frame", None),
        lambda: delattr(panel, "_frame"),
        lambda: setattr(panel.roles, "unit", "x"),
    ):
        with pytest.raises(AttributeError):
            change()


def test_the_outcomes_of_a_complete_panel_are_shared_and_cannot_be_written_to():
    source = pd.DataFrame({"id": list("aabb"), "t": [1, 2] * 2, "y": [1.0, 2.0, 3.0, 4.0]})
    panel = pe.read_panel(source, pe.Roles(unit="id", wave="t"))
    outcome = panel.arrays(ArrayRequest("y")).outcome
    with pytest.raises(ValueError, match="read-only"):
        outcome[0, 0] = 9.0
    source.loc[0, "y"] = 8.0
    source["y"] += 1.0
    assert panel.wide("y").to_numpy().tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_panel_can_be_copied_and_sent_to_another_process(panel):
    for twin in (copy.deepcopy(panel), pickle.loads(pickle.dumps(panel))):
        pd.testing.assert_frame_equal(twin.frame, panel.frame)
        assert twin.roles == panel.roles


def test_estimating_leaves_the_panel_as_it_was(panel):
    before = panel.frame
    design = pe.lottery.Design(covariates=("age",))
    pe.lottery.itt(panel.where(batch=1), "income", waves=[3])
    with pytest.raises(pe.errors.PrakerjaEvalError):
        pe.lottery.itt(panel, "income", design)
    pd.testing.assert_frame_equal(panel.frame, before)


def test_the_repr_shows_the_schema_and_no_rows(panel):
    text = repr(panel)
    assert "11 rows, 4 units, waves 1, 2, 3" in text
    assert "unit=id" in text
    assert "blocks=batch/city" in text
    for cell in ("farm", "h3", "v2", "33.0"):
        assert cell not in text


# Names and waves


@pytest.mark.parametrize("role", ["unit", "wave", "offer", "blocks", "weight", "clusters"])
def test_a_role_that_names_no_column_is_refused_with_the_nearest(role):
    named = {"unit": "id", "wave": "wave", role: "weigth" if role == "weight" else "incom"}
    near = "weight" if role == "weight" else "income"
    with pytest.raises(UsageError, match=f"Did you mean '{near}'"):
        pe.Panel(people(), pe.Roles(**named))


def test_a_baseline_that_is_no_wave_is_refused():
    with pytest.raises(UsageError, match="there are 1, 2, 3"):
        pe.Panel(people(), pe.Roles(unit="id", wave="wave", baseline=2020))
    with pytest.raises(UsageError, match="wave"):
        pe.Roles(unit="id", baseline=1)


@pytest.mark.parametrize(
    "roles",
    [
        {"clusters": "weight"},
        {"clusters": "unit"},
        {"household": "weight"},
        {"household": "home", "clusters": "household"},
        {"psu": "village", "clusters": ("home", "psu")},
    ],
)
def test_a_cluster_that_bears_the_name_of_another_is_refused(roles):
    with pytest.raises(UsageError, match="rename the column"):
        pe.Roles(unit="id", **roles)
    assert pe.Roles(unit="id", clusters=None, blocks=None).clusters == ()
    assert pe.Roles(unit="unit", clusters="unit").clusters == ("unit",)


def test_two_columns_of_one_name_are_refused():
    doubled = pd.concat([people(), people()[["income"]]], axis=1)
    with pytest.raises(DataError, match="same name: income"):
        pe.Panel(doubled, ROLES)


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        ([1, 2, 3], (1, 2, 3)),
        ([1.0, 2.0, 3.0], (1, 2, 3)),
        ([0.5, 1.0, 1.5], (0.5, 1, 1.5)),
        (["9", "10", "11"], ("9", "10", "11")),
        (["2019", "2020", "2021"], ("2019", "2020", "2021")),
        (
            pd.Categorical(
                ["before", "after", "later"], ["before", "after", "later"], ordered=True
            ),
            ("before", "after", "later"),
        ),
        (["2021-02", "2021-08", "2022-02"], ("2021-02", "2021-08", "2022-02")),
        (["2021Q1", "2021Q3", "2022Q1"], ("2021Q1", "2021Q3", "2022Q1")),
    ],
)
def test_waves_stand_in_time_order(labels, order):
    frame = people()
    frame["wave"] = pd.Series(labels)[frame.wave.to_numpy() - 1].to_numpy()
    if isinstance(labels, pd.Categorical):
        frame["wave"] = pd.Categorical(frame.wave, labels.categories, ordered=True)
    panel = pe.Panel(frame, pe.Roles(unit="id", wave="wave", baseline=order[0], offer="won"))
    assert panel.waves == order
    assert pe.lottery.itt(panel, "income").index["wave"].tolist() == list(order[1:])


WORDS = pd.Series(["baseline", "midline", "endline"])


def test_waves_of_words_need_an_order():
    """In the alphabet the endline comes before the midline."""
    frame = people()
    frame["wave"] = WORDS[frame.wave.to_numpy() - 1].to_numpy()
    with pytest.raises(UsageError, match="wave_order"):
        pe.Panel(frame, pe.Roles(unit="id", wave="wave"))
    told = pe.Roles(unit="id", wave="wave", baseline="baseline", wave_order=tuple(WORDS))
    assert pe.Panel(frame, told).waves == tuple(WORDS)
    with pytest.raises(UsageError, match="leaves out the wave"):
        pe.Panel(frame, pe.Roles(unit="id", wave="wave", wave_order=("baseline", "endline")))


@pytest.mark.parametrize("dtype", ["int8", "Int64", "float32", "Float64"])
def test_whole_waves_are_integers_in_any_dtype(dtype):
    panel = pe.Panel(people().astype({"wave": dtype}), ROLES)
    assert panel.waves == (1, 2, 3)
    assert all(type(w) is int for w in panel.waves)


def test_a_wave_asked_for_must_exist_and_one_may_stand_alone(panel):
    kept = panel.where(batch=1)
    a, b = (pe.lottery.itt(kept, "income", waves=w) for w in ([3], 3))
    np.testing.assert_array_equal(a.theta, b.theta)
    with pytest.raises(UsageError, match="wave 9 is not in the panel; there are 1, 2, 3"):
        pe.lottery.itt(kept, "income", waves=[9])
    with pytest.raises(UsageError, match="asks for nothing"):
        pe.lottery.itt(kept, "income", waves=[])


NOBODYS = ["Siti Aminah", "Budi Karya", "Dewi Asih"]


@pytest.mark.parametrize(
    "cells",
    [[6281234567001, 6281234567002, 6281234567003], NOBODYS, ["KTP320105"] * 3, [71234] * 3],
)
@pytest.mark.parametrize("told", [{}, {"baseline": 1}, {"wave_order": ("a",)}])
def test_a_wave_column_that_holds_no_periods_is_counted_and_not_shown(
    cells: list[object], told: dict[str, object]
) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "w": cells})
    try:
        said = repr(pe.Panel(frame, pe.Roles(unit="id", wave="w", **told)))
    except UsageError as error:
        said = str(error)
    for cell in cells:
        assert str(cell) not in said


@pytest.mark.parametrize(
    "labels",
    [
        [2020, 2021],
        [202002, 202108],
        ["2020-02", "2021Q1"],
        ["28/02/2021", "03/04/2021"],
        [-1, 0, 1, 12],
        ["baseline", "midline", "endline"],
        ["Gelombang 2", "Gelombang 10"],
        ["Agustus 2021", "Februari 2022"],
        ["w1", "Sakernas (Feb)"],
        ["awal", 1],
    ],
)
def test_labels_of_waves_are_shown(labels: list[object]) -> None:
    assert shown_waves(labels) == ", ".join(map(str, labels))


def test_more_than_twelve_words_are_no_waves() -> None:
    assert shown_waves([f"w{chr(97 + i)}" for i in range(12)]).startswith("wa, wb")
    assert shown_waves([f"w{chr(97 + i)}" for i in range(13)]).startswith("13 distinct values")


def test_names_of_columns_that_are_a_persons_data_are_not_shown() -> None:
    header = ["Budi Santoso", "Jl Merdeka 5 Bandung", "081234567001", "2500000"]
    frame = pd.DataFrame([["a", "b", 1, 2]], columns=header)
    with pytest.raises(
        UsageError, match=r"Columns: column 1, column 2, column 3, 2500000"
    ) as error:
        pe.Panel(frame, pe.Roles(unit="Budi Santosa"))
    assert "Budi Santoso" not in str(error.value)
    frame.columns = ["x", "081234567001", "081234567001", "y"]
    with pytest.raises(DataError, match="same name: column 3"):
        pe.Panel(frame, pe.Roles(unit="x"))
    innocent = ["Nama Pelatihan", "Jumlah Anak", "jalan", "Kartu Prakerja", "RT"]
    assert shown_names(innocent) == innocent
