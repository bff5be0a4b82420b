"""Do both accounts give the three published answers, and what would tell them apart?

``python -m tests.simulation.accounts`` writes reports/validation/accounts.csv, accounts.md and
accounts.svg; about half an hour of one core, most of it the draws, which are kept in
.prakerja-cache and taken up again. Seeds, sizes and tolerances were fixed before any result.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

import prakerja_eval as pe
from prakerja_eval.programme import Programme
from prakerja_eval.synthetic import Scenario, columns, simulate
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.layers import LAYERS
from prakerja_eval.synthetic.process import lives
from prakerja_eval.synthetic.world import World

from .calibrate import PUBLISHED
from .moments import OUTCOMES, Population, by_arm, effect, population, recipients

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "reports" / "validation"
CACHE = ROOT / ".prakerja-cache" / "accounts_draws.csv"
ACCOUNTS = ("selective_response", "non_receipt")
# 75,000 in the phone's frame are about 47,000 who answer, the published number. The number in the
# matched national surveys is not published: 100,000 is an assumption.
APPLICANTS = {"phone_sample": 75_000, "matched_national": 100_000}
FIRST_SEED, DRAWS, FIRST = 1_001, 200, 2  # and the draws that a test makes again
# Of the registration, the telephone survey of recipients, and the effects.
BEFORE, CYRUS, WAVE = "2020-07", "2021-05", "2021-09"
COLUMNS = ["person_id", "wave", "block", "offer", "weight", "responded", "on_record"]
COLUMNS += ["reported_receipt", *OUTCOMES, "income"]
BOUNDED = 20  # draws that are bounded
NEAR = {"employed": 0.1, "income": 0.5, "before_after": 1.0, "answering": 1_000.0}
OTHERS = 0.2  # tolerance of the published effects that the issue does not name, in points
NULL = 0.3
# A path of the labour market that stays where it was at the baseline, and an effect on everybody:
# no layers, but parts of them whose contribution matters.
EXTRA = ("recovery", "no effect on those out of reach")


def scenario_of(name: str, account: str) -> Scenario:
    """Return a scenario under an account."""
    return Scenario.named(name, account=account)


def drawn(name: str, account: str, seed: int) -> dict[str, float]:
    """Return what one simulated study finds, in points (and income in % of the losers' mean)."""
    world = simulate(scenario_of(name, account), APPLICANTS[name], seed)
    frame = studied(world)
    last = frame[(frame["wave"] == WAVE) & (frame["responded"] == 1)]
    listed = last[last["on_record"] == 1]
    asked = [*OUTCOMES, "income"] if name == "phone_sample" else ["employed", "income"]
    out = {"answering": float(len(last))} | estimates(frame, world, asked)
    out["before_after"] = before_after(frame)
    out["denied"] = 100 * float(
        np.average(1 - listed["reported_receipt"], weights=listed["weight"])
    )
    if name == "matched_national":
        means = by_arm(lived(world), world.scenario)
        out["truth"] = 100 * effect(means, "employed", "all")
    return out


def studied(world: World) -> pd.DataFrame:
    """Return the columns and waves of the panel that are asked, people and blocks by number.

    It says what ``world.panel`` says (a test compares them) in a third of the time.
    """
    parts = columns.tables(world.process, world.assignment, world.seed)
    whole = pa.concat_tables(parts).select(COLUMNS).unify_dictionaries()
    wave = pc.cast(whole["wave"], pa.string())
    kept = whole.filter(pc.is_in(wave, pa.array([BEFORE, CYRUS, WAVE])))
    made = {name: kept[name].to_pandas() for name in COLUMNS}
    made |= {name: made[name].cat.codes.to_numpy() for name in ("person_id", "block")}
    return pd.DataFrame(made | {"wave": made["wave"].astype(str)})


def estimates(frame: pd.DataFrame, world: World, outcomes: list[str]) -> dict[str, float]:
    """Return the estimated effects of the offer, and the standard error of that on work."""
    weight = "weight" if world.scenario.survey.mode == "in_person" else None
    roles = pe.Roles(
        unit="person_id",
        wave="wave",
        baseline=BEFORE,
        offer="offer",
        blocks=("block",),
        responded="responded",
        weight=weight,
    )
    panel = pe.Panel(frame[frame["wave"] != CYRUS], roles)
    out = {}
    for outcome in outcomes:
        one = pe.lottery.itt(panel, outcome, waves=[WAVE]).tidy().iloc[0]
        scale = one["comparison_mean"] if outcome == "income" else 1.0
        out[outcome] = 100 * float(one["estimate"] / scale)
        if outcome == "employed":
            out["std_error"] = 100 * float(one["std_error"])
    return out


def before_after(frame: pd.DataFrame) -> float:
    """Return work of the recipients on record who answer, in points above the baseline."""
    asked = (frame["wave"] == CYRUS) & (frame["on_record"] == 1) & (frame["responded"] == 1)
    after = frame[asked].set_index("person_id")
    before = frame[frame["wave"] == BEFORE].set_index("person_id")
    rise = after["employed"] - before.loc[after.index, "employed"]
    return 100 * float(np.average(rise, weights=after["weight"]))


def lived(world: World) -> Population:
    """Return the people of a world with what fixes all that can happen to them."""
    draws = Draws(world.seed, 0, world.n_applicants)
    parts = tuple(lives(world.process, world.assignment, part) for part in draws.parts())
    return Population(world.process, parts)


# --- the draws: kept on disk, so that a run can be broken off ------------------------------------


def all_draws(jobs: int, draws: int) -> pd.DataFrame:
    """Return the draws of both scenarios under both accounts, made or read from the cache."""
    kept = pd.read_csv(CACHE) if CACHE.exists() else pd.DataFrame(columns=["key"])
    kept = kept[kept["key"].isin([key(n, a) for n, a in pairs()])]
    done = set(zip(kept.get("key", []), kept.get("seed", []), strict=True))
    rows = kept.to_dict("records")
    with ProcessPoolExecutor(jobs) as pool:
        left = [
            pool.submit(_keyed, name, account, seed)
            for seed in range(FIRST_SEED, FIRST_SEED + draws)
            for name, account in pairs()
            if (key(name, account), seed) not in done
        ]
        for i, made in enumerate(as_completed(left)):
            rows.append(made.result())
            if i % 20 == 19 or i == len(left) - 1:
                CACHE.parent.mkdir(exist_ok=True)
                pd.DataFrame(rows).to_csv(CACHE, index=False)
                print(f"{i + 1} of {len(left)} draws", file=sys.stderr, flush=True)
    found = pd.DataFrame(rows)
    found = found[found["seed"] < FIRST_SEED + draws]
    return found.sort_values(["scenario", "account", "seed"], ignore_index=True)


def pairs() -> list[tuple[str, str]]:
    """Return scenarios and accounts."""
    return [(name, account) for name in APPLICANTS for account in ACCOUNTS]


def key(name: str, account: str) -> str:
    """Return what a draw depends on besides its seed and the code."""
    text = scenario_of(name, account).to_toml() + str(APPLICANTS[name])
    return f"{crc32(text.encode()):08x}"


def _keyed(name: str, account: str, seed: int) -> dict[str, object]:
    told = {"key": key(name, account), "scenario": name, "account": account, "seed": seed}
    return told | drawn(name, account, seed)


def summaries(draws: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Give a row a scenario, account and quantity: mean, Monte Carlo error, published, verdict."""
    for name, account in pairs():
        mine = draws[(draws["scenario"] == name) & (draws["account"] == account)]
        for quantity in mine.columns[4:]:
            values = mine[quantity].to_numpy(dtype=float)
            if np.isfinite(values).all():
                yield _row("draws", name, account, "whole", quantity, values.mean()) | {
                    "mc_se": values.std(ddof=1) / np.sqrt(len(values)),
                    "first": values[:FIRST].mean(),
                    **judged(name, quantity, float(values.mean())),
                }


def _row(
    part: str, name: str, account: str, without: str, quantity: str, value: float
) -> dict[str, object]:
    told = {"part": part, "scenario": name, "account": account, "layer": without}
    return told | {"quantity": quantity, "value": float(value)}


def judged(name: str, quantity: str, value: float) -> dict[str, object]:
    """Return the published value, the limits of the claim and whether it is kept."""
    published, low, high = limits(name, quantity)
    if low is None:
        return {"published": published, "low": np.nan, "high": np.nan, "verdict": "not judged"}
    kept = "kept" if low <= value <= high else "missed"
    return {"published": published, "low": low, "high": high, "verdict": kept}


@cache
def limits(name: str, quantity: str) -> tuple[float, float | None, float | None]:
    """Return the published value and the limits within which the simulated one must lie."""
    figure = Programme.named("prakerja").figure
    if quantity == "denied" and name == "matched_national":  # most say that they did not receive
        most = figure("evaluations.aej_2025.receipt_matched_share")
        return np.nan, 100 - float(most.high or 0), 100.0
    if quantity in ("truth", "employed") and name == "matched_national":
        return np.nan, -NULL, NULL
    if name == "matched_national":
        return np.nan, None, None
    keys = {"answering": "jpal_2021.n", "before_after": "cyrus_2021.before_after"}
    keys |= {outcome: f"jpal_2021.{short}" for outcome, short in PUBLISHED.items()}
    if quantity not in keys:
        return np.nan, None, None
    value = figure(f"evaluations.{keys[quantity]}").number
    near = NEAR.get(quantity, OTHERS)
    return value, value - near, value + near


# --- the layers, by exact expected values --------------------------------------------------------


def without(scenario: Scenario, layer: str) -> Scenario:
    """Return a scenario with one layer, or one of EXTRA, switched off."""
    if layer == "recovery":
        base = dict(scenario.outcomes.path)[scenario.survey.baseline]
        return scenario.but(outcomes={"path": ((scenario.survey.baseline, base),)})
    if layer == EXTRA[1]:
        return scenario.but(effects={"other": 1.0})
    return scenario if layer == "whole" else scenario.without(layer)


def contributions() -> Iterator[dict[str, object]]:
    """Give a row a scenario, account, layer switched off and quantity."""
    for name, account in pairs():
        for layer in ("whole", *LAYERS, *EXTRA):
            scenario = without(scenario_of(name, account), layer)
            for quantity, value in expected(population(scenario), scenario).items():
                yield _row("layers", name, account, layer, quantity, value)


def expected(found: Population, scenario: Scenario) -> dict[str, float]:
    """Return what a survey of these people shows on average, in points or percent."""
    means = by_arm(found, scenario)
    calls, said = recipients(found, scenario), recipients(found, scenario, wave=-1)
    out = {
        "employed": effect(means, "employed"),
        "income": effect(means, "income"),
        "truth": effect(means, "employed", "all"),
        "before_after": calls["after"] - calls["before"],
        "denied": 1 - said["reported"],
        "response gap": effect(means, "response", "all"),
    }
    return {quantity: 100 * value for quantity, value in out.items()}


# --- what would tell the accounts apart ----------------------------------------------------------


def apart() -> Iterator[dict[str, object]]:
    """Give a row a scenario, account and quantity that is not among the published answers."""
    for name, account in pairs():
        scenario = scenario_of(name, account)
        found = population(scenario)
        means, said = by_arm(found, scenario), recipients(found, scenario, wave=-1)
        rows = {f"work, answering to call {k}": ("employed", f"call {k}") for k in range(1, 7)}
        rows = rows if name == "phone_sample" else {}
        rows |= {"work, all": ("employed", "all"), "work, phone frame": ("employed", "frame")}
        rows |= {"certificate": ("certificate", "answering")}
        rows |= {"account": ("financial_account", "answering")}
        rows |= {"response": ("response", "all"), "work at baseline": ("before", "answering")}
        told = {quantity: effect(means, *which) for quantity, which in rows.items()}
        told["work per reported receipt"] = effect(means, "employed") / effect(means, "said")
        for quantity in ("received_frame", "received_others", "reported"):
            if quantity in said:
                told[quantity] = said[quantity]
        for quantity, value in told.items():
            yield _row("apart", name, account, "whole", quantity, 100 * value)
    yield from bounds()


def bounds(draws: int = BOUNDED) -> Iterator[dict[str, object]]:
    """Give the mean limits of Lee's bounds in the phone sample, response moved in one direction."""
    for account in ACCOUNTS:
        made = [_bounds(account, FIRST_SEED + i) for i in range(draws)]
        for quantity, values in zip(("Lee lower", "Lee upper"), np.array(made).T, strict=True):
            row = _row("apart", "phone_sample", account, "whole", quantity, values.mean())
            yield row | {"mc_se": values.std(ddof=1) / np.sqrt(draws), "first": values[0]}


def _bounds(account: str, seed: int) -> tuple[float, float]:
    world = simulate(scenario_of("phone_sample", account), APPLICANTS["phone_sample"], seed)
    trimming = pe.lottery.Trimming(direction="common")
    found = pe.lottery.lee_bounds(world.panel, "employed", waves=[WAVE], trimming=trimming)
    one = found.frame.iloc[0]
    return 100 * float(one["lower"]), 100 * float(one["upper"])


# --- writing -------------------------------------------------------------------------------------


def read(path: Path) -> pd.DataFrame:
    """Read an accounts.csv as it was written."""
    return pd.read_csv(path)


def main() -> int:
    """Draw, switch off, compare, write, and return 1 if a claim is missed."""
    from .accounts_page import drawing, page

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args()
    rows = [*summaries(all_draws(asked.jobs, asked.draws)), *contributions(), *apart()]
    results = pd.DataFrame(rows)
    asked.out.mkdir(parents=True, exist_ok=True)
    text = results.to_csv(index=False, float_format="%.10g", lineterminator="\n")
    (asked.out / "accounts.csv").write_text(text, encoding="utf-8")
    printed = read(asked.out / "accounts.csv")
    (asked.out / "accounts.md").write_text(page(printed), encoding="utf-8")
    drawing(printed, asked.out / "accounts.svg")
    return int((results["verdict"] == "missed").any())


if __name__ == "__main__":
    sys.exit(main())
