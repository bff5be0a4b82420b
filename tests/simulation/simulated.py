"""What are the published moments in the simulated programme? In the units of the published ones."""

from collections.abc import Iterator

import numpy as np

from prakerja_eval.synthetic import Scenario, simulate
from prakerja_eval.synthetic.outcomes import never
from prakerja_eval.synthetic.people import EDUCATION
from prakerja_eval.synthetic.process import Lives, state_at
from prakerja_eval.synthetic.take_up import NOT_YET, cash
from prakerja_eval.synthetic.world import World

from .accounts import APPLICANTS, lived
from .moments import PEOPLE, SEED, Population, by_arm, effect, population, recipients

MONTHS = range(60)  # by which every payment of the batches simulated has been made
JAVA = range(31, 37)  # codes of its provinces


def simulated(account: str, n: int = PEOPLE, seed: int = SEED) -> dict[str, float]:
    """Return every moment under an account, by name."""
    world = simulate(Scenario.named("matched_national", account=account), n, seed)
    nation = lived(world)
    phone = population(Scenario.named("phone_sample", account=account), n, seed)
    out = composition(nation) | lotteries(world) | places(world) | payments(nation)
    out |= pay(nation) | entry(phone) | effects(phone)
    said = recipients(nation, world.scenario, wave=-1)
    return out | {"reported": 100 * said["reported"]}


def composition(nation: Population) -> dict[str, float]:
    """Return shares among the recipients on record, in percent, and of provinces' people."""
    sums: dict[str, float] = {}
    for part in nation.parts:
        weight = part.persons.weight * (part.receipt.on_record != NOT_YET)
        for name, values in _traits(nation, part):
            sums[name] = sums.get(name, 0.0) + float((weight * values).sum())
    total = sums.pop("all")
    return {name: 100 * value / total for name, value in sums.items()}


def _traits(nation: Population, part: Lives) -> Iterator[tuple[str, np.ndarray]]:
    who, codes = part.persons, nation.process.places.codes
    yield "all", np.ones(len(who))
    yield "female", who.female
    yield "male", ~who.female
    yield "urban", who.urban
    yield "senior", who.senior
    yield "sd or less", who.education == EDUCATION.index("SD")
    yield "disability", who.disability
    yield "Java", np.isin(codes[who.province], JAVA)
    bands = {"18-25": (18, 25), "26-35": (26, 35), "18-34": (18, 34), "18-35": (18, 35)}
    bands |= {"50 or more": (50, 99), "over 55": (56, 99), "over 60": (61, 99)}
    for name, (low, high) in bands.items():
        yield f"age {name}", (who.age >= low) & (who.age <= high)
    for place, code in enumerate(codes):
        yield f"province {code}", who.province == place


def lotteries(world: World) -> dict[str, float]:
    """Return odds of batches and shares of the funnel, in percent."""
    entries, counts = world.process.batches.entries, world.funnel
    won = {entries[r.batch].number: r.won for r in world.rounds}
    stages = list(counts.values())
    home = np.concatenate([p.persons.household for p in lived(world).parts])
    out = {f"odds {number}": 100 * float(w.mean()) for number, w in won.items()}
    out["odds 5-6"] = 100 * float(np.concatenate([won[5], won[6]]).mean())
    for name, before, after in zip(("e-mail", "NIK", "eligible"), stages, stages[1:], strict=False):
        out[name] = 100 * after / before
    records = world.records
    early = records["won_in"].astype(str).str.startswith("2020") & (records["revoked"] == 0)
    out["recipients of registrants"] = 100 * float(early.sum()) / counts["registered"]
    out["household"] = float(np.bincount(home[world.assignment.win >= 0]).max())
    return out


def places(world: World) -> dict[str, float]:
    """Return what becomes of the places won, in percent; from the administration's records."""
    records = world.records
    year = records["won_in"].astype(str).str[:4]
    used = records[records["revoked"] == 0]
    channel = used["channel"].dropna().astype(str)
    return {
        "revoked 2020": 100 * float(records["revoked"][year == "2020"].mean()),
        "revoked 2021": 100 * float(records["revoked"][year == "2021"].mean()),
        "completed": 100 * float(used["completed"][used["won_in"].astype(str) >= "2021"].mean()),
        "paid": 100 * float(used["channel"][used["won_in"].astype(str) >= "2021"].notna().mean()),
        "e-wallet": 100 * float((channel != "BNI").mean()),
        "institutions": float(used["institution"].nunique()),
    }


