"""How is a word brought to the terminal? Safe to show, and no fault if nobody listens."""

import json
import os
import re
import sys
from contextlib import suppress
from typing import Any

import click

from prakerja_eval.errors import UsageError

# all that moves a cursor, writes a window's title, turns the direction of text or is not seen:
# control characters but for the line break, marks of direction and of width zero, half characters
UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    r"""Return text in which names from data cannot steer a terminal: \u001b for an escape.

    What stands in JSON stays JSON, since such a character is only found inside its strings.
    """
    return UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def one_line(text: str) -> str:
    r"""Return a text without line breaks, which are shown as \n."""
    return text.replace("\n", "\\n")


def say(text: str, *, err: bool = False) -> None:
    """Print text to stdout, or to stderr.

    Raises
    ------
    UsageError
        If stdout takes no more, such as a file on a full disk. Where the reader has gone
        (``| head``) the rest is said to nobody.
    """
    stream: Any = sys.stderr if err else sys.stdout
    if stream is None:
        return
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    try:
        click.echo(printable(text), file=stream)
    except BrokenPipeError:
        _silence(stream)
    except OSError as error:
        _silence(stream)
        if not err:
            raise UsageError(
                f"the answer cannot be printed ({error.strerror}): make room where it goes."
            ) from error


def _silence(stream: Any) -> None:
    """Send what is left in a stream nowhere, so that the end of Python does not fail on it."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
