"""A picture of a whole HTML page, as headless Chromium shows it with the network off.

Run ``python tools/screenshot.py reports/nsw/report.html page.png --width 390``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from browser import BrowserError, tab


def main() -> int:
    """Take the picture and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=1280, help="in CSS pixels")
    options = parser.parse_args()
    if not options.page.is_file():
        parser.error(f"{options.page} is not there")
    try:
        with tab() as shown:
            shown.open(options.page, options.width)
            options.picture.write_bytes(shown.screenshot())
    except BrowserError as fault:
        print(f"screenshot: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
