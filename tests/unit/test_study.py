"""A study is checked at the door, and one failed design of several is a row with its reason."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_files import STUDY, people, write_study

import prakerja_eval as pe
from prakerja_eval.errors import DataError, NotEstimableError, UsageError


def test_a_study_gives_a_row_an_entry_and_outcome(tmp_path: Path) -> None:
    results = pe.Study.read(write_study(tmp_path)).run()
    frame = results.findings.frame
    assert list(frame["name"]) == ["lottery", "matching", "did"]
    assert list(frame["estimand"]) == ["ATT"] * 3
    assert (frame["status"] == "ok").all()
    assert (frame["unit"] == "rupiah").all()
    assert len(results.agreements) == 1
    assert list(results.agreements[0].frame["label"]) == [
        "Lottery",
        "Matching",
        "Difference-in-differences",
    ]


def test_the_study_finds_what_a_hand_calculation_finds(tmp_path: Path) -> None:
    frame = people()
    found = pe.Study.read(write_study(tmp_path)).run().findings.frame.set_index("name")
    after = frame[frame["wave"] == 2]
    means = after.groupby("won")["income"].mean()
    np.testing.assert_allclose(found.loc["lottery", "estimate"], means[1] - means[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("spillovers =", "spilovers =", "did you mean 'spillovers'"),
        ('method = "dr"', 'methode = "dr"', "did you mean 'method'"),
        ('method = "dr"', 'method = "drr"', "'dr', 'ipw', 'reg'"),
        ('estimator = "did.two_by_two"', 'estimator = "did.two_by_three"', "did.two_by_two"),
        ('name = "did"', 'name = "matching"', "two estimates named 'matching'"),
        ('role = "candidate"', 'role = "benchmark"', "exactly one"),
        (
            "[[estimates]]",
            '[[outcomes]]\ncolumn = "income"\nlabel = "x"\nunit = "y"\n\n[[estimates]]',
            "two outcomes in the column 'income'",
        ),
        ("title =", "title", "not a TOML file"),
        ('question = "What did it do?"\n', "", "question: missing"),
        ('label = "Income"', "label = 3", "label"),
        (
            'design = { block_weights = "treated" }',
            "inference = { classical = {}, robust = {} }",
            "exactly one",
        ),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_remedy(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in STUDY
    with pytest.raises(UsageError, match=r"small\.toml") as caught:
        pe.Study.read(write_study(tmp_path, STUDY.replace(old, new, 1)))
    assert said in str(caught.value)


def test_all_faults_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    text = STUDY.replace("spillovers", "spilovers").replace('method = "dr"', 'methode = "dr"')
    with pytest.raises(UsageError) as caught:
        pe.Study.read(write_study(tmp_path, text))
    assert "'spillovers'" in str(caught.value)
    assert "'method'" in str(caught.value)


def three_waves() -> pd.DataFrame:
    """The same people once more, whose losers are not seen at the end."""
    frame = people()
    last = frame[(frame["wave"] == 2) & (frame["won"] == 1)].assign(wave=3)
    return pd.concat([frame, last], ignore_index=True)


def test_a_wave_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    results = pe.Study.read(write_study(tmp_path, frame=three_waves())).run()
    rows = results.findings.frame.set_index(["name", "wave"])
    assert rows.loc[("lottery", 2), "status"] == "ok"
    assert np.isnan(rows.loc[("lottery", 3), "estimate"])
    assert "only" in rows.loc[("lottery", 3), "status"]
    assert len(results.agreements) == 1
    failed = [dict(n.values) for n in results.notices if n.key == "warning.not_estimable"]
    assert {n["wave"] for n in failed} == {"3"}


def test_an_entry_of_several_waves_is_compared_at_its_last_and_says_so(tmp_path: Path) -> None:
    frame = people()
    late = frame[frame["wave"] == 2].assign(wave=3)
    frame = pd.concat([frame, late.assign(income=late["income"] + 5.0)], ignore_index=True)
    results = pe.Study.read(write_study(tmp_path, frame=frame)).run()
    assert [n for n in results.notices if n.key == "warning.one_wave"]
    third = results.findings.frame.query("name == 'lottery' and wave == 3")["estimate"].iloc[0]
    np.testing.assert_allclose(results.agreements[0].frame["estimate"].iloc[0], third)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('unit = "rupiah"', 'unit = "share"', "outside 0 to 1"),
        ('labels = { 1 = "Winners"', 'labels = { yes = "Winners"', "names 'yes'"),
        ("[[outcomes]]", '[covariate_labels]\nagee = "Age"\n\n[[outcomes]]', "Did you mean 'age'"),
        ('covariates = ["age"]', 'covariates = ["ages"]', "Did you mean 'age'"),
        ('covariates = ["age"]', 'covariates = ["age@9"]', "no wave"),
        ('name = "did"\n', 'name = "did"\nwaves = [7]\n', "wave 7"),
        ('name = "did"\n', 'name = "did"\nbase = 7\n', "wave 7"),
        ('name = "did"\n', 'name = "did"\nwhere = { won = [5] }\n', "no row"),
        ('column = "income"', 'column = "incom"', "Did you mean 'income'"),
        ('offer = "won"', 'offer = "wonn"', "Did you mean 'won'"),
        ("baseline = 1", "baseline = 3", "no wave"),
    ],
)
def test_what_the_data_do_not_have_is_refused_before_anything_runs(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in STUDY
    study = pe.Study.read(write_study(tmp_path, STUDY.replace(old, new, 1)))
    done: list[str] = []
    with pytest.raises(UsageError, match=said):
        study.run(done.append)
    assert done == []


def test_a_design_that_fails_is_a_row_with_its_reason(tmp_path: Path) -> None:
    frame = people()
    frame["age"] = 30 + 10 * frame["won"]  # separates the arms
    results = pe.Study.read(write_study(tmp_path, frame=frame)).run()
    rows = results.findings.frame.set_index("name")
    assert rows.loc["lottery", "status"] == "ok"
    for name in ("matching", "did"):
        assert np.isnan(rows.loc[name, "estimate"])
        assert "'age' predicts treatment perfectly" in rows.loc[name, "status"]
    assert sum(n.key == "warning.not_estimable" for n in results.notices) == 2
    assert results.agreements == ()


def test_where_nothing_can_be_estimated_the_study_says_why(tmp_path: Path) -> None:
    frame = people()
    frame.loc[frame["wave"] == 2, "income"] = np.nan
    with pytest.raises(NotEstimableError, match="no entry"):
        pe.Study.read(write_study(tmp_path, frame=frame)).run()


def test_faults_of_the_data_stop_the_study(tmp_path: Path) -> None:
    frame = people()
    frame.loc[0, "won"] = 0
    frame["income"] = frame["income"].astype(object)
    frame.loc[3, "income"] = "much"
    with pytest.raises(DataError, match=r"(?s)offer.*income"):
        pe.Study.read(write_study(tmp_path, frame=frame)).run()


def test_small_cells_of_the_flow_are_hidden_with_a_second_one(tmp_path: Path) -> None:
    """Losers observed in wave 2: 5 of 100. Hiding them alone would let a total give them away."""
    frame = people()
    lost = frame.index[(frame["wave"] == 2) & (frame["won"] == 0)][5:]
    frame.loc[lost, "income"] = np.nan
    flow = pe.Study.read(write_study(tmp_path, frame=frame)).run().flow.set_index(["group", "wave"])
    assert flow.loc[("Losers", 1), "income"] == 100
    assert np.isnan(flow.loc[("Losers", 2), "income"])
    assert np.isnan(flow.loc[("Winners", 2), "income"])
