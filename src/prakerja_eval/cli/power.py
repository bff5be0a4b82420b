"""Which effect would a planned lottery see? A short table, and the curve as a picture."""

import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from prakerja_eval.cli.say import say
from prakerja_eval.errors import UsageError

if TYPE_CHECKING:
    from prakerja_eval.language import Catalogue
    from prakerja_eval.lottery.power import Detectable
    from prakerja_eval.lottery.power_design import PowerDesign

Command = TypeVar("Command", bound=Callable[..., Any])

ENDINGS = (".png", ".svg")
FIELD = re.compile(r"lottery\.(?:PowerDesign|needed)(?:\((\w+)\))?")
THOUSANDS = re.compile(r"\d{1,3}([.,]\d{3})+")
DECIMAL_COMMA = re.compile(r"0,\d+")
NAMES = {"covariate_r2": "r2", "block_weights": "weights", "reference": "quantiles"}
OPTIONS = (
    click.option("--n", help="People in the lottery; with commas, those of each block."),
    click.option("--odds", default="0.5", show_default=True, help="Share that wins, or by block."),
    click.option("--sd", help="Standard deviation of the outcome, or by block [1]."),
    click.option("--unit", default="", help="Unit of the outcome: rupiah, share, ..."),
    click.option(
        "--take-up", "take_up", type=float, default=1.0, show_default=True,
        help="Share treated among winners less that among losers.",
    ),
    click.option(
        "--attrition", default="0", show_default=True,
        help="Share without an outcome; with a comma, of winners and of losers.",
    ),
    click.option("--r2", type=float, default=0.0, help="Variance that covariates explain [0]."),
    click.option("--cluster-size", type=float, help="Mean people of a cluster that wins whole."),
    click.option("--clusters", type=float, help="Number of clusters, instead of their size."),
    click.option("--icc", type=float, default=0.0, help="Intracluster correlation [0]."),
    click.option("--size-cv", type=float, default=0.0, help="Variation of cluster sizes [0]."),
    click.option("--cluster-r2", type=float, help="Variance between clusters explained [--r2]."),
    click.option(
        "--weights", type=click.Choice(["population", "treated", "strata_fe"]),
        default="population", show_default=True, help="Weights of the blocks.",
    ),
    click.option("--alpha", type=float, default=0.05, show_default=True, help="Size of the test."),
    click.option("--one-sided", is_flag=True, help="Test against one side."),
    click.option(
        "--quantiles", type=click.Choice(["normal", "t", "satterthwaite"]),
        help="Of the test [normal; with clusters satterthwaite].",
    ),
    click.option("--effect", type=float, help="An effect of the offer, in the outcome's unit."),
    click.option("--effect-treatment", type=float, help="An effect of treatment instead."),
    click.option("--power", type=float, default=0.8, show_default=True, help="Power asked for."),
    click.option("--plot", type=click.Path(path_type=Path), help="Draw the curve: .png or .svg."),
    click.option("--lang", type=click.Choice(["en", "id"]), default="en", show_default=True),
)  # fmt: skip


def _options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@_options
def power(**given: Any) -> None:
    """Say which effect a lottery detects: blocks, clusters, unequal odds, take-up, attrition.

    Effects are in standard deviations of the outcome, unless --sd says how large one is.
    """
    if given["plot"] is not None:
        _refuse_unwritable(given["plot"])  # before the work, and not after it
    from prakerja_eval.language import Catalogue
    from prakerja_eval.lottery.power import mde

    words = Catalogue.named(given["lang"])
    with _options_named():
        design = _design(given)
        least = mde(design, given["power"])
        text = "\n".join(_lines(design, least, given, words))
    if given["plot"] is not None:
        _write(given["plot"], _picture(design, given, words))
    say(text)
    if given["plot"] is not None:
        say(str(given["plot"]))


@contextmanager
def _options_named() -> Iterator[None]:
    """Name the option of the shell where a refusal names a field of the plan."""
    try:
        yield
    except UsageError as error:
        raise UsageError(FIELD.sub(_option, str(error))) from error


def _option(found: re.Match[str]) -> str:
    field = found[1]
    return f"--{NAMES.get(field, field).replace('_', '-')}" if field else "the plan"


def _design(given: dict[str, Any]) -> "PowerDesign":
    """Return the plan that was given on the command line."""
    from prakerja_eval.lottery.power_design import PowerDesign

    if given["n"] is None:
        raise UsageError("power needs the people in the lottery: --n 6000.")
    n = _numbers(given["n"], "--n")
    size, count = given["cluster_size"], given["clusters"]
    if size is not None and count is not None:
        raise UsageError("give either --cluster-size or --clusters: one follows from the other.")
    if count is not None:
        if not (math.isfinite(count) and count > 0):
            raise UsageError(f"--clusters is {count:g}; give how many clusters are drawn.")
        size = sum(n) / count
    lost = _numbers(given["attrition"], "--attrition")
    return PowerDesign(
        n=n,
        odds=_numbers(given["odds"], "--odds"),
        sd=_numbers(given["sd"] or "1", "--sd"),
        block_weights=given["weights"],
        covariate_r2=given["r2"],
        cluster_r2=given["cluster_r2"],
        take_up=given["take_up"],
        attrition=lost if len(lost) > 1 else lost[0],  # type: ignore[arg-type]
        cluster_size=size,
        icc=given["icc"],
        size_cv=given["size_cv"],
        alpha=given["alpha"],
        two_sided=not given["one_sided"],
        reference=given["quantiles"],
    )


