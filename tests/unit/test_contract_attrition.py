"""Arms that kept unlike shares of their people are told, compared within blocks."""

from dataclasses import replace
from math import erfc, sqrt

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError


def frame(kept: dict[tuple[int, int], float], n: int = 200) -> pd.DataFrame:
    """Draw two waves; ``kept`` is the share with an income in the second by block and arm."""
    parts = []
    for (block, won), share in kept.items():
        size = n if block == won else n // 4  # the blocks had unlike odds
        ids = [f"SYN-{block}{won}{i:04d}" for i in range(size)]
        income = np.where(np.arange(size) < share * size, 100.0 + np.arange(size), np.nan)
        base = {"id": ids, "block": block, "won": won}
        parts += [pd.DataFrame({**base, "wave": 1, "income": 50.0 + np.arange(size)})]
        parts += [pd.DataFrame({**base, "wave": 2, "income": income})]
    return pd.concat(parts, ignore_index=True)


ROLES = pe.Roles(unit="id", wave="wave", baseline=1, offer="won", blocks="block")


def codes(data: pd.DataFrame, roles: pe.Roles = ROLES) -> list[str]:
    return [f.code for f in pe.Panel(data, roles).check("income").faults]


def test_blocks_that_answer_unlike_with_equal_arms_are_no_fault() -> None:
    data = frame({(0, 0): 0.9, (0, 1): 0.9, (1, 0): 0.5, (1, 1): 0.5})
    assert codes(data) == []
    # pooled, the arms would differ by 24 points: unlike odds meet unlike answers
    rates = data[data.wave == 2].groupby("won")["income"].apply(lambda y: y.notna().mean())
    assert abs(rates[1] - rates[0]) > 0.2


def test_arms_that_kept_unlike_shares_are_told_with_both_rates() -> None:
    data = frame({(0, 0): 0.9, (0, 1): 0.5, (1, 0): 0.9, (1, 1): 0.5})
    fault = pe.Panel(data, ROLES).check("income").warnings[0]
    assert fault.code == "differential_attrition"
    assert "50 % of winners and 90 % of losers" in fault.message
    lost = data.index[(data.wave == 2) & data.income.isna()] + 1
    assert fault.rows == tuple(lost)
    absent = data.drop(index=lost - 1).reset_index(drop=True)  # lost people have no row at all
    assert "differential_attrition" in codes(absent)


def test_a_gap_by_chance_is_no_fault() -> None:
    # 10 points of 40 people an arm: z = 0.1 / sqrt(.85 * .15 * 2 / 40), far from one in a thousand
    small = frame({(0, 0): 0.9, (0, 1): 0.8, (1, 0): 0.9, (1, 1): 0.8}, n=40)
    assert erfc(0.1 / sqrt(2 * 0.85 * 0.15 * 2 / 40)) > 1e-3
    assert codes(small) == []


def test_unknown_receipt_stops_the_effect_on_the_treated_alone() -> None:
    data = frame({(0, 0): 1, (0, 1): 1, (1, 0): 1, (1, 1): 1})
    data["trained"] = (data.won * (data.wave == 2)).astype(float)
    data.loc[data.index[data.wave == 2][3], "trained"] = np.nan
    panel = pe.Panel(data, replace(ROLES, received="trained"))
    assert [f.code for f in panel.check("income").faults] == ["receipt_unknown"]
    assert np.isfinite(pe.lottery.itt(panel, "income").theta[0])
    with pytest.raises(NotEstimableError, match="receipt is not known of 1 people"):
        pe.lottery.late(panel, "income")