def payments(nation: Population) -> dict[str, float]:
    """Return the cash of a recipient to whom all is paid, in rupiah, and its number of months."""
    part, options = nation.parts[0], nation.process.scenario.take_up
    got = part.receipt.paid & (part.receipt.month != NOT_YET)
    monthly = np.array([cash(options, part.receipt, month)[got] for month in MONTHS])
    incentive = monthly // 100_000 * 100_000  # the survey's Rp 50,000 apart
    return {
        "cash": float(np.median(monthly.sum(axis=0))),
        "incentive": float(np.median(incentive.max(axis=0))),
        "incentives": float(np.median((incentive > 0).sum(axis=0))),
        "survey cash": float(np.median((monthly - incentive).sum(axis=0))),
        "youngest": float(min(p.persons.age.min() for p in nation.parts)),
    }


def pay(nation: Population) -> dict[str, float]:
    """Return pay of those with work at the last wave without the programme: ratios."""
    process, columns = nation.process, []
    for part in nation.parts:
        state = state_at(process, part, len(part.latents) - 1, never(len(part.before)))
        who, works = part.persons, state.employed
        seen = (state.income, who.weight, who.female, who.education)
        columns.append([np.asarray(c)[works] for c in seen])
    income, weight, female, level = (np.concatenate(c) for c in zip(*columns, strict=True))

    def mean(chosen: np.ndarray) -> float:
        return float(np.average(income[chosen], weights=weight[chosen]))

    of = {name: mean(level == k) for k, name in enumerate(EDUCATION)}
    log = np.log(income)
    centred = log - np.average(log, weights=weight)
    order = np.argsort(income)
    half = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    return {
        "pay, university to SD": of["University"] / of["SD"],
        "pay, diploma to SMK": of["Diploma"] / of["SMK"],
        "pay, SMK to SD": of["SMK"] / of["SD"],
        "pay, women to men": mean(female) / mean(~female),
        "pay, men to women": mean(~female) / mean(female),
        "pay, log sd": float(np.sqrt(np.average(centred**2, weights=weight))),
        "pay, median to mean": float(income[order][half] / mean(np.full(len(income), True))),
    }


def entry(phone: Population) -> dict[str, float]:
    """Return status before and after of the recipients on record who answer, in percent."""
    scenario = phone.process.scenario
    at = recipients(phone, scenario)
    out = {
        "no work before": 1 - at["before"],
        "employee before": at["before"] - at["before_own"],
        "own work before": at["before_own"],
        "own work of work before": at["before_own"] / at["before"],
        "work before": at["before"],
        "no work after": 1 - at["after"],
        "employee after": at["after"] - at["after_own"],
        "own work after": at["after_own"],
        "before-after": at["after"] - at["before"],
        "no income": 1 - recipients(phone, scenario, wave=-1)["after"],
    }
    return {name: 100 * value for name, value in out.items()}


def effects(phone: Population) -> dict[str, float]:
    """Return means of the losers who answer and effects of the offer among those who answer."""
    means = by_arm(phone, phone.process.scenario)
    out: dict[str, float] = {}
    for name in ("employed", "self_employed", "owns_business", "new_job", "certificate"):
        lost, gain = means[name, 0, "answering"], effect(means, name)
        out |= {f"{name}, losers": 100 * lost, name: 100 * gain, f"{name}, %": 100 * gain / lost}
    lost = means["income", 0, "answering"]
    out["income, losers"] = lost
    out["income, losers with work"] = lost / means["employed", 0, "answering"]
    out["income, %"] = 100 * effect(means, "income")
    out["income"] = lost * effect(means, "income")
    out["incentive to income"] = 100 * phone.process.scenario.take_up.incentive / lost
    out["account"] = 100 * effect(means, "financial_account")
    share = (means["response", 1, "all"] + means["response", 0, "all"]) / 2
    return out | {"answering": share * APPLICANTS["phone_sample"]}
