"""Bad inputs as people make them: how each is built, its exit code and the words to be said."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from makes import MAKES, survey
from study_files import STUDY, people, write_study

Arguments: TypeAlias = list[object]
LOCKED_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
LOCKED_WORKBOOK += "EncryptedPackage".encode("utf-16-le") + bytes(1000)
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200)
HEAD, LOTTERY, MATCHING, DID = STUDY.split("[[estimates]]")


@dataclass(frozen=True, slots=True)
class Case:
    """A bad input: in words, its exit code, what the message must hold, how it is built."""

    name: str
    code: int
    said: str
    build: Callable[[Path], Arguments]

    @property
    def row(self) -> str:
        """Return the case as a row of docs/methods/exit-codes.md."""
        said = self.said.replace("|", "\\|").replace("*", "\\*")
        return f"| {self.name} | {self.code} | {said} |"


def nik(i: int) -> str:
    """Return a number that has the form of a NIK."""
    return f"32010{i % 9 + 1}{i % 28 + 1:02d}0291{i:04d}"


def small(path: Path) -> Path:
    """Write twenty people to a file."""
    people(20).to_csv(path, index=False)
    return path


def file(path: Path, content: bytes | str) -> Path:
    """Write bytes or text."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def check(name: str, content: bytes | str) -> Callable[[Path], Arguments]:
    """Check a file of this content."""
    return lambda d: ["check", file(d / name, content)]


def ask(*options: object, command: str = "check") -> Callable[[Path], Arguments]:
    """Give options beside twenty people; a text that begins with @ is a path in the folder."""
    return lambda d: [command, small(d / "a.csv"), *(_at(d, o) for o in options)]


def _at(folder: Path, option: object) -> object:
    text = str(option)
    return folder / text[1:] if text.startswith("@") else option


