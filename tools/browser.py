"""What a reader of an HTML page sees: errors, requests, overflow, and text that is cut off.

A small client of the Chrome DevTools Protocol: it starts a headless Chromium, opens a local file
with the network off at a given width, and reports faults. It needs ``chromium`` on the path and
the package websocket-client; nothing here is part of the installed project.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
SECONDS = 60.0
PHONE = 600  # narrower pages are shown as a phone shows them
LOCAL = ("file:", "data:", "blob:", "about:")

# Cut off: a line of text reaches out of the page on the left, or out of an ancestor that hides
# what overflows, or out of the drawing that holds it. What scrolls inside its own box is fine.
LOOK = r"""
(() => {
  const slack = 1.5, faults = [];
  document.querySelectorAll('details').forEach(d => { d.open = true; });
  const page = document.documentElement, width = WIDTH;
  const name = e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') +
    (e.classList.length ? '.' + [...e.classList].join('.') : '');
  if (page.scrollWidth > width)
    faults.push(`overflow: the page is ${page.scrollWidth} px wide in a window of ${width} px`);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const text = node.textContent.trim(), holder = node.parentElement;
    if (!text || ['SCRIPT', 'STYLE', 'NOSCRIPT', 'TITLE', 'DESC', 'METADATA']
      .includes(holder.tagName.toUpperCase())) continue;
    if (!holder.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter(b => b.width > 0 && b.height > 0);
    for (const box of boxes) {
      let why = '', scrolls_x = false, scrolls_y = false;
      for (let e = holder; e && e !== page && !why; e = e.parentElement) {
        const style = getComputedStyle(e), r = e.getBoundingClientRect();
        if (r.width <= 1.01 && r.height <= 1.01) { why = 'read aloud only'; break; }
        if (style.display === 'inline' && !(e instanceof SVGElement)) continue;
        const hides = v => v === 'hidden' || v === 'clip';
        const scrolls = v => v === 'auto' || v === 'scroll';
        if (e === document.body) break;
        if (e instanceof SVGElement && !(e instanceof SVGSVGElement)) continue;
        if (!scrolls_x && hides(style.overflowX) &&
            (box.left < r.left - slack || box.right > r.right + slack)) why = name(e);
        if (!scrolls_y && hides(style.overflowY) &&
            (box.top < r.top - slack || box.bottom > r.bottom + slack)) why = name(e);
        scrolls_x = scrolls_x || scrolls(style.overflowX);
        scrolls_y = scrolls_y || scrolls(style.overflowY);
      }
      if (!why && !scrolls_x && box.left + scrollX < -slack) why = 'the left edge of the page';
      if (!why && !scrolls_x && box.right + scrollX > width + slack)
        why = 'the right edge of the page';
      if (why && why !== 'read aloud only') {
        faults.push(`clipped: "${text.slice(0, 60)}" by ${why}`);
        break;
      }
    }
  }
  for (const image of document.images)
    if (!image.complete || image.naturalWidth === 0)
      faults.push(`image: ${image.alt || image.src.slice(0, 60)} does not show`);
  return [...new Set(faults)];
})()
"""


class BrowserError(RuntimeError):
    """Chromium is absent or did not answer."""


def executable() -> str | None:
    """Return the path of the Chromium on this machine, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@dataclass(slots=True)
class Tab:
    """One page of a running Chromium, and the events it has sent."""

    socket: websocket.WebSocket
    session: str
    events: list[dict[str, Any]]
    last: int = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its answer."""
        self.last += 1
        message: dict[str, Any] = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") != self.last:
                self.events.append(answer)
            elif "error" in answer:
                raise BrowserError(f"{method}: {answer['error']['message']}")
            else:
                return dict(answer["result"])

    def wait(self, method: str) -> None:
        """Wait until an event has come."""
        while not any(event.get("method") == method for event in self.events):
            self.events.append(json.loads(self.socket.recv()))

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def open(self, page: Path, width: int, height: int = 900) -> None:
        """Open a local file at a width in CSS pixels, with the network off."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < PHONE,
        )
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait("Page.loadEventFired")
        self.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")

    def screenshot(self) -> bytes:
        """Return the whole page as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])


def started(process: subprocess.Popen[bytes], profile: Path) -> str:
    """Return the address at which a starting Chromium listens."""
    written = profile / "DevToolsActivePort"
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise BrowserError(f"Chromium ended at once with code {process.returncode}")
        if written.exists() and len(lines := written.read_text().split()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise BrowserError(f"Chromium did not start within {SECONDS:.0f} seconds")


@contextmanager
def tab() -> Iterator[Tab]:
    """Start a Chromium of its own, give one empty page, and end it."""
    program = executable()
    if program is None:
        raise BrowserError(f"none of {', '.join(NAMES)} is on the path")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            socket = websocket.create_connection(
                started(process, Path(folder)),
                timeout=SECONDS,
                suppress_origin=True,
                http_no_proxy=["127.0.0.1"],
            )
            try:
                browser = Tab(socket, "", [])
                target = browser.call("Target.createTarget", url="about:blank")["targetId"]
                session = browser.call("Target.attachToTarget", targetId=target, flatten=True)
                yield Tab(socket, session["sessionId"], [], browser.last)
            finally:
                socket.close()
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def spoken(event: dict[str, Any]) -> str | None:
    """Return the fault that an event of the browser tells of, if any."""
    params = event.get("params", {})
    match event.get("method"):
        case "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            said = details.get("exception", {}).get("description", details["text"])
            return f"console: {said.splitlines()[0]}"
        case "Runtime.consoleAPICalled" if params["type"] in {"error", "assert"}:
            words = (str(a.get("value", a.get("description", ""))) for a in params["args"])
            return f"console: {' '.join(words)}"
        case "Log.entryAdded" if params["entry"]["level"] == "error":
            return f"console: {params['entry']['text']}"
        case "Network.requestWillBeSent" if not params["request"]["url"].startswith(LOCAL):
            return f"request: {params['request']['url']}"
        case _:
            return None


def faults(page: Path, width: int) -> list[str]:
    """Return what is wrong with a local page at a width in CSS pixels; empty when nothing is.

    Each fault starts with its kind: ``console``, ``request`` (the page asked the network for
    something), ``overflow`` (it is wider than the window), ``clipped`` or ``image``.
    """
    with tab() as shown:
        shown.open(page, width)
        seen = shown.evaluate(LOOK.replace("WIDTH", str(width)))
        heard = [said for event in shown.events if (said := spoken(event))]
        return list(dict.fromkeys([*heard, *seen]))
