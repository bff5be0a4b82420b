"""Does the arithmetic of the published figures hold, and is nothing invented among them?"""

from datetime import date

import pytest

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.programme import Figure, Programme

PRAKERJA = Programme.named("prakerja")
MARKS = {"F", "M-hi", "M-med", "M-lo", "D"}
JAVA = (31, 32, 33, 34, 35, 36)


def number(key):
    return PRAKERJA.figure(key).number


def known(field):
    """The value of each province by code, where it is known."""
    cells = {p.code: getattr(p, field) for p in PRAKERJA.provinces}
    return {code: f.number for code, f in cells.items() if f is not None}


# --- benefits and costs ---------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "total"), [("semi_bansos", 3_550_000), ("normal", 4_200_000)])
def test_voucher_incentives_and_surveys_add_up_to_the_published_total(scheme, total):
    got = {k: number(f"benefits.{scheme}.{k}") for k in ("training_voucher", "incentive")}
    paid = got["incentive"] * number(f"benefits.{scheme}.incentives")
    surveys = number(f"benefits.{scheme}.survey_incentive") * number(f"benefits.{scheme}.surveys")
    assert surveys == number(f"benefits.{scheme}.survey_total")
    assert got["training_voucher"] + paid + surveys == number(f"benefits.{scheme}.total") == total


def test_four_incentives_of_600_000_are_2_400_000():
    assert number("benefits.semi_bansos.incentive_total") == 4 * 600_000


@pytest.mark.parametrize(("scheme", "end"), [("semi_bansos", ""), ("normal", "_normal")])
def test_transfer_and_training_make_the_whole_package(scheme, end):
    cost = number(f"costs.transfer_per_recipient{end}") + number(
        f"costs.training_per_recipient{end}"
    )
    assert cost == number(f"benefits.{scheme}.total")


def test_operation_is_the_published_share_of_the_budget():
    low, high = (getattr(PRAKERJA.figure("costs.budget_2020_2022"), end) for end in ("low", "high"))
    operation = number("costs.operating_total_2020_2022") / 1_000
    share = number("costs.operating_share")
    # printed to two digits
    assert 100 * operation / high - 0.005 <= share <= 100 * operation / low + 0.005


# --- the funnel, totals and take-up ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "step", "percent"),
    [
        ("registered", "email_verified", 74.2),
        ("email_verified", "nik_verified", 74.4),
        ("nik_verified", "eligible", 63.1),
    ],
)
def test_shares_of_the_funnel_follow_from_its_counts(of, step, percent):
    assert round(100 * number(f"funnel.{step}") / number(f"funnel.{of}"), 1) == percent
    assert number(f"funnel.{step}_share") == percent


def test_odds_follow_from_places_and_applicants():
    by_number = {b.number: b for b in PRAKERJA.batches}
    odds = {
        "batch_1": 168_111 / number("funnel.eligible"),
        "batches_5_6": 800_000 / number("funnel.applicants.mean_batches_5_6"),
        "batch_9": by_number[9].recipients.number / by_number[9].applicants.number,
        "batch_11": by_number[11].recipients.number / by_number[11].applicants.number,
    }
    stated = {key: number(f"funnel.win_probability.{key}") for key in odds}
    assert {k: round(100 * v, 1 if k == "batch_1" else 0) for k, v in odds.items()} == stated


def test_the_recipients_of_2020_are_the_effective_and_the_revoked():
    parts = number("totals.effective_2020") + number("take_up.revoked_2020")
    assert parts == number("totals.decree_2020") == 5_987_674


def test_batches_1_to_11_are_the_recipients_of_2020():
    # batch 11 was derived as what is left, so this checks that no other one slipped
    assert sum(b.recipients.number for b in PRAKERJA.batches[:11]) == 5_987_674


def test_batches_1_to_9_are_the_published_total():
    assert sum(b.recipients.number for b in PRAKERJA.batches[:9]) == 5_480_918
    assert number("totals.decree_batches_1_9") == 5_480_918


def test_recovery_batches_are_11_17_and_22():
    assert [b.number for b in PRAKERJA.batches if b.recovery] == [11, 17, 22]


