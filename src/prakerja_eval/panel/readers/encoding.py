"""Which characters do the bytes of a text file stand for? Told, marked, or found out and said."""

import codecs
import re
from pathlib import Path

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.table import Note

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OTHERS = (
    (
        "a web page (HTML) or XML",
        re.compile(rb"<(?:!doctype|!--|\?xml|html\b|head\b|body\b|table\b|meta\b)"),
    ),
    ("JSON", re.compile(rb'(?:\{\s*["}]|\[\s*[\[{"\]\d-])')),
    ("a PDF", re.compile(rb"%pdf-")),
)
HEAD = 200
CONTROLS = bytes(b for b in (*range(32), 127) if b not in b"\t\n\r")


def utf8_of(path: Path, options: ReadOptions) -> tuple[bytes, tuple[Note, ...]]:
    r"""Return a text file as UTF-8 without a byte order mark, lines ended by ``\n``.

    Raises
    ------
    DataError
        If the file cannot be opened, is empty, or is not text in the encoding.
    UsageError
        If ``options.encoding`` is no encoding.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name!r} cannot be read: {error.strerror}.") from error
    notes: tuple[Note, ...] = ()
    if options.encoding is not None:
        data = _named(data, options.encoding, path.name)
    else:
        data, notes = _found(data, path.name)
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        raise DataError(_not_text(path.name))
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not data or data.isspace():
        raise DataError(f"{path.name!r} cannot be read: it is empty. Export it again.")
    _refuse_other_kinds(data, path.name)
    return data, notes


def _refuse_other_kinds(data: bytes, name: str) -> None:
    """Refuse a web page or JSON under the ending of a text file."""
    head = data[:HEAD].lstrip().lower()
    kind = next((kind for kind, pattern in OTHERS if pattern.match(head)), None)
    if kind is not None:
        raise DataError(
            f"{name!r} is {kind}, not a table of cells between delimiters, whatever its ending "
            "says. Download or export it again as CSV."
        )


def _not_text(name: str) -> str:
    return (
        f"{name!r} is not a text file, or not in an encoding that shows itself (UTF-8, or UTF-16 "
        "with a mark). Export it as UTF-8, or name encoding= (such as 'utf-16' or 'cp1252')."
    )


def _named(data: bytes, encoding: str, name: str) -> bytes:
    """Decode as told."""
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError as error:
        raise DataError(
            f"{name!r} is not text in encoding={encoding!r}; name another, or leave it out."
        ) from error
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"encoding={encoding!r} is not known; common ones are 'utf-8', 'utf-16' and 'cp1252'."
        ) from error


def _found(data: bytes, name: str) -> tuple[bytes, tuple[Note, ...]]:
    """Decode by the mark at the start, as UTF-8, or else as cp1252."""
    marked = next((encoding for mark, encoding in MARKS if data.startswith(mark)), None)
    try:
        if marked is not None and not marked.startswith("utf-8"):
            return data.decode(marked).encode("utf-8"), ()
        data.decode("utf-8")
        return data, ()
    except UnicodeError as error:
        if marked is not None or len(data.translate(None, CONTROLS)) != len(data):
            raise DataError(_not_text(name)) from error
    try:
        text = data.decode("cp1252")
    except UnicodeError as error:
        raise DataError(_not_text(name)) from error
    note = Note(
        "encoding",
        "The file is not UTF-8; it was read as Windows text (cp1252). If accented letters look "
        "wrong, name encoding=.",
    )
    return text.encode("utf-8"), (note,)
