"""Write the corpus: `python -m tests.corpus.build`. The texts are committed, the rest is not."""

from pathlib import Path

from .asking import Content, Entry, put
from .clean import CLEAN, NOT_COMMITTED
from .formats import FILES, TYPED, WIDE, WORKBOOKS
from .panels import KEYS, LOTTERY, ROLES, TIMING
from .people import PEOPLE
from .texts import LAYOUT, MARKS, OPTIONS
from .together import TOGETHER
from .values import CODES, MONEY, OUTCOMES

HERE = Path(__file__).parent / "files"
INDEX = Path(__file__).parent / "ENTRIES.md"
CONTRACT: tuple[Entry, ...] = (*KEYS, *ROLES, *LOTTERY, *TIMING, *OUTCOMES, *MONEY, *CODES)
READING: tuple[Entry, ...] = (*LAYOUT, *MARKS, *OPTIONS, *WORKBOOKS, *TYPED, *FILES, *WIDE)
SINGLE: tuple[Entry, ...] = (*CONTRACT, *READING, *PEOPLE)
ENTRIES: tuple[Entry, ...] = (*SINGLE, *TOGETHER)


def contents() -> dict[str, Content]:
    """Every file of the corpus, by name."""
    out: dict[str, Content] = {}
    for entry in ENTRIES:
        out |= entry.asking.files(entry.name)
    for clean in CLEAN:
        if clean.name not in NOT_COMMITTED:
            out |= clean.asking().files(clean.name)
    return out


def texts() -> dict[str, bytes]:
    """The files that are committed: those whose bytes are the same wherever they are written."""
    return {name: data for name, data in contents().items() if isinstance(data, bytes)}


def index() -> str:
    """A table of all entries: what is wrong, and what is to be found."""
    lines = [
        "# The entries of the corpus",
        "",
        "Written by `python -m tests.corpus.build`.",
        "",
        "| entry | what is wrong | found | as text |",
        "|---|---|---|---|",
    ]
    for entry in ENTRIES:
        codes = dict.fromkeys(f"`{f.code}`" for f in entry.found)
        refusal = "" if entry.error is None else f"{entry.error.__name__}"
        files = entry.asking.files(entry.name).values()
        text = "yes" if files and all(isinstance(c, bytes) for c in files) else "when tests run"
        lines.append(f"| {entry.name} | {entry.says} | {', '.join(codes) or refusal} | {text} |")
    lines += [f"| {c.name} | {c.says} | nothing | |" for c in CLEAN]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the texts and the index anew."""
    HERE.mkdir(exist_ok=True)
    for old in HERE.iterdir():
        old.unlink()
    put(texts(), HERE)
    INDEX.write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    main()