def test_rates_of_revocation_follow_from_the_counts():
    rates = {
        "rate_batches_1_9": 189_436 / 5_480_918,
        "rate_2020": 478_619 / 5_987_674,
        "rate_2021": 86_878 / (12_007_516 - 5_987_674),
        "share_nov_2021_implied": 1 - 11_409_032 / 12_007_516,
        "share_cumulative": (478_619 + 86_878) / 12_007_516,
    }
    assert {k: number(f"take_up.revoked_{k}") for k in rates} == {
        k: round(100 * v, 2) for k, v in rates.items()
    }
    assert round(number("take_up.revoked_rate_2020"), 1) == 8.0
    assert round(number("take_up.revoked_rate_2021"), 1) == 1.4


def test_two_published_shares_of_revocation_stand_side_by_side():
    assert number("take_up.revoked_share_nov_2021") == 4.7
    assert number("take_up.revoked_share_nov_2021_implied") == 4.98
    assert "4.98" in PRAKERJA.figure("take_up.revoked_share_nov_2021").note


def test_recipients_are_the_stated_share_of_accounts():
    share = number("totals.effective_2020") / (1e6 * number("totals.registrants_2020"))
    assert round(100 * share, 1) == number("totals.recipients_share_of_registrants_2020") == 12.6


# --- provinces and composition --------------------------------------------------------------------


def test_there_are_34_provinces_and_only_bengkulus_recipients_are_unknown():
    assert len(PRAKERJA.provinces) == len({p.name for p in PRAKERJA.provinces}) == 34
    unknown = [p.name for p in PRAKERJA.provinces if p.recipients is None]
    assert unknown == ["Bengkulu"]
    assert all(len(known(f)) == 34 for f in ("population", "unemployment_rate", "minimum_wage"))


def test_population_and_recipients_sum_to_the_stated_totals():
    assert round(sum(known("population").values()), 2) == 270.18
    assert round(sum(known("recipients").values()), 1) == 5_333.4


def test_unemployment_weighted_by_population_is_near_the_official_rate():
    people, rate = known("population"), known("unemployment_rate")
    mean = sum(people[c] * rate[c] for c in people) / sum(people.values())
    assert round(mean, 2) == 6.51
    # weights are all people, not the labour force, and the rates are recalled
    assert abs(mean - number("labour_market.unemployment_rate_aug_2021")) < 0.05


@pytest.mark.parametrize(
    ("code", "share"), [(11, 2.41), (31, 10.17), (32, 14.88), (35, 12.22), (63, 2.61), (94, 0.26)]
)
def test_shares_of_the_listed_recipients_are_those_printed(code, share):
    recipients = known("recipients")
    assert round(100 * recipients[code] / sum(recipients.values()), 2) == share


def test_java_is_under_represented_and_jakarta_over_represented_as_stated():
    people, got = known("population"), known("recipients")
    everyone, listed = sum(people.values()), sum(got.values())
    assert round(100 * sum(people[c] for c in JAVA) / everyone) == number(
        "composition.representation.java_population"
    )
    java = sum(got[c] for c in JAVA)
    ends = PRAKERJA.figure("composition.representation.java_recipients").value
    assert tuple(round(100 * java / total) for total in (5_509.1, listed)) == ends == (49, 51)
    jakarta = got[31] / 5_509.1 / (people[31] / everyone)
    assert round(jakarta, 1) == number("composition.representation.dki_jakarta") == 2.5
    papua = people[94] / everyone / (got[94] / listed)
    assert round(papua) == number("composition.representation.papua") == 6


@pytest.mark.parametrize(
    "parts",
    [
        ("female_sakernas_aug_2020", "male_sakernas_aug_2020"),
        tuple(
            f"entry_batches_1_3.{k}"
            for k in ("laid_off", "job_seeker", "employed", "affected_small_firm")
        ),
        tuple(f"entry_cyrus.{k}" for k in ("not_working", "employee", "entrepreneur")),
        ("entry_pmo_2021.unemployed", "entry_pmo_2021.working"),
    ],
)
def test_shares_of_one_whole_add_up_to_100_percent(parts):
    assert sum(number(f"composition.{p}") for p in parts) == pytest.approx(100, abs=1e-9)


