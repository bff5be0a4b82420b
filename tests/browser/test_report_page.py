"""Does the report open from disk, offline, wide and narrow, with nothing cut off and no error?"""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'


def page(folder: Path, body: str, head: str = VIEWPORT) -> Path:
    """Write a small page and return its path."""
    path = folder / "page.html"
    path.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>{head}</head>'
        f"<body>{body}</body></html>",
        encoding="utf-8",
    )
    return path


def found(path: Path, width: int) -> list[str]:
    """Return the faults of a page."""
    from browser import faults

    return faults(path, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_committed_report_shows_whole_and_silent(project_root: Path, width: int) -> None:
    report = project_root / "reports" / "nsw" / "report.html"
    assert report.is_file(), "reports/nsw/report.html is missing: run `make report`"
    assert found(report, width) == []


# The checker itself: each kind of fault is seen, and what is fine passes.

LONG = "the effect on the treated " * 30


@pytest.mark.parametrize("width", WIDTHS)
def test_a_sound_page_has_no_fault(tmp_path: Path, width: int) -> None:
    body = (
        "<h1>Effect</h1><p>" + LONG + "</p>"
        '<div style="overflow-x:auto"><table style="width:2000px"><tr><td>wide</td></tr></table>'
        "</div>"
        "<details><summary>More</summary><p>" + LONG + "</p></details>"
        '<svg viewBox="0 0 100 20" width="100" height="20"><text x="2" y="15">ok</text></svg>'
        '<span style="position:absolute;width:1px;height:1px;overflow:hidden">read aloud</span>'
        "<script>console.log('fine')</script>"
    )
    assert found(page(tmp_path, body), width) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("clipped", '<p style="width:80px;overflow:hidden;white-space:nowrap">' + LONG + "</p>"),
        ("clipped", '<div style="height:30px;overflow:hidden"><p>' + LONG + "</p></div>"),
        ("clipped", '<p style="margin-left:-60px">The first words are gone</p>'),
        (
            "clipped",
            "<style>html, body {overflow-x: clip}</style>"
            '<p style="white-space:nowrap">' + LONG + "</p>",
        ),
        (
            "clipped",
            '<svg viewBox="0 0 100 20" width="100" height="20">'
            '<text x="60" y="15">a label that is too long</text></svg>',
        ),
        (
            "clipped",
            "<details><summary>More</summary>"
            '<p style="width:80px;overflow:hidden;white-space:nowrap">' + LONG + "</p></details>",
        ),
        ("overflow", '<div style="width:3000px">wide</div>'),
        ("console", "<script>console.error('broken')</script>"),
        ("console", "<script>nothing.there()</script>"),
        ("console", '<script src="gone.js"></script>'),
        ("image", '<img alt="love plot" src="data:image/png;base64,AAAA">'),
        ("request", '<img alt="" width="1" src="https://example.invalid/pixel.png">'),
    ],
)
def test_a_faulty_page_is_seen_through(tmp_path: Path, kind: str, body: str) -> None:
    faults = found(page(tmp_path, body), 390)
    assert any(fault.startswith(kind + ":") for fault in faults), faults


def test_a_page_that_forgets_narrow_screens_overflows(tmp_path: Path) -> None:
    faults = found(page(tmp_path, "<p>text</p>", head=""), 390)
    assert any(fault.startswith("overflow:") for fault in faults), faults
