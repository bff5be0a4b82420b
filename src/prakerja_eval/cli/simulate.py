"""Which people would a programme have, and what would it do? A folder of synthetic data."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from prakerja_eval.cli.say import printable, say
from prakerja_eval.errors import UsageError

if TYPE_CHECKING:
    from prakerja_eval.synthetic import Scenario

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = (
    click.option("--scenario", help="Name of one that ships (see --list), or a TOML file."),
    click.option("--account", help="Account of the conflict between the published answers."),
    click.option(
        "--without", multiple=True, metavar="LAYER",
        help="Layer that is switched off; give it again for several.",
    ),
    click.option("--applicants", type=int, default=10_000, show_default=True, help="People."),
    click.option("--seed", type=int, default=0, show_default=True),
    click.option("--out", type=click.Path(path_type=Path), help="Folder to write."),
    click.option(
        "--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet",
        show_default=True, help="Of the panel and the applications.",
    ),
    click.option(
        "--lang", type=click.Choice(["en", "id"]), default="en", show_default=True,
        help="Of the codebook.",
    ),
    click.option("--list", "listing", is_flag=True, help="Print the scenarios that ship."),
    click.option("--show", is_flag=True, help="Print the scenario as TOML, to copy and change."),
)  # fmt: skip


def _options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@_options
def simulate(**given: Any) -> None:
    """Write a synthetic programme whose effects are known: panel, applications and truth.

    The folder also holds the scenario, a codebook, a study file that `prakerja-eval report` runs
    as it is, and a manifest.
    """
    if given["listing"]:
        say("\n".join(_listed()))
    elif given["show"]:
        say(_scenario(given).to_toml().rstrip("\n"))
    else:
        _simulate(_scenario(given), given)


def _listed() -> list[str]:
    """Return the scenarios that ship, a line each: name, account, title."""
    from prakerja_eval.synthetic import Scenario

    found = [Scenario.named(name) for name in Scenario.names()]
    width = max(len(s.name) for s in found)
    others = ", ".join(Scenario.accounts())
    titles = [
        s.title + (f" (account: {s.account}; of {others})" if s.account else "") for s in found
    ]
    return [f"{s.name:<{width}}  {title}" for s, title in zip(found, titles, strict=True)]


def _scenario(given: dict[str, Any]) -> "Scenario":
    """Return the scenario that was asked for.

    Raises
    ------
    UsageError
    """
    from prakerja_eval.synthetic import Scenario

    name, account = given["scenario"], given["account"]
    if name is None:
        raise UsageError(
            "name a scenario: --scenario phone_sample, or a TOML file; `prakerja-eval simulate "
            "--list` prints those that ship."
        )
    if not name.lower().endswith(".toml"):
        return Scenario.named(name, account).without(*given["without"])
    if account is not None:
        raise UsageError(
            "--account chooses that of a scenario that ships; in a file, write account = "
            f'"{account}".'
        )
    return Scenario.read(name).without(*given["without"])


def _simulate(scenario: "Scenario", given: dict[str, Any]) -> None:
    """Write the folder, whole or not at all."""
    if given["out"] is None:
        raise UsageError("name a folder to write: --out data/simulated.")
    from prakerja_eval.report.folder import Kind, writable_target, write_whole
    from prakerja_eval.synthetic.made import listed, refuse_changed
    from prakerja_eval.synthetic.stream import Order, fill

    n = given["applicants"]
    order = Order(scenario, n, given["seed"], given["form"], given["lang"], _command(given))
    target = writable_target(given["out"], Kind("simulation", listed))
    refuse_changed(target, str(given["out"]))
    label, hidden = printable(scenario.name), not sys.stderr.isatty()
    with click.progressbar(length=n, label=label, file=sys.stderr, hidden=hidden) as bar:
        write_whole(target, lambda folder: fill(folder, order, bar.update))
    say(str(given["out"]))
    say(f"  a first report: prakerja-eval report {shlex.quote(str(given['out'] / 'study.toml'))}")


def _command(given: dict[str, Any]) -> str:
    """Return the command, without the folder and without folders of this machine."""
    words = ["prakerja-eval", "simulate", "--scenario", Path(given["scenario"]).name]
    for key in ("account", "applicants", "seed"):
        if given[key] is not None:
            words += [f"--{key}", str(given[key])]
    for layer in given["without"]:
        words += ["--without", layer]
    return shlex.join([*words, "--format", given["form"], "--lang", given["lang"]])