# --- the labour market ----------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["aug_2020", "feb_2021", "aug_2021", "aug_2022", "aug_2023"])
def test_employed_and_unemployed_are_the_labour_force(when):
    at = {k: number(f"labour_market.{k}_{when}") for k in ("employed", "unemployed")}
    force = number(f"labour_market.labour_force_{when}")
    assert round(sum(at.values()), 2) == force
    # both are printed to 0.01 million, the rate to 0.01 percent
    rate = number(f"labour_market.unemployment_rate_{when}")
    assert abs(100 * at["unemployed"] / force - rate) < 0.015


def test_the_wage_of_2022_is_a_rise_of_12_22_percent():
    # 2.74 is rounded to 0.01, and so is the product
    assert abs(2.74 * 1.1222 - number("labour_market.wage_aug_2022")) < 0.012


def test_the_incentive_is_the_stated_share_of_wages():
    wage = 1e6 * number("labour_market.wage_aug_2021")
    package = number("benefits.semi_bansos.total")
    size = "labour_market.benefit_size"
    assert round(100 * 600_000 / wage) == number(f"{size}.incentive_to_wage")
    control = number("evaluations.jpal_2021.earnings_control")
    assert round(100 * 600_000 / control) == number(f"{size}.incentive_to_control_earnings")
    assert round(package / wage, 1) == number(f"{size}.package_to_wage")


# --- evaluations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome", ["employed", "self_employed", "owns_business", "new_job", "earnings", "certificate"]
)
def test_effect_relative_effect_and_control_mean_of_the_lottery_agree(outcome):
    key = f"evaluations.jpal_2021.{outcome}"
    control = 100 * number(key) / number(f"{key}_relative")
    assert control == pytest.approx(number(f"{key}_control"), rel=0.002)  # three digits printed


def test_presisis_coefficients_are_never_called_percentage_points():
    outcomes = ("competence", "productivity", "competitiveness", "entrepreneurship")
    units = {PRAKERJA.figure(f"evaluations.presisi_2022.{o}").unit for o in outcomes}
    assert units == {"unknown/index"}
    assert PRAKERJA.figure("evaluations.presisi_2022.entrepreneurship").value == (1.50, 1.77)


def test_presisis_gain_in_rupiah_is_17_and_21_percent_of_its_mean_wage():
    gain = PRAKERJA.figure("evaluations.presisi_2022.wage_gain")
    mean = number("evaluations.presisi_2022.wage_mean")
    assert (100 * gain.low / mean, 100 * gain.high / mean) == pytest.approx((17, 21))
    assert PRAKERJA.figure("evaluations.presisi_2022.wage").value == (17, 21)


def test_before_and_after_of_cyrus_add_up():
    for when in ("before", "after"):
        parts = ("not_working", "employee", "entrepreneur")
        total = sum(number(f"evaluations.cyrus_2021.{part}_{when}") for part in parts)
        assert total == pytest.approx(100, abs=1e-9)
    gap = number("evaluations.cyrus_2021.not_working_before") - number(
        "evaluations.cyrus_2021.not_working_after"
    )
    assert round(gap, 1) == number("evaluations.cyrus_2021.before_after") == 16.2


def test_arms_of_other_trials_add_up_to_their_n():
    job_corps = "evaluations.comparators.job_corps"
    assert number(f"{job_corps}.treated") + number(f"{job_corps}.control") == number(
        f"{job_corps}.n"
    )
    iskur = Programme.named("iskur")
    arms = ("treated", "control")
    assert sum(iskur.figure(f"evaluations.hirshleifer_2016.{a}").number for a in arms) == 5_902


def test_a_published_interval_stands_beside_its_estimate():
    effect = PRAKERJA.figure("evaluations.comparators.agarwal_mani_2024.earnings")
    assert (effect.number, effect.low, effect.high) == (8.2, 2, 14)


# --- sources, marks, and what was not found -------------------------------------------------------


