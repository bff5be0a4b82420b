"""What can be asked from a shell? Commands whose heavy imports wait until they run."""

import os
import sys
from pathlib import Path

import click

from prakerja_eval.cli.check import check
from prakerja_eval.cli.diagnose import diagnose
from prakerja_eval.cli.guard import Guarded
from prakerja_eval.cli.new import new
from prakerja_eval.cli.power import power
from prakerja_eval.cli.pseudonymise import pseudonymise
from prakerja_eval.cli.say import printable, say
from prakerja_eval.cli.simulate import simulate


@click.group(cls=Guarded, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="prakerja-eval")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
def main(debug: bool) -> None:
    """Evaluate what Kartu Prakerja did: lottery, difference-in-differences and matching."""
    del debug  # read from the context by Guarded
    # small matrices: threads of the linear algebra library cost more than they give
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@main.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Report folder [reports/<study>].")
@click.option("--lang", type=click.Choice(["en", "id"]), default="en", show_default=True)
def report(study: Path, out: Path | None, lang: str) -> None:
    """Run STUDY (a TOML file) and write its report, figures, tables and manifest."""
    from prakerja_eval.report import report as write
    from prakerja_eval.report.folder import writable_target
    from prakerja_eval.study import Study

    plan = Study.read(study)
    target = out or Path("reports") / study.stem
    writable_target(target)  # before the work, and not after it
    entries = len(plan.plan.estimates)
    label, hidden = printable(study.name), not sys.stderr.isatty()
    bar = click.progressbar(length=entries, label=label, file=sys.stderr, hidden=hidden)
    with bar as progress:
        results = plan.run(lambda _name: progress.update(1))
    for note in results.assumed:
        say(f"assumed: {note}", err=True)
    made = write(results, target, language=lang, study_path=study)
    say(str(made.folder / "report.html"))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def verify(folder: Path) -> None:
    """Run the study of a report FOLDER again and compare it with what is there."""
    from prakerja_eval.report import verify as check

    outcome = check(folder)
    outcome.raise_if_drifted()
    say(f"{folder}: every number is the same.")


main.add_command(check)
main.add_command(diagnose)
main.add_command(new)
main.add_command(power)
main.add_command(pseudonymise)
main.add_command(simulate)


if __name__ == "__main__":
    sys.exit(main())
