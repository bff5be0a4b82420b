"""Which published moments does the simulated programme have, and which does it miss?

``python -m tests.simulation.calibration`` writes reports/validation/calibration.csv and
calibration.md; about ten seconds. Published numbers are the programme's figures, never typed again.
Tolerances are in the unit of the moment; a miss has its reason beside it.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from prakerja_eval.programme import Figure, Programme

from .accounts import ACCOUNTS, FOLDER
from .assumptions import ASSUMPTIONS, value_of
from .moments import PEOPLE, SEED
from .simulated import simulated


class Moment(NamedTuple):
    """A published moment: its key (or "key / key"), the simulated one's name, how near it must be.

    ``conflict`` says why it is missed: another published figure that it contradicts, or what the
    simulator leaves out.
    """

    key: str
    name: str
    near: float
    conflict: str = ""


JPAL, CYRUS = "evaluations.jpal_2021", "evaluations.cyrus_2021"
WAGE = "labour_market.wage_by_education"
SAKERNAS = "the shares by province of the administration's count are used"
SEX = "45 % of the administration's count for 2020 is used"
AGES = "79 % aged 18 to 35 and 2 % over 55 in October 2020 are used"
ENTRY = "the 56.0 % of an independent survey are used, not those of the programme's office"
CROSSOVER = (
    "losers who win a later batch have certificates too: `outcomes.certificate` is the share of "
    "those who never receive"
)
LATER = "later recipients; the simulated batches are of 2020 and early 2021"

MOMENTS = {
    "Who the recipients are": [
        Moment("composition.female_admin_2020", "female", 1),
        Moment("composition.female_sakernas_aug_2020", "female", 1, SEX),
        Moment("composition.female_cumulative_2020_2022", "female", 1, SEX),
        Moment("evaluations.presisi_2022.male", "male", 1, SEX),
        Moment("composition.urban_sakernas_aug_2020", "urban", 1),
        Moment("composition.sma_or_higher_sakernas_aug_2020", "senior", 1),
        Moment("composition.sma_or_higher_admin_oct_2020", "senior", 1, "91 % are used"),
        Moment(
            "composition.sd_or_lower_2020",
            "sd or less",
            1,
            "91 % with SMA or more leave 9 % for SD and SMP together, so that 9 % with SD or less "
            "would leave nobody for SMP",
        ),
        Moment("composition.age_18_35_oct_2020", "age 18-35", 1),
        Moment("composition.age_over_55_oct_2020", "age over 55", 1),
        Moment("composition.age_over_60_2020", "age over 60", 1, AGES),
        Moment("composition.age_18_34_batches_1_3", "age 18-34", 1, AGES),
        Moment("composition.age_18_25_2023", "age 18-25", 1, LATER),
        Moment("composition.age_26_35_cumulative_2020_2022", "age 26-35", 1, LATER),
        Moment("composition.age_50_or_more_cumulative_2020_2022", "age 50 or more", 1, LATER),
        Moment("composition.disability_2020", "disability", 1),
        Moment("composition.disability_cumulative", "disability", 1, "5 % of 2020 are used"),
        Moment("eligibility.min_age", "youngest", 0),
    ],
    "Where they live": [
        Moment("province.32.recipients", "province 32", 0.5),
        Moment("province.35.recipients", "province 35", 0.5),
        Moment("province.31.recipients", "province 31", 0.5),
        Moment("province.33.recipients", "province 33", 0.5),
        Moment("province.12.recipients", "province 12", 0.5),
        Moment("province.73.recipients", "province 73", 0.5),
        Moment("province.36.recipients", "province 36", 0.5),
        Moment("province.16.recipients", "province 16", 0.5),
        Moment("province.63.recipients", "province 63", 0.5),
        Moment("province.94.recipients", "province 94", 0.1),
        Moment("composition.representation.java_recipients", "Java", 1),
        Moment("evaluations.presisi_2022.java", "Java", 1),
        Moment("composition.province_sakernas_aug_2020.jawa_barat", "province 32", 0.5, SAKERNAS),
        Moment("composition.province_sakernas_aug_2020.dki_jakarta", "province 31", 0.5),
        Moment("composition.province_sakernas_aug_2020.jawa_timur", "province 35", 0.5, SAKERNAS),
        Moment("composition.province_sakernas_aug_2020.papua_barat", "province 91", 0.1),
        Moment("composition.province_sakernas_aug_2020.gorontalo", "province 75", 0.1, SAKERNAS),
        Moment("composition.province_sakernas_aug_2020.papua", "province 94", 0.1, SAKERNAS),
    ],
    "Funnel, lottery, take-up, payments": [
        Moment("funnel.email_verified_share", "e-mail", 0.5),
        Moment("funnel.nik_verified_share", "NIK", 0.5),
        Moment("funnel.eligible_share", "eligible", 0.5),
        Moment("funnel.win_probability.batches_5_6", "odds 5-6", 0.5),
        Moment("funnel.win_probability.batch_9", "odds 9", 0.5),
        Moment("funnel.win_probability.batch_11", "odds 11", 0.5),
        Moment(
            "totals.recipients_share_of_registrants_2020",
            "recipients of registrants",
            1,
            "batches 1 to 4 are not simulated, and the funnel of batch 1 is taken for all of 2020",
        ),
        Moment("eligibility.max_winners_household", "household", 0),
        Moment("take_up.revoked_rate_2020", "revoked 2020", 0.5),
        Moment("take_up.revoked_rate_2021", "revoked 2021", 0.5),
        Moment("take_up.completed_2021", "completed", 0.5),
        Moment("take_up.incentive_received_2021", "paid", 0.5),
        Moment("payment.ewallet_share_oct_2020", "e-wallet", 1),
        Moment("payment.ewallet_share_oct_2020_infobank", "e-wallet", 1, "78 % are used"),
        Moment("payment.ewallet_share_presisi_2021", "e-wallet", 1, "78 % are used"),
        Moment("totals.training_institutions_feb_2022", "institutions", 0),
        Moment("costs.transfer_per_recipient", "cash", 0),
        Moment("benefits.semi_bansos.incentive", "incentive", 0),
        Moment("benefits.semi_bansos.incentives", "incentives", 0),
        Moment("benefits.semi_bansos.survey_total", "survey cash", 0),
        Moment("evaluations.aej_2025.receipt_matched_share", "reported", 0),
    ],
    "Work of recipients, before and after": [
        Moment("composition.entry_cyrus.not_working", "no work before", 1),
        Moment("composition.entry_cyrus.employee", "employee before", 1),
        Moment("composition.entry_cyrus.entrepreneur", "own work before", 1),
        Moment("composition.entry_pmo_2021.unemployed", "no work before", 1, ENTRY),
        Moment("composition.entry_pmo_2020.not_working", "no work before", 1, ENTRY),
        Moment(
            "composition.entry_pmo_2021.entrepreneurs_among_working",
            "own work of work before",
            1,
            "Cyrus has 12.6 % of 44.0 %, that is 29 %",
        ),
        Moment(f"{CYRUS}.not_working_after", "no work after", 1),
        Moment(f"{CYRUS}.employee_after", "employee after", 1),
        Moment(f"{CYRUS}.entrepreneur_after", "own work after", 1),
        Moment(f"{CYRUS}.before_after", "before-after", 1),
        Moment(
            "evaluations.presisi_2022.no_income_recipients",
            "no income",
            3,
            "Presisi's sample has less pay than that of the effects below: Rp 1.5 million a worker",
        ),
    ],
    "The lottery by phone": [
        Moment(f"{JPAL}.n", "answering", 1_000),
        Moment(f"{JPAL}.employed", "employed", 0.1),
        Moment(f"{JPAL}.self_employed", "self_employed", 0.1),
        Moment(f"{JPAL}.owns_business", "owns_business", 0.1),
        Moment(f"{JPAL}.new_job", "new_job", 0.1),
        Moment(f"{JPAL}.certificate", "certificate", 0.1),
        Moment(f"{JPAL}.earnings", "income", 5_000),
        Moment(f"{JPAL}.employed_relative", "employed, %", 0.5),
        Moment(f"{JPAL}.self_employed_relative", "self_employed, %", 0.5),
        Moment(f"{JPAL}.owns_business_relative", "owns_business, %", 2),
        Moment(f"{JPAL}.new_job_relative", "new_job, %", 0.5),
        Moment(f"{JPAL}.earnings_relative", "income, %", 0.5),
        Moment(f"{JPAL}.employed_control", "employed, losers", 1),
        Moment(f"{JPAL}.self_employed_control", "self_employed, losers", 0.5),
        Moment(f"{JPAL}.owns_business_control", "owns_business, losers", 0.2),
        Moment(f"{JPAL}.new_job_control", "new_job, losers", 1),
        Moment(f"{JPAL}.certificate_control", "certificate, losers", 0.5, CROSSOVER),
        Moment(f"{JPAL}.certificate_relative", "certificate, %", 10, CROSSOVER),
        Moment(f"{JPAL}.earnings_control", "income, losers", 50_000),
        Moment(f"{JPAL}.earnings_control_employed", "income, losers with work", 50_000),
        Moment(
            "labour_market.benefit_size.incentive_to_control_earnings", "incentive to income", 2
        ),
        Moment(
            "evaluations.presisi_2022.financial_inclusion",
            "account",
            3,
        ),
    ],
    "Pay of those with work": [
        Moment(f"{WAGE}.aug_2021.university / {WAGE}.aug_2021.sd", "pay, university to SD", 0.1),
        Moment(f"{WAGE}.feb_2020.smk / {WAGE}.feb_2020.sd", "pay, SMK to SD", 0.1),
        Moment(f"{WAGE}.feb_2020.diploma / {WAGE}.feb_2020.smk", "pay, diploma to SMK", 0.1),
        Moment(
            "labour_market.wage_women_feb_2021 / labour_market.wage_men_feb_2021",
            "pay, women to men",
            0.03,
        ),
        Moment(
            "evaluations.presisi_2022.wage_men_to_women",
            "pay, men to women",
            0.1,
            "the labour force survey has 1.27, which is used",
        ),
        Moment("labour_market.wage_log_sd", "pay, log sd", 0.05),
        Moment("labour_market.wage_median_to_mean", "pay, median to mean", 0.05),
    ],
}


def published(key: str) -> tuple[float, float, str, str, str, str]:
    """Return low, high, unit, date, mark and source of a published moment; a number's ends agree.

    A province has its share of all recipients listed, and "a / b" is a ratio of two figures.
    """
    programme = Programme.named("prakerja")
    if key.startswith("province."):
        code = int(key.split(".")[1])
        listed = {p.code: p.recipients for p in programme.provinces if p.recipients}
        share = 100 * listed[code].number / sum(f.number for f in listed.values())
        mine = listed[code]
        return share, share, "percent of those listed", mine.date, "D", mine.source
    if " / " in key:
        above, below = (programme.figure(part) for part in key.split(" / "))
        ratio = above.number / below.number
        return ratio, ratio, "ratio", above.date, "D", f"{above.source} ({above.confidence})"
    figure = programme.figure(key)
    low, high = _ends(figure)
    return low, high, figure.unit, figure.date, figure.confidence, figure.source


def _ends(figure: Figure) -> tuple[float, float]:
    if isinstance(figure.value, tuple):
        return figure.value
    return figure.number, figure.number


def table() -> pd.DataFrame:
    """Return a row a published moment, with the simulated one under each account."""
    made = {account: simulated(account) for account in ACCOUNTS}
    rows = []
    for group, moments in MOMENTS.items():
        for moment in moments:
            low, high, unit, date, mark, source = published(moment.key)
            values = [made[account][moment.name] for account in ACCOUNTS]
            near = [low - moment.near - 1e-9 <= v <= high + moment.near + 1e-9 for v in values]
            told = {"group": group, "key": moment.key, "low": low, "high": high, "unit": unit}
            told |= {"date": date, "mark": mark, "source": source, "simulated": moment.name}
            told |= dict(zip(ACCOUNTS, values, strict=True))
            told |= {"tolerance": moment.near, "verdict": "kept" if all(near) else "missed"}
            rows.append(told | {"why": "" if all(near) else moment.conflict})
    return pd.DataFrame(rows)


def page(found: pd.DataFrame) -> str:
    """Return the readable table, and every assumption of the simulator."""
    kept = int((found["verdict"] == "kept").sum())
    lines = [
        "# Calibration",
        "",
        "| | |",
        "|---|---|",
        "| made by | `python -m tests.simulation.calibration` |",
        f"| people | {PEOPLE:,} applicants in each survey, seed {SEED:,}; exact over offers, calls "
        "and answers where the lottery by phone is concerned |",
        f"| published moments | {len(found)} |",
        f"| within tolerance under both accounts | {kept} |",
        "",
        "Published numbers with their [marks](../../docs/methods/programme.md#marks), as printed, "
        "beside those of the simulated programme under the accounts of selective response and of "
        "non-receipt. Recipients are those on the administration's record. What was looked for and "
        "not found is in no row. Where two published figures contradict each other the simulator "
        "has one, and the row of the other shows the miss.",
        "",
    ]
    for group, rows in found.groupby("group", sort=False):
        lines += [f"## {group}", ""]
        lines += ["| published figure | mark | date | value | tolerance | simulated | verdict |"]
        lines += ["|---|---|---|---:|---:|---:|---|"]
        lines += [_line(row) for row in rows.to_dict("records")]
        lines.append("")
    return "\n".join([*lines, *_assumptions()]) + "\n"


def _line(row: dict[str, object]) -> str:
    low, high = float(row["low"]), float(row["high"])
    value = number(low) if low == high else f"{number(low)} to {number(high)}"
    values = [number(float(row[account])) for account in ACCOUNTS]
    made = values[0] if values[0] == values[1] else " / ".join(values)
    verdict = row["verdict"] if not row["why"] else f"{row['verdict']}: {row['why']}"
    cells = [f"`{row['key']}`", row["mark"], row["date"], f"{value} {row['unit']}"]
    cells += [f"± {float(row['tolerance']):,g}", made, verdict]
    return f"| {' | '.join(map(str, cells))} |"


def number(value: float) -> str:
    """Return a number for people: whole above a thousand, else two decimals at most."""
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{np.round(value, 2):g}"


def _assumptions() -> list[str]:
    """Return the table of what no publication says."""
    lines = [
        "## Assumptions",
        "",
        "Parameters without a published source. Values are those of the phone sample under the "
        "account of non-receipt, or of the scenario or account named. A parameter that is solved "
        "stands here too: the published effect it was solved for does not say that it is true.",
        "",
        "| parameter | value | why |",
        "|---|---|---|",
    ]
    return [*lines, *(f"| `{a.key}` | {value_of(a)} | {a.why} |" for a in ASSUMPTIONS)]


def read(path: Path) -> pd.DataFrame:
    """Read a calibration.csv as it was written."""
    return pd.read_csv(path, keep_default_na=False)


def main() -> int:
    """Write the table, and return 1 if a moment is missed without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    text = table().to_csv(index=False, float_format="%.10g", lineterminator="\n")
    (asked.out / "calibration.csv").write_text(text, encoding="utf-8")
    printed = read(asked.out / "calibration.csv")
    (asked.out / "calibration.md").write_text(page(printed), encoding="utf-8")
    return int(((printed["verdict"] == "missed") & (printed["why"] == "")).any())


if __name__ == "__main__":
    sys.exit(main())