@pytest.mark.parametrize("name", Programme.names())
def test_every_figure_has_source_mark_and_date_and_every_number_a_unit(name):
    programme = Programme.named(name)
    frame = programme.frame()
    assert frame["key"].is_unique
    assert (frame["source"] != "").all()
    assert set(frame["confidence"]) <= MARKS
    numbers = frame[frame["value"].map(lambda v: isinstance(v, int | float)) | frame["low"].notna()]
    assert (numbers["unit"] != "").all()
    dated = (frame["date"] != "") | frame["key"].str.endswith((".opened", ".closed"))
    is_day = frame["value"].map(lambda v: isinstance(v, date))
    assert (dated | is_day).all()


def test_what_is_recalled_is_never_marked_as_found():
    frame = PRAKERJA.frame()
    recalled = frame["source"].str.contains("recalled") | frame["note"].str.contains("; recalled")
    assert set(frame.loc[recalled, "confidence"]) <= {"M-hi", "M-med", "M-lo"}
    assert recalled.sum() > 50


@pytest.mark.parametrize(
    "key",
    [
        "evaluations.jpal_2021.std_errors",
        "evaluations.aej_2025.point_estimates",
        "evaluations.presisi_2022.estimator",
        "composition.return_migrants",
        "payment.ewallet_split",
        "funnel.loser_applies_again",
    ],
)
def test_what_was_not_found_is_listed_and_has_no_number(key):
    assert PRAKERJA.not_found[key]
    assert key not in PRAKERJA.figures
    assert key not in set(PRAKERJA.frame()["key"])
    with pytest.raises(UsageError, match=r"not found .* your own assumption"):
        PRAKERJA.figure(key)


def test_a_figure_is_cited_in_one_line():
    line = PRAKERJA.cite("benefits.semi_bansos.training_voucher")
    assert line == "Rp 1,000,000 (2020-2022; pontas.id, jabarekspres; found)"
    assert PRAKERJA.cite("evaluations.presisi_2022.competence").startswith(
        "0.74 to 0.77 unknown/index ("
    )
    assert PRAKERJA.cite("payment.dana_added") == "2020-10-14 (pontas, okezone; found)"
    interval = PRAKERJA.cite("evaluations.comparators.agarwal_mani_2024.employed")
    assert interval.startswith("4 percentage points, interval 2 to 6 (2024;")


def test_an_unknown_figure_or_programme_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"Did you mean 'take_up\.revoked_2020'"):
        PRAKERJA.cite("takeup.revoked_2020")
    with pytest.raises(UsageError, match=r"'prakerja', 'iskur'.*Did you mean 'iskur'"):
        Programme.named("Iskurr")


def test_a_range_or_a_text_is_never_made_one_number():
    with pytest.raises(DataError, match=r"0\.74 to 0\.77 unknown/index is not one number"):
        _ = PRAKERJA.figure("evaluations.presisi_2022.competence").number
    with pytest.raises(DataError, match="is not one number"):
        _ = PRAKERJA.figure("evaluations.aej_2025.employment_matched").number
    with pytest.raises(DataError, match="no date"):
        _ = PRAKERJA.figure("evaluations.aej_2025.employment_matched").earliest


def test_the_frame_has_a_range_in_its_ends_alone():
    frame = PRAKERJA.frame().set_index("key")
    columns = ["value", "low", "high", "unit", "date", "source", "confidence", "note"]
    assert list(frame.columns) == columns
    wage = frame.loc["evaluations.presisi_2022.wage"]
    assert wage["value"] is None
    assert (wage["low"], wage["high"]) == (17, 21)
    assert frame.loc["province.63.minimum_wage", "value"] == 2_877_448
    assert frame.loc["batch.21.recipients", "value"] == 754_929


def test_iskur_is_read_by_the_same_reader():
    iskur = Programme.named("iskur")
    assert (iskur.country, iskur.provinces, iskur.batches) == ("Turkey", (), ())
    assert iskur.figure("take_up.offered").number == 72
    assert iskur.figure("evaluations.hirshleifer_2016.employed").confidence == "M-med"


def test_html_escapes_and_shows_the_note():
    shown = Figure(3, "<b>", "F", note="about & more", unit="people")._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "about &amp; more" in shown
    assert "34 provinces" in PRAKERJA._repr_html_()
    assert repr(PRAKERJA).startswith("Kartu Prakerja (Indonesia): ")