def half(name: str) -> Callable[[Path], Arguments]:
    """Check the first half of a file."""

    def build(d: Path) -> Arguments:
        path = MAKES[name](survey(), d / name)
        content = path.read_bytes()
        return ["check", file(path, content[: len(content) // 2])]

    return build


def study(old: str, new: str) -> Callable[[Path], Arguments]:
    """Report a study file in which something stands in the place of something else."""
    assert old in STUDY
    return lambda d: report(d, STUDY.replace(old, new, 1))


def data(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], Arguments]:
    """Report a study of changed data."""
    return lambda d: report(d, frame=change(people()))


def report(d: Path, text: str = STUDY, frame: pd.DataFrame | None = None) -> Arguments:
    """Report a study of this text and data."""
    return ["report", write_study(d, text, frame), "--out", d / "out"]


def target(make: Callable[[Path], Path]) -> Callable[[Path], Arguments]:
    """Report a good study to a bad target."""
    return lambda d: [*report(d)[:2], "--out", make(d)]


def pseudonymise(frame: pd.DataFrame, columns: str) -> Callable[[Path], Arguments]:
    """Write pseudonyms of a file with a new key in a folder of its own."""

    def build(d: Path) -> Arguments:
        for name in ("raw", "keys"):
            (d / name).mkdir()
        frame.to_csv(d / "raw" / "a.csv", index=False)
        key = d / "keys" / "k"
        named = ["--columns", columns, "--key", key, "--new-key", "--out", d / "raw" / "b.csv"]
        return ["pseudonymise", d / "raw" / "a.csv", *named]

    return build


def winners(n: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Keep some winners and all losers."""
    return lambda f: f[(f["won"] == 0) | f["person_id"].isin(f["person_id"].unique()[:n])]


def text_in_income(f: pd.DataFrame) -> pd.DataFrame:
    """Write words into a cell of income."""
    f = f.astype({"income": object})
    f.loc[3, "income"] = "tidak tahu"
    return f


def damaged_ids(d: Path) -> Arguments:
    """Report ids that were floating-point numbers in a Parquet file."""
    f = people()
    f["person_id"] = pd.factorize(f["person_id"])[0] + 3.2e16
    f.to_parquet(d / "p.parquet")
    return report(d, STUDY.replace("people.csv", "p.parquet"))


def rounded_ids(f: pd.DataFrame) -> pd.DataFrame:
    """Write ids as a spreadsheet writes long numbers."""
    return f.assign(person_id=[f"3.2010{i % 9}E+15" for i in range(len(f))])


def separating(f: pd.DataFrame) -> pd.DataFrame:
    """Make the age tell who won."""
    return f.assign(age=30 + 10 * f["won"])


def with_hp(f: pd.DataFrame) -> pd.DataFrame:
    """Add mobile numbers."""
    return f.assign(no_hp=[f"0812{i:08d}" for i in range(len(f))])


def foreign(d: Path) -> Path:
    """Return a folder with somebody's work in it."""
    (d / "o").mkdir()
    file(d / "o" / "thesis.txt", "mine")
    return d / "o"


def circle(d: Path) -> Path:
    """Return a link that leads to itself."""
    (d / "l").symlink_to(d / "l")
    return d / "l"


def other_report(d: Path) -> Path:
    """Return a folder with a report and a file that is none of it."""
    (d / "o").mkdir()
    outer = '{"kind": "prakerja_eval report", "study": null, "data": [], "language": "en", '
    file(d / "o" / "manifest.json", outer + '"versions": {}, "outputs": {}}')
    file(d / "o" / "notes.txt", "mine")
    return d / "o"


def codebook_as_target(d: Path) -> Arguments:
    """Draft a study onto the codebook that is read."""
    book = file(d / "book.toml", '[income]\nlabel = "Income"\n')
    return ["new", small(d / "a.csv"), "--codebook", book, "--out", book, "--force"]


def link_to_data(d: Path) -> Arguments:
    """Draft a study onto a link to the data."""
    (d / "s.toml").symlink_to(small(d / "a.csv"))
    return ["new", d / "a.csv", "--out", d / "s.toml", "--force"]


def wide_only(d: Path) -> Arguments:
    """Report where the one entry has a covariate that tells who won."""
    return report(
        d, HEAD + "[[estimates]]" + MATCHING.replace("candidate", "shown"), separating(people())
    )


READING = [
    Case("a missing file", 3, "there is no file", lambda d: ["check", d / "no.csv"]),
    Case(
        "a missing file with a near name",
        3,
        "Did you mean 'panel.csv'?",
        lambda d: [small(d / "panel.csv"), "check", d / "panell.csv"][1:],
    ),
    Case("a folder as data", 3, "it is a folder", lambda d: ["check", d]),
    Case("an empty file", 3, "it is empty", check("a.csv", "")),
    Case("names and no rows", 3, "no rows", check("a.csv", "person_id,wave,income\n")),
    Case("a binary file", 3, "not a text file", check("a.csv", bytes(range(256)) * 40)),
    Case("a picture called .csv", 3, "not a text file", check("a.csv", PICTURE)),
    Case("zero bytes in cells", 3, "not a text file", check("a.csv", "person_id,x\nSYN-1,\0\n")),
    Case("the wrong delimiter", 3, "--delimiter", ask("--delimiter", ";")),
    Case("an unknown delimiter", 2, "there are ','", ask("--delimiter", "#")),
    Case(
        "the wrong encoding",
        3,
        "not text in encoding='utf-8'",
        lambda d: [
            *check("a.csv", "person_id,x\nSYN-1,\xe1\n".encode("cp1252"))(d),
            "--encoding",
            "utf-8",
        ],
    ),
    Case("an unknown encoding", 2, "common ones are", ask("--encoding", "utf-99")),
    Case("an unknown ending", 2, "Export it as one of these", check("a.docx", "x")),
    Case("half a Parquet file", 3, "cannot be read as Parquet", half("panel.parquet")),
    Case("half a Stata file", 3, "cannot be read as Stata", half("panel.dta")),
    Case("half an SPSS file", 3, "cannot be read as SPSS", half("panel.sav")),
    Case("half an Excel file", 3, "cannot be read as Excel", half("panel.xlsx")),
    Case("an Excel file with a password", 3, "has a password", check("a.xlsx", LOCKED_WORKBOOK)),
    Case("two columns of one name", 3, "two columns", check("a.csv", "person_id,x,x\nSYN-1,1,2\n")),
    Case(
        "a row with too many cells",
        3,
        "row 1 below the names has 4",
        check("a.csv", "person_id,wave,x\nSYN-000001,1,2,3\n"),
    ),
    Case("a column to drop that is not there", 2, "Did you mean 'income'?", ask("--drop", "incme")),
    Case("names in a row that is not there", 3, "header=9999", ask("--header", "9999")),
    Case("a row of names that is no number", 2, "'--header'", ask("--header", "x")),
    Case("a codebook that is not there", 2, "check the path", ask("--codebook", "@no.toml")),
    Case("an option of Excel for a text file", 2, "is for Excel", ask("--sheet", "Data")),
    Case(
        "reading options beside a study file",
        2,
        "[reading]",
        lambda d: [
            "check",
            write_study(d).parent / "people.csv",
            "--study",
            d / "small.toml",
            "--decimal",
            ",",
        ],
    ),
]
IDENTIFIERS = [
    Case(
        "a column of NIKs", 6, "'nik'", data(lambda f: f.assign(nik=[nik(i) for i in range(400)]))
    ),
    Case(
        "NIKs under another name",
        6,
        "'q17'",
        data(lambda f: f.assign(q17=[nik(i) for i in range(400)])),
    ),
    Case("a column of phone numbers", 6, "'no_hp'", data(with_hp)),
    Case(
        "phone numbers beside the ids to replace",
        6,
        "'no_hp'",
        pseudonymise(with_hp(people(20)), "person_id"),
    ),
]
STUDIES = [
    Case(
        "a missing study file",
        2,
        "there is no study file",
        lambda d: ["report", d / "no.toml", "--out", d / "out"],
    ),
    Case("a folder as study file", 2, "is a folder", lambda d: ["report", d, "--out", d / "out"]),
    Case(
        "data in place of a study file",
        2,
        "prakerja-eval new people.csv",
        lambda d: ["report", write_study(d).parent / "people.csv", "--out", d / "out"],
    ),
    Case("no TOML", 2, "is not a TOML file", study('title = "A small study"', "title: small")),
    Case(
        "a study file that is no text",
        2,
        "not text in UTF-8",
        lambda d: ["report", file(d / "s.toml", bytes(range(256))), "--out", d / "out"],
    ),
    Case(
        "brackets in brackets without end",
        2,
        "too many brackets",
        lambda d: report(d, "a = " + "[" * 5000),
    ),
    Case("an empty study file", 2, "title: missing", lambda d: report(d, "")),
    Case("an unknown key", 2, "did you mean 'title'?", study("title =", "titel =")),
    Case("an unknown role", 2, "did you mean 'offer'?", study("offer =", "ofer =")),
    Case(
        "a number where text is needed",
        2,
        "text in quotation marks",
        study('title = "A small study"', "title = 5"),
    ),
    Case(
        "text where a list is needed",
        2,
        "a list in square brackets",
        study('["age", "income@1"]', '"age"'),
    ),
    Case(
        "text where true or false is needed",
        2,
        "true or false",
        study("synthetic = true", 'synthetic = "maybe"'),
    ),
    Case(
        "an unknown estimator",
        2,
        "did you mean 'matching.att'?",
        study("matching.att", "matching.ate"),
    ),
    Case(
        "a value that is none of a list",
        2,
        "it must be one of 'benchmark'",
        study('role = "benchmark"', 'role = "bench"'),
    ),
    Case("a level of 95", 2, "0.95 say", study("synthetic = true", "level = 95")),
    Case("a data path with a zero byte", 3, "check the path", study("people.csv", "a\\u0000.csv")),
    Case(
        "a data path that is too long", 3, "check the path", study("people.csv", "a" * 400 + ".csv")
    ),
]
COLUMNS = [
    Case(
        "a role on an unknown column",
        2,
        "Did you mean 'won'?",
        study('offer = "won"', 'offer = "wom"'),
    ),
    Case(
        "an unknown outcome column",
        2,
        "Did you mean 'income'?",
        study('column = "income"', 'column = "incom"'),
    ),
    Case("an unknown covariate", 2, "Did you mean 'age'?", study('["age"]', '["agee"]')),
    Case("a covariate of an unknown wave", 2, "there are 1, 2", study("income@1", "income@9")),
    Case(
        "an unknown wave",
        2,
        "wave 7 is not in the data",
        study('role = "benchmark"', 'role = "benchmark"\nwaves = [7]'),
    ),
    Case(
        "a baseline that is no wave",
        2,
        "is no wave of 'wave'",
        study("baseline = 1", "baseline = 9"),
    ),
    Case("a label for a value that no row has", 2, "no row has in 'won'", study("0 = ", "3 = ")),
    Case(
        "rows that nobody has",
        2,
        "no row has the values",
        study('role = "benchmark"', 'role = "benchmark"\nwhere = { won = [5] }'),
    ),
]
DATA = [
    Case("text in income", 3, "something other than a number", data(text_in_income)),
    Case("an empty arm", 3, "are in one arm of 'won'", data(winners(0))),
    Case("an offer that is neither 0 nor 1", 3, "0 or 1", data(lambda f: f.assign(won=2))),
    Case(
        "an outcome that is always missing", 3, "no value", data(lambda f: f.assign(income=np.nan))
    ),
    Case(
        "a person twice in a wave",
        3,
        "share a unit and wave",
        data(lambda f: pd.concat([f, f.iloc[[0, 5]]])),
    ),
    Case("ids as a spreadsheet writes long numbers", 3, "digits are lost", data(rounded_ids)),
    Case(
        "such ids to be replaced",
        3,
        "digits are lost",
        pseudonymise(rounded_ids(people(20)), "person_id"),
    ),
    Case("ids damaged as floating-point numbers", 3, "Store ids as text", damaged_ids),
    Case(
        "an outcome missing in the only wave after",
        4,
        "no entry of the study can be estimated",
        data(lambda f: f.assign(income=f["income"].where(f["wave"] == 1))),
    ),
    Case(
        "a covariate that tells who was treated, in the only entry",
        4,
        "predicts treatment perfectly",
        wide_only,
    ),
]
TARGETS = [
    Case(
        "a target below a file", 2, "which is a file", target(lambda d: file(d / "f", "x") / "out")
    ),
    Case("a target that is a file", 2, "is a file", target(lambda d: file(d / "f", "x"))),
    Case("a target with other files", 2, "holds files but no report", target(foreign)),
    Case("a report with other files beside it", 2, "notes.txt", target(other_report)),
    Case("the folder of the data as target", 2, "holds files but no report", target(lambda d: d)),
    Case("a name too long for a folder", 2, "choose another", target(lambda d: d / ("x" * 300))),
    Case("a link that leads to itself as target", 2, "choose another", target(circle)),
    Case(
        "a draft onto the data", 2, "end in .toml", ask("--out", "@a.csv", "--force", command="new")
    ),
    Case("a draft onto a link to the data", 2, "is read by this command", link_to_data),
    Case("a draft onto the codebook", 2, "is read by this command", codebook_as_target),
    Case(
        "a draft onto a study file that is there",
        2,
        "--force",
        lambda d: ["new", small(d / "a.csv"), "--out", file(d / "s.toml", "mine")],
    ),
    Case("a draft below a file", 2, "cannot write", ask("--out", "@a.csv/s.toml", command="new")),
    Case(
        "pseudonyms onto the data",
        2,
        "would be overwritten",
        ask("--columns", "person_id", "--key", "@k", "--out", "@a.csv", command="pseudonymise"),
    ),
    Case(
        "a key beside the data",
        2,
        "key file lies inside",
        ask("--columns", "person_id", "--key", "@k", "--out", "@b.csv", command="pseudonymise"),
    ),
    Case(
        "pseudonyms of an unknown column",
        2,
        "Did you mean 'person_id'?",
        pseudonymise(people(20), "persn_id"),
    ),
]
CALLS = [
    Case(
        "an unknown language",
        2,
        "'fr' is not one of 'en', 'id'",
        lambda d: [*report(d), "--lang", "fr"],
    ),
    Case("an unknown option", 2, "Did you mean '--lang'?", lambda d: [*report(d), "--langg", "id"]),
    Case("an unknown command", 2, "Did you mean 'report'?", lambda _: ["reprot"]),
    Case("a command without its file", 2, "Missing argument 'STUDY'", lambda _: ["report"]),
    Case("verify on nothing", 2, "there is no folder", lambda d: ["verify", d / "no"]),
    Case("verify on a folder that is no report", 2, "is no report", lambda d: ["verify", d]),
    Case(
        "a damaged manifest",
        3,
        "is damaged",
        lambda d: ["verify", file(d / "manifest.json", "{").parent],
    ),
    Case(
        "a manifest of brackets without end",
        3,
        "is damaged",
        lambda d: ["verify", file(d / "manifest.json", "[" * 200_000).parent],
    ),
]
CASES = [*READING, *IDENTIFIERS, *STUDIES, *COLUMNS, *DATA, *TARGETS, *CALLS]
