"""Who was left unmatched, and why: every reason, against a look at each person by hand."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.matching import Nearest, Support, match, propensity
from prakerja_eval.matching.pairs import unmatched as why


@pytest.fixture(scope="module")
def panel() -> pe.Panel:
    rng = np.random.default_rng(8)
    n = 240
    treated = (np.arange(n) % 2 == 0).astype(int)
    frame = pd.DataFrame(
        {
            "id": np.arange(n),
            "trained": treated,
            "age": rng.normal(30, 5, n) + 4 * treated,
            "place": np.where(np.arange(n) < 6, "far", rng.choice(["a", "b"], n)),
        }
    )
    frame.loc[[1, 3, 5], "place"] = "a"  # nobody of the comparison group lives far away
    return pe.read_panel(frame, pe.Roles(unit="id", received="trained"))


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("estimand", ["ATT", "ATC"])
def test_each_reason_is_the_one_found_by_looking_at_everybody(
    panel: pe.Panel, replace: bool, estimand: str
) -> None:
    design = Nearest(replace=replace, caliper=0.1, exact=("place",), estimand=estimand)
    score = propensity(panel, ["age"], support=Support("hull"))
    pairs = match(panel, design, score=score)
    found = pairs.unmatched
    assert len(found) == pairs.n_dropped > 0
    place = dict(zip(panel.frame["id"].astype(str), panel.frame["place"], strict=True))
    ids = score.units.index
    reach = 0.1 * score.score[score.supported].std(ddof=1)
    for unit, row in found.iterrows():
        at = ids.get_loc(unit)
        same = [
            abs(score.score[at] - score.score[j])
            for j, other in enumerate(ids)
            if score.treated[j] != score.treated[at]
            and score.supported[j]
            and place[other] == place[unit]
        ]
        if not score.supported[at]:
            expected = why.SUPPORT
        elif not same:
            expected = why.STRATUM
        elif min(same) > reach:
            expected = why.CALIPER
        else:
            assert not replace
            expected = why.TAKEN
        assert row["reason"] == expected
    if estimand == "ATT":
        assert why.STRATUM in set(found["reason"])
    assert (why.TAKEN in set(found["reason"])) == (not replace)


def test_calipers_on_covariates_have_a_reason_of_their_own(panel: pe.Panel) -> None:
    design = Nearest(distance="mahalanobis", calipers={"age": 0.05})
    pairs = match(panel, design, covariates=["age"])
    assert set(pairs.unmatched["reason"]) == {why.CALIPERS}


def test_nobody_is_listed_where_everybody_has_a_counterpart(panel: pe.Panel) -> None:
    assert match(panel, covariates=["age"]).unmatched.empty
