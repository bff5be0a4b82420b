"""Does the printed table show what was estimated, escaped, and say what it could not?"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.estimate import estimate_row


def row(**labels):
    units = pd.DataFrame({"weight": 1.0}, index=[f"u{i}" for i in range(30)])
    psi = np.linspace(-1, 1, 30) / 30
    named = {"estimator": "lottery.itt", "estimand": "ITT", "outcome": "income"} | labels
    counts = {"n": 30, "n_treated": 12, "n_comparison": 18, "comparison_mean": 12_345.678}
    return estimate_row(0.5, psi, units, named, counts, pe.Clustered("unit", "none"))


def test_printing_an_estimate_shows_standard_errors_under_its_own_inference():
    estimate = row()
    text = repr(estimate)
    assert "std_error" in text
    assert "clustered by unit (none, normal)" in text
    assert "Intervals 95%" in text
    assert "12,345.7" in text
    assert text == estimate.summary() == estimate.findings().summary()


def test_labels_that_differ_are_columns_and_those_in_common_stand_below():
    text = repr(pe.join(row(wave=1), row(wave=2)))
    assert "wave" in text.splitlines()[0]
    assert "estimand: ITT" in text.splitlines()[-1]
    assert "outcome: income" in text.splitlines()[-1]


def test_latex_escapes_names_from_data():
    nasty = r"income_%&$#{}~^\input"
    latex = pe.join(row(outcome=nasty), row(outcome="plain")).to_latex()
    assert r"income\_\%\&\$\#\{\}\textasciitilde \textasciicircum \textbackslash input" in latex
    assert r"\toprule" in latex
    assert "std error" in latex
    assert "std_error" not in latex


def test_html_escapes_names_from_data():
    html = pe.join(row(outcome="<script>x</script>"), row())._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    note = row(outcome="<b>")._repr_html_()
    assert "<b>" not in note


def test_a_missing_standard_error_is_printed_with_its_reason():
    lost = row()
    zero = pe.contrast(pe.join(lost, lost), [1.0, -1.0])
    text = repr(pe.join(lost, zero))
    assert "no variance" in text
    assert "nan" not in text


def test_tidy_is_a_copy_and_filling_columns_returns_other_findings():
    found = row().findings()
    tidy = found.tidy()
    tidy.loc[0, "estimate"] = 9.0
    assert found.frame["estimate"].iloc[0] == 0.5
    filled = found.with_columns(unit="rupiah", truth=0.4)
    assert filled.frame[["unit", "truth"]].iloc[0].tolist() == ["rupiah", 0.4]
    assert found.frame["unit"].isna().all()
    assert list(filled.frame.columns) == list(found.frame.columns)
    assert len(found) == 1


@pytest.mark.parametrize("value", [None, 3, 3.0, "baseline", np.int64(3)])
def test_wave_labels_of_any_kind_print(value):
    text = repr(pe.join(row(wave=value), row(wave=9)))
    assert "None" not in text
    assert "3.0" not in text
