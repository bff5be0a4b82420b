"""What does the page say, and where? The report as one self-contained HTML file."""

import base64
import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from prakerja_eval.language import Catalogue
from prakerja_eval.report import lottery, methods, over_time, summary
from prakerja_eval.report.manifest import Manifest
from prakerja_eval.report.picture import Picture
from prakerja_eval.report.sheet import Sheet
from prakerja_eval.study import Results

SECTIONS = (
    *(
        "summary",
        "answers",
        "lottery",
        "flow",
        "paths",
        "adoption",
        "over_time",
        "two_way",
        "overlap",
    ),
    *("balance", "impact", "methods"),
    *("limits", "warnings", "glossary", "reproduce"),
)

CHECK = "prakerja-eval verify ."


@dataclass(frozen=True, slots=True)
class Parts:
    """What a page is put together from: drawn figures, tables, and the manifest so far."""

    pictures: tuple[Picture, ...]
    sheets: tuple[Sheet, ...]
    manifest: Manifest
    figures: Path


def page(results: Results, parts: Parts, words: Catalogue) -> str:
    """Return the report as HTML: style and figures inline, no script, no request."""
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["t"] = words.text
    template = environment.get_template("report.html.jinja")
    return template.render(_context(results, parts, words))


def _read(name: str) -> str:
    home = resources.files("prakerja_eval.report").joinpath("templates")
    return home.joinpath(name).read_text(encoding="utf-8")


def _context(results: Results, parts: Parts, words: Catalogue) -> dict[str, object]:
    placebos = summary.placebos(results, words)
    return {
        "language": words.language,
        "style": Markup(_read("style.css")),
        "plan": results.plan,
        "assumed": results.assumed,
        "level": words.percent(results.plan.level),
        "benchmark": summary.benchmark_word(results.plan, words),
        "compared": bool(results.agreements),
        "summaries": summary.summaries(results, words),
        "placebos": placebos,
        "placebo_count": summary.placebo_count(placebos, words),
        "placebo_verdicts": [
            k for k in ("fails", "passes") if any(p.verdict == k for p in placebos)
        ],
        "sections": _sections(results, parts),
        "figures": lambda section: _figures(parts, section),
        "tables": lambda section: [
            Markup(s.table.to_html()) for s in parts.sheets if s.section == section
        ],
        "captions": lambda section: [s.table.caption for s in parts.sheets if s.section == section],
        "tests_counted": over_time.tests_counted(results, words),
        "before": over_time.before_treatment(results, words),
        "breaks": over_time.breaks(results, words),
        "two_way": over_time.two_way(results, words),
        "chapter": lottery.chapter(results, words),
        "alarms": lottery.alarms(results, words),
        "methods": methods.methods(results, words),
        "limits": methods.limits(results, words),
        "warnings": methods.warnings(results, words),
        "glossary": methods.glossary(results, words),
        "randomness": methods.randomness(results, words),
        "manifest": parts.manifest,
        "command": command(parts.manifest),
        "check": CHECK,
    }


def _sections(results: Results, parts: Parts) -> list[str]:
    """Return the sections that have something in them."""
    filled = {p.section for p in parts.pictures} | {s.section for s in parts.sheets}
    if results.over_time is not None and len(results.over_time.mixture):
        filled |= {"two_way"}
    if results.lottery is not None:
        filled |= {"lottery"}
    optional = {
        "lottery",
        "flow",
        "paths",
        "adoption",
        "over_time",
        "two_way",
        "overlap",
        "balance",
    }
    return [s for s in SECTIONS if s not in optional or s in filled]


def _figures(parts: Parts, section: str) -> list[dict[str, str]]:
    """Return the figures of a section as data addresses with caption and text alternative."""
    out = []
    for picture in parts.pictures:
        if picture.section == section:
            svg = (parts.figures / f"{picture.name}.svg").read_bytes()
            source = "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
            words = {"caption": picture.caption, "alt": picture.alt, "about": picture.about}
            out.append({"source": source, **words})
    return out


def command(manifest: Manifest) -> str:
    """Return the command that makes the report again."""
    if manifest.study is None:
        return ""
    chosen = "" if manifest.language == "en" else f" --lang {manifest.language}"
    return f"prakerja-eval report {shlex.quote(manifest.study.path)}{chosen}"
