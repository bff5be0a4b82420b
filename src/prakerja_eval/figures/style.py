"""How do all figures look? One palette, one type, one way to draw an axis."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

from prakerja_eval.language import Catalogue

# Okabe and Ito (2008), told apart by people with any colour vision.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#007E5D", "#AA4A88"
SKY, ORANGE = "#56B4E9", "#E69F00"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
INK, MUTED, LINE, BAND = "#1b1f24", "#57606a", "#d0d7de", "#dcebf5"
LETTERS = 47  # in a line
SCREEN_DOTS_PER_INCH = 110
WIDTH = 4.6  # inches: a phone shows it at about two thirds of its size
SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.labelsize": 10.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "prakerja_eval",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "path.simplify": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the house style, whatever settings the session has, and leave these untouched."""
    base: dict[Any, Any] = {
        k: v for k, v in mpl.rcParamsDefault.items() if k.split(".")[0] in _PARTS
    }
    with mpl.rc_context(base | SETTINGS):
        yield


_PARTS = {
    *("axes", "font", "xtick", "ytick", "text", "lines", "patch", "figure", "savefig"),
    *("svg", "path", "legend", "grid", "hatch", "markers", "errorbar", "hist", "mathtext"),
}


@contextmanager
def _any_letter() -> Iterator[None]:
    """Say nothing of a letter that the font lacks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
        yield


class Drawing(Figure):
    """A figure that a notebook shows by itself, without pyplot.

    A letter that DejaVu Sans lacks (Chinese, say) is drawn as a box, without a warning.
    """

    def draw(self, renderer: RendererBase) -> None:
        """Draw everything on a renderer."""
        with _any_letter():
            super().draw(renderer)

    def get_tightbbox(self, renderer: RendererBase | None = None, **options: Any) -> Bbox:
        """Return the box around everything, in inches."""
        with _any_letter():
            return super().get_tightbbox(renderer, **options)

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        with styled():
            self.savefig(buffer, format="png", dpi=SCREEN_DOTS_PER_INCH)
        return buffer.getvalue()


def new(height: float, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure of the house's width, and its axes from top to bottom."""
    figure = Drawing(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(rows, 1, squeeze=False, sharex=True)
    return figure, [grid[i, 0] for i in range(rows)]


def number_axis(axis: Axes, catalogue: Catalogue, digits: int, which: str = "x") -> None:
    """Print the ticks of an axis in the language's number format; no step needs a digit more."""
    side = axis.xaxis if which == "x" else axis.yaxis
    side.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    side.set_major_formatter(FuncFormatter(lambda value, _: catalogue.number(value, digits)))


def tick_digits(low: float, high: float) -> int:
    """Return the digits that the ticks between two values need."""
    span = abs(high - low)
    return 0 if span >= 8 else 1 if span >= 0.8 else 2


def halo() -> list[AbstractPathEffect]:
    """Return a white edge that keeps letters readable where they cross a line."""
    return [withStroke(linewidth=2.5, foreground="white", alpha=0.85)]


def mark_synthetic(figure: Figure, catalogue: Catalogue, synthetic: bool) -> None:
    """Say on the figure itself that its data are simulated."""
    if synthetic:
        figure.suptitle(
            catalogue.text("figure.synthetic"),
            x=0.99,
            ha="right",
            fontsize=10,
            color=VERMILION,
            style="italic",
        )
