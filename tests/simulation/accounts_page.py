"""How do the results on the two accounts read? The page and the figure of accounts.csv."""

from pathlib import Path

import numpy as np
import pandas as pd

from prakerja_eval.figures.style import BLUE, INK, MUTED, VERMILION, new, styled
from prakerja_eval.programme import Programme

from .accounts import ACCOUNTS, APPLICANTS, DRAWS, FIRST_SEED, NULL
from .moments import PEOPLE, SEED

TITLES = {"phone_sample": "Phone sample", "matched_national": "Matched national survey"}
NAMES = {"selective_response": "selective response", "non_receipt": "non-receipt"}
ANSWERS = {
    "answering": "people who answer",
    "employed": "effect on work, points",
    "self_employed": "effect on own work, points",
    "owns_business": "effect on a business with workers, points",
    "new_job": "effect on a new job, points",
    "certificate": "effect on a certificate used, points",
    "income": "effect on income, % of the losers' mean",
    "std_error": "standard error of the effect on work, points",
    "truth": "true effect on work, all applicants, points",
    "before_after": "work of recipients who answer, May 2021 less baseline, points",
    "denied": "recipients on record who say that they did not receive, %",
}
LAYER_COLUMNS = {
    "employed": "effect on work, answering",
    "truth": "true effect on work, all",
    "income": "effect on income, %",
    "before_after": "before-after",
    "denied": "say no, %",
    "response gap": "response, winners less losers",
}
MOVES = 0.15  # points: layers that move nothing by more are named and not tabled
# What data would tell the accounts apart: (scenario, quantity) and how it reads.
APART = (
    ("phone_sample", "work, all", "effect on work of all in the phone's frame, answering or not"),
    ("phone_sample", "work at baseline", "work at the baseline, winners less losers who answer"),
    ("phone_sample", "response", "share who answer, winners less losers"),
    *(
        ("phone_sample", f"work, answering to call {k}", f"effect on work, answer to call {k}")
        for k in range(1, 7)
    ),
    ("phone_sample", "Lee lower", "Lee's bounds on the effect on work, lower"),
    ("phone_sample", "Lee upper", "Lee's bounds on the effect on work, upper"),
    ("phone_sample", "reported", "recipients on record who say that they received, %"),
    ("phone_sample", "work per reported receipt", "effect on work per reported receipt"),
    ("matched_national", "work, all", "effect on work of all, in person"),
    ("matched_national", "work, phone frame", "effect on work of those in the phone's frame"),
    ("matched_national", "reported", "recipients on record who say that they received, %"),
    ("matched_national", "received_frame", "recipients on record who received: phone's frame, %"),
    ("matched_national", "received_others", "recipients on record who received: others, %"),
    ("matched_national", "work per reported receipt", "effect on work per reported receipt"),
    ("matched_national", "certificate", "effect on having used a certificate"),
    ("matched_national", "account", "effect on having an account or e-wallet"),
)


def page(results: pd.DataFrame) -> str:
    """Return the readable report."""
    claims = results[results["verdict"].isin(["kept", "missed"])]
    kept = int((claims["verdict"] == "kept").sum())
    sizes = ", ".join(f"{n:,} applicants in {TITLES[s].lower()}" for s, n in APPLICANTS.items())
    head = [
        "# Two accounts of three published answers",
        "",
        "| | |",
        "|---|---|",
        "| made by | `python -m tests.simulation.accounts` |",
        f"| draws | {DRAWS} a scenario and account, seeds {FIRST_SEED:,} to "
        f"{FIRST_SEED + DRAWS - 1:,}; {sizes} |",
        f"| expected values | {PEOPLE:,} people, seed {SEED:,}; exact over offers, calls and "
        "answers |",
        f"| claims kept | {kept} of {len(claims)} |",
        "",
        "What the accounts assume and how they were solved: "
        "[the method page](../../docs/methods/synthetic-accounts.md). "
        "![The three answers under both accounts](accounts.svg)",
        "",
    ]
    lines = [*head, *_answers(results), *_layers(results), *_apart(results)]
    return "\n".join(lines).rstrip() + "\n"


def _answers(results: pd.DataFrame) -> list[str]:
    """Return the tables of simulated studies beside the published answers."""
    out = [
        "## The three answers",
        "",
        "Means over the simulated studies with their Monte Carlo standard errors. A claim is "
        "kept if the mean lies within the limits. The published national studies print no number: "
        f"they find no detectable effect, read here as one under {NULL} points, and say that most "
        "beneficiaries report no receipt. How many people the national surveys matched is not "
        "published, and the simulated number is an assumption.",
        "",
    ]
    for scenario, title in TITLES.items():
        out += [f"### {title}", "", "| | published | limits | selective response | non-receipt |"]
        out += ["|---|---:|---:|---:|---:|"]
        mine = results[(results["part"] == "draws") & (results["scenario"] == scenario)]
        for quantity, name in ANSWERS.items():
            rows = mine[mine["quantity"] == quantity].set_index("account")
            if len(rows):
                cells = [_mean(rows.loc[account]) for account in ACCOUNTS]
                out.append(f"| {name} | {_claim(rows.iloc[0])} | {' | '.join(cells)} |")
        out.append("")
    return out


def _mean(row: pd.Series) -> str:
    digits = 0 if row["quantity"] == "answering" else 2
    text = f"{row['value']:,.{digits}f} ({row['mc_se']:.{digits or 1}f})"
    return text if row["verdict"] == "not judged" else f"{text} {row['verdict']}"


