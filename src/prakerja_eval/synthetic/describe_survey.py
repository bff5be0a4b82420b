"""Who answered a world's survey, what did they say, and what are the true effects?"""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from prakerja_eval.synthetic.world import World

SHARES = ("answered", "on_record", "received", "says_so")


def response(world: "World") -> pd.DataFrame:
    """Return who answered by wave and arm, and what they said of receipt."""
    frame = world.panel.frame
    rows = []
    for (wave, offer), part in frame.groupby(["wave", "offer"], sort=True):
        answers = part[part["responded"] == 1]
        on_record = answers.loc[answers["on_record"] == 1, "reported_receipt"]
        rows.append(
            {
                "wave": wave,
                "mode": part["mode"].iloc[0],
                "arm": "offered" if offer else "not offered",
                "people": len(part),
                "answered": part["responded"].mean(),
                "on_record": answers["on_record"].mean(),
                "received": answers["received"].mean(),
                "says_so": on_record.mean(),
            }
        )
    return pd.DataFrame(rows).astype(dict.fromkeys(SHARES, float))


MAIN = (
    ("ITT", "people per block"),
    ("LATE", "people per block"),
    ("ATT", "treated people"),
)


def effects(world: "World") -> pd.DataFrame:
    """Return the true effects on work and monthly earnings in the last wave."""
    truth = world.truth.frame
    rows = truth[
        (truth["kind"] == "effect")
        & (truth["wave"] == world.scenario.survey.waves[-1])
        & truth["outcome"].isin(["employed", "income"])
        & truth["cohort"].isna()
        & truth["subgroup"].isna()
    ]
    parts = [
        rows[(rows["estimand"] == estimand) & (rows["weighting"] == weighting)]
        for estimand, weighting in MAIN
    ]
    columns = ["estimand", "population", "outcome", "wave", "truth"]
    return pd.concat(parts)[columns].reset_index(drop=True)
