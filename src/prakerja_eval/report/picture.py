"""How is a figure of the report kept until it stands on the page?"""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the report.

    Attributes
    ----------
    section : str
        Where it stands: "answers", "paths", "adoption", "over_time", "cells", "two_way", ...
    name : str
        File name without ending.
    about : str
        The outcome or entry that it shows.
    figure : matplotlib.figure.Figure
    caption, alt : str
    """

    section: str
    name: str
    about: str
    figure: Any
    caption: str
    alt: str


def slug(text: str) -> str:
    """Return a name as it can stand in a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower() or "x"
