"""How is a figure written, so that the same input gives the same bytes?"""

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from prakerja_eval.figures.style import styled

DOTS_PER_INCH = 200
SVG_SILENT = {"Date": None, "Creator": None, "Format": None, "Type": None}


def as_svg(figure: Figure) -> bytes:
    """Return a figure as SVG with its letters drawn as paths; no date, no name of a program."""
    buffer = BytesIO()
    with styled():
        figure.savefig(buffer, format="svg", metadata=SVG_SILENT)
    return buffer.getvalue()


def save(figure: Figure, folder: str | Path, name: str) -> tuple[Path, Path]:
    """Write ``name.svg`` and ``name.png`` into a folder.

    Parameters
    ----------
    figure : Figure
    folder : path
        Made if it is not there.
    name : str
        File name without its ending.

    Returns
    -------
    tuple of Path
        The SVG and the PNG.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    svg, png = Path(folder) / f"{name}.svg", Path(folder) / f"{name}.png"
    svg.write_bytes(as_svg(figure))
    with styled():
        figure.savefig(png, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return svg, png