def _claim(row: pd.Series) -> str:
    published = "" if np.isnan(row["published"]) else f"{row['published']:,g}"
    limits = "" if np.isnan(row["low"]) else f"{row['low']:,g} to {row['high']:,g}"
    return f"{published} | {limits}"


def _layers(results: pd.DataFrame) -> list[str]:
    """Return the tables of expected values with layers switched off."""
    out = [
        "## Each layer switched off",
        "",
        "Expected values, selective response / non-receipt, in points or percent. *recovery* is no "
        "layer but the labour market's way up from the baseline, held flat. *no effect on those "
        "out of reach* gives those whom no phone survey can reach the effect of the others. Who "
        "people are leaves a Monte Carlo standard error of about 0.03 points (0.1 for income).",
        "",
    ]
    for scenario, title in TITLES.items():
        mine = results[(results["part"] == "layers") & (results["scenario"] == scenario)]
        wide = mine.pivot_table(index="layer", columns=["quantity", "account"], values="value")
        whole, order = wide.loc["whole"], list(dict.fromkeys(mine["layer"]))
        moved = (wide - whole).abs().max(axis=1) > MOVES
        out += [f"### {title}", "", f"| without | {' | '.join(LAYER_COLUMNS.values())} |"]
        out += ["|---|" + "---:|" * len(LAYER_COLUMNS)]
        for layer in order:
            if moved[layer] or layer == "whole":
                cells = [_pair(wide.loc[layer], quantity) for quantity in LAYER_COLUMNS]
                out.append(f"| {_layer(layer)} | {' | '.join(cells)} |")
        still = [_layer(layer) for layer in order if layer != "whole" and not moved[layer]]
        out += ["", f"No number moves by more than {MOVES} points without {', '.join(still)}.", ""]
    return out


def _layer(name: str) -> str:
    return {"whole": "(nothing)"}.get(name, name.replace("_", " "))


def _pair(row: pd.Series, quantity: str) -> str:
    digits = 1 if quantity in ("denied", "before_after") else 2
    values = [row[quantity, account] for account in ACCOUNTS]
    return " / ".join(_number(v, digits) for v in values)


def _number(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}"  # no minus before a zero


def _apart(results: pd.DataFrame) -> list[str]:
    """Return the table of what other data would show."""
    figure = Programme.named("prakerja").figure("evaluations.jpal_2021.employed")
    most = 100 * NULL / figure.number
    mine = results[results["part"] == "apart"]
    out = [
        "## What data would tell them apart",
        "",
        "Expected values under each account, in points or percent; Lee's bounds are means over the "
        "first draws, the offer moving response in one direction.",
        "",
        "| survey | what it would show | selective response | non-receipt |",
        "|---|---|---:|---:|",
    ]
    for scenario, quantity, name in APART:
        rows = mine[(mine["scenario"] == scenario) & (mine["quantity"] == quantity)]
        values = rows.set_index("account")["value"]
        cells = [_number(values[account], 2) for account in ACCOUNTS]
        out.append(f"| {TITLES[scenario].lower()} | {name} | {' | '.join(cells)} |")
    return [
        *out,
        "",
        f"If the whole gap is an effect on those whom a phone survey can reach, they are at most "
        f"{NULL} / {figure.number:g} = {most:.1f} % of those selected: with more of them, the "
        f"national effect would be above {NULL} points.",
        "",
        "The national effect on those in the phone's frame rests on the few of 400,000 people who "
        "are in it: its Monte Carlo error is about 0.2 points, and the value is that of the phone "
        "sample. The survey that found the published effect was online; it has reminders where a "
        "telephone survey has calls.",
    ]


def drawing(results: pd.DataFrame, path: Path) -> None:
    """Draw the three answers under both accounts beside the published ones."""
    figure = Programme.named("prakerja").figure
    rows = (
        ("phone_sample", "before_after", "Before and after,\nrecipients by phone"),
        ("phone_sample", "employed", "Lottery,\nphone sample"),
        ("matched_national", "employed", "Lottery, matched\nnational survey"),
    )
    published = [
        figure("evaluations.cyrus_2021.before_after").number,
        figure("evaluations.jpal_2021.employed").number,
        None,
    ]
    drawn = results[results["part"] == "draws"]
    with styled():
        canvas, (axis,) = new(2.9)
        for place, ((scenario, quantity, _), known) in enumerate(zip(rows, published, strict=True)):
            y = len(rows) - 1 - place
            if known is None:
                style = {"color": MUTED, "lw": 5, "solid_capstyle": "butt"}
                axis.plot([-NULL, NULL], [y, y], label="Published: none detectable", **style)
            else:
                axis.plot([known], [y], marker="|", ms=20, mew=2, color=INK, ls="")
            styles = zip(ACCOUNTS, (BLUE, VERMILION), (0.13, -0.13), strict=True)
            for account, colour, shift in styles:
                chosen = (drawn["scenario"] == scenario) & (drawn["account"] == account)
                value = drawn[chosen & (drawn["quantity"] == quantity)]["value"].iloc[0]
                label = NAMES[account].capitalize() if place == 0 else None
                axis.plot([value], [y + shift], marker="o", ms=6, color=colour, ls="", label=label)
        axis.plot([], [], marker="|", ms=12, mew=2, color=INK, ls="", label="Published")
        axis.axvline(0, color=MUTED, lw=0.8)
        axis.set_yticks(range(len(rows))[::-1], [name for _, _, name in rows])
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.set_xlabel("Work, points (dots: simulated studies)")
        axis.legend(loc="lower right", frameon=False, fontsize=9)
        canvas.savefig(path, format="svg", metadata={"Date": None})
