"""What does a person see when something goes wrong? One message, and the exit code that fits."""

import re
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from prakerja_eval.cli.say import say
from prakerja_eval.errors import DataError, PrakerjaEvalError

BUG = 1
INTERRUPTED = 130
READING = re.compile(
    r"(?<![-\w])(?:ReadOptions\()?"
    r"(drop|text|delimiter|decimal|thousands|encoding|header|sheet|dates|codebook)="
)


class Guarded(click.Group):
    """Turn failures into one message on stderr and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; ``--debug`` lets the traceback through."""
        try:
            with _stopped_as_interrupted():
                return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except PrakerjaEvalError as error:
            self._end(ctx, f"{error}{how_to_name(str(error))}", error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            self._end(ctx, "interrupted; nothing is half written.", INTERRUPTED)
        except MemoryError:
            text = "the data do not fit into the memory of this computer: leave columns out (drop)."
            self._end(ctx, text, DataError.exit_code)
        except Exception as error:  # whatever it says may hold cells of the data
            text = (
                f"this is a bug of prakerja-eval ({type(error).__name__}), and not your mistake; "
                "nothing is half written. Please report it with what "
                "`prakerja-eval --debug ...` shows, which may hold cells of your data."
            )
            self._end(ctx, text, BUG)

    def _end(self, ctx: click.Context, text: str, code: int) -> None:
        """Say what happened and leave."""
        if ctx.params.get("debug"):
            say(traceback.format_exc(), err=True)
        say(f"prakerja-eval: {text}", err=True)
        ctx.exit(code)


def how_to_name(message: str) -> str:
    """Return where an option of reading that a message names is written; nothing if none is."""
    named = dict.fromkeys(READING.findall(message))
    missing = [name for name in named if f"--{name}" not in message]
    if not missing:
        return ""
    shell = " ".join(f"--{name} ..." for name in missing)
    return (
        f"\nWhere to name it: `{shell}` after check, new or pseudonymise; "
        f"`{missing[0]} = ...` under [reading] in a study file."
    )


@contextmanager
def _stopped_as_interrupted() -> Iterator[None]:
    """Let a request to stop (SIGTERM, a closed terminal) tidy up as Ctrl-C does."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