def _numbers(text: str, option: str) -> tuple[float, ...]:
    """Return the numbers of a list with commas between.

    Raises
    ------
    UsageError
    """
    wrong = THOUSANDS if option == "--n" else DECIMAL_COMMA
    if wrong.fullmatch(text.strip()):
        raise UsageError(
            f"{option} is {text!r}, which can be read in two ways: write thousands without a mark "
            "(4000), decimals with a point (0.3), and several numbers with a comma and a space."
        )
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"{option} is {text!r}; give a number, or several with commas between and a point as "
            "the decimal mark."
        ) from error


def _lines(
    design: "PowerDesign", least: "Detectable", given: dict[str, Any], words: "Catalogue"
) -> Iterator[str]:
    """Yield the plan, the least effects as a table, and what a given effect takes."""
    yield _sentence(_plan(design, least, words))
    if design.by_clusters:
        count, icc = words.number(least.n_clusters), words.number(design.icc, 3)
        yield _sentence(words.text("power.clusters", count=count, icc=icc))
    yield ""
    sides = words.text("power.sides_two" if design.two_sided else "power.sides_one")
    wanted = words.percent(least.power)
    yield words.text("power.least", power=wanted, alpha=words.percent(least.alpha, 1), sides=sides)
    yield from _table(design, least, given, words)
    if math.isfinite(least.df):
        yield words.text("power.quantiles_t", df=words.number(least.df, 1))
    else:
        yield words.text("power.quantiles_normal")
    for option, on in (("effect", "offer"), ("effect_treatment", "treatment")):
        if given[option] is not None:
            yield _asked(design, given, (given[option], on), words)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _plan(design: "PowerDesign", least: "Detectable", words: "Catalogue") -> str:
    share = float(design.assigned()[0].sum()) / design.people
    return words.text(
        "power.lottery",
        n=words.number(least.n),
        n_observed=words.number(least.n_observed),
        odds=words.percent(share, 1),
    )


def _table(
    design: "PowerDesign", least: "Detectable", given: dict[str, Any], words: "Catalogue"
) -> Iterator[str]:
    """Yield the rows in standard deviations, and in the outcome's unit where one is known."""
    from prakerja_eval.language import Measure
    from prakerja_eval.language.catalogue import unit_name

    rows = {
        "of_offer": (least.itt_sd, least.itt),
        "of_treatment": (least.tot_sd, least.tot),
        "std_error": (least.std_error / design.outcome_sd, least.std_error),
    }
    measure = Measure.of(given["unit"], [least.itt, least.tot])
    names = {key: words.text(f"power.{key}") for key in rows}
    cells = {key: [words.number(sd, 4)] for key, (sd, _) in rows.items()}
    head = [words.text("power.sd")]
    if given["sd"] is not None:
        head.append(unit_name(words, given["unit"]) or words.text("power.unit"))
        for key, (_, value) in rows.items():
            cells[key].append(words.shown(value, measure))
    left = max(map(len, names.values()))
    widths = [max(len(h), *(len(c[i]) for c in cells.values())) for i, h in enumerate(head)]
    for name, row in [("", head), *((names[key], cells[key]) for key in rows)]:
        shown = "".join(f"  {cell:>{w}}" for cell, w in zip(row, widths, strict=True))
        yield f"  {name:<{left}}{shown}"


def _asked(
    design: "PowerDesign", given: dict[str, Any], effect: tuple[float, Any], words: "Catalogue"
) -> str:
    """Say with which power an effect is found, and how many people it takes."""
    from prakerja_eval.language import Measure
    from prakerja_eval.lottery.power import needed, power

    size, on = effect
    people = needed(design, size, given["power"], on)
    clusters = ""
    if design.cluster_size is not None:
        count = words.number(round(people / design.cluster_size))
        clusters = words.text("power.needed_clusters", count=count)
    unit = given["unit"] if given["sd"] is not None else words.text("power.sd")
    return words.text(
        "power.at" if on == "offer" else "power.at_treatment",
        effect=words.effect(size, Measure.of(unit, [size])),
        power=words.percent(power(design, size, on), 1),
        wanted=words.percent(given["power"]),
        n=words.number(people),
        clusters=clusters,
    )


def _picture(design: "PowerDesign", given: dict[str, Any], words: "Catalogue") -> bytes:
    """Return the curve, on the axis of the effect that was asked about."""
    from io import BytesIO

    from prakerja_eval.figures import as_svg
    from prakerja_eval.figures import power_curve as draw
    from prakerja_eval.figures.save import DOTS_PER_INCH
    from prakerja_eval.figures.style import styled
    from prakerja_eval.lottery.power import power_curve

    only_treatment = given["effect_treatment"] is not None and given["effect"] is None
    frame = power_curve(design, on="treatment" if only_treatment else "offer")
    unit = given["unit"] if given["sd"] is not None else ""
    if given["sd"] is not None and not unit:
        unit = words.text("power.unit")
    figure = draw(frame, power=given["power"], unit=unit, catalogue=words)
    if given["plot"].suffix.lower() == ".svg":
        return as_svg(figure)
    buffer = BytesIO()
    with styled():
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def _refuse_unwritable(path: Path) -> None:
    """Refuse a picture of another kind, and a place where none can be written.

    Raises
    ------
    UsageError
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"--plot {path.name!r} ends in neither .png nor .svg; choose one of both.")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(f"--plot {str(path)!r} cannot be written there; name a file in a folder.")


def _write(path: Path, picture: bytes) -> None:
    """Write a file whole or not at all."""
    from prakerja_eval.report.folder import umask

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(picture)
        Path(name).chmod(0o666 & ~umask())
        Path(name).replace(path)
    except BaseException as error:
        with suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):
            raise UsageError(f"--plot {str(path)!r}: {error.strerror}.") from error
        raise
