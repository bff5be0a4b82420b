"""Stopped, killed, crowded or without room: the target is whole, and nothing lies beside it."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bad_inputs import small
from click.testing import CliRunner
from study_files import people, write_study

from prakerja_eval.cli import main
from prakerja_eval.report import folder as folders

COMMAND = "import sys; from prakerja_eval.cli import main; sys.exit(main(sys.argv[1:]))"
# a run that waits where it is told to, so that it is surely stopped in the middle of its work
WAITING = """
import pathlib, sys, time
import prakerja_eval.{module} as place
real = place.{name}
def wait(*given, **named):
    answer = real(*given, **named) if {after} else None
    pathlib.Path({mark!r}).touch()
    time.sleep(60)
place.{name} = wait
from prakerja_eval.cli import main
sys.exit(main(sys.argv[1:]))
"""
# module, name and whether the real one runs first
IN_THE_STUDY = ("study.run", "_matched", False)
IN_THE_REPORT = ("report.write", "write_findings", True)
IN_THE_READING = ("study.examination", "look", True)


def run(*arguments: object) -> tuple[int, str]:
    """Run the command in this process; return its exit code and message."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stderr


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    given = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stopped(
    place: tuple[str, str, bool], number: int, mark: Path, *arguments: object
) -> tuple[int, str]:
    """Start, wait until the run says where it is, send a signal; return exit code and message."""
    module, name, after = place
    program = WAITING.format(module=module, name=name, after=after, mark=str(mark))
    with start(program, *arguments) as process:
        try:
            until(mark.exists)
            process.send_signal(number)
            _, stderr = process.communicate(timeout=20)
        finally:
            process.kill()
    return process.returncode, stderr


def until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a study in it."""
    (tmp_path / "home").mkdir()
    write_study(tmp_path / "home")
    return tmp_path / "home"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("place", "number"),
    [
        (IN_THE_STUDY, signal.SIGINT),
        (IN_THE_REPORT, signal.SIGTERM),
        pytest.param(IN_THE_REPORT, signal.SIGHUP, marks=pytest.mark.witness),
    ],
    ids=["study-SIGINT", "report-SIGTERM", "report-SIGHUP"],
)
def test_a_stopped_report_leaves_everything_as_it_was(
    home: Path, place: tuple[str, str, bool], number: signal.Signals
) -> None:
    before = contents(home)
    mark = home.parent / "mark"
    out = home / "deep" / "out"
    code, said = stopped(place, number, mark, "report", home / "small.toml", "--out", out)
    assert code == 130
    assert said == "prakerja-eval: interrupted; nothing is half written.\n"
    assert contents(home) == before
    assert not (home / "deep").exists()


@pytest.mark.witness
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_after_a_kill_the_next_report_removes_what_was_left(home: Path) -> None:
    study, out, mark = home / "small.toml", home / "out", home.parent / "mark"
    assert run("report", study, "--out", out)[0] == 0
    before = contents(out)
    code, _ = stopped(IN_THE_REPORT, signal.SIGKILL, mark, "report", study, "--out", out)
    assert code == -signal.SIGKILL
    assert contents(out) == before
    assert len(list(home.glob(".out.new-*"))) == 1
    assert run("report", study, "--out", out) == (0, "")
    assert sorted(p.name for p in home.iterdir()) == ["out", "people.csv", "small.toml"]
    assert contents(out) == before


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_stopped_check_says_so(tmp_path: Path) -> None:
    code, said = stopped(
        IN_THE_READING, signal.SIGINT, tmp_path / "mark", "check", small(tmp_path / "a.csv")
    )
    assert code == 130
    assert "Traceback" not in said


@pytest.mark.witness
def test_two_reports_at_once_into_one_target_end_whole(home: Path) -> None:
    study, out = home / "small.toml", home / "out"
    both = [start(COMMAND, "report", study, "--out", out) for _ in range(2)]
    ended = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert run("verify", out) == (0, "")
    assert sorted(p.name for p in home.iterdir()) == ["out", "people.csv", "small.toml"]


def test_a_target_that_another_run_has_made_meanwhile_is_replaced(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = home / "out"
    real = Path.exists
    asked = []

    def first_no(path: Path, **given: bool) -> bool:
        """Say that the target is not there, once, although it is by now."""
        if path == target and not asked:
            asked.append(path)
            return False
        return real(path, **given)

    fresh = home / "fresh"
    for place, text in ((target, "old"), (fresh, "new")):
        place.mkdir()
        (place / "f").write_text(text)
    monkeypatch.setattr(Path, "exists", first_no)
    folders._exchange(fresh, target)
    assert (target / "f").read_text() == "new"


@pytest.mark.parametrize("place", ["write_findings", "page"])
def test_a_full_disk_in_the_middle_leaves_the_report_as_it_was(
    home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    study, out = home / "small.toml", home / "out"
    assert run("report", study, "--out", out)[0] == 0
    before = contents(home)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"prakerja_eval.report.write.{place}", full)
    code, said = run("report", study, "--out", out)
    assert code == 2
    assert "make room" in said
    assert contents(home) == before
    assert len(list(home.iterdir())) == 3


def mounted(place: Path, options: str) -> None:
    """Mount a small file system in memory, or skip where that is not allowed."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("a file system can be mounted by root alone, and not in every container")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of 200 kB; a report needs more."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a file system in memory can be mounted by root on Linux")
    place = tmp_path / "disk"
    mounted(place, "size=200k")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_nothing(disk: Path, home: Path) -> None:
    code, said = run("report", home / "small.toml", "--out", disk / "deep" / "out")
    assert code == 2
    assert "make room" in said
    assert list(disk.iterdir()) == []
    (disk / "filler").write_bytes(bytes(190_000))
    with pytest.raises(OSError, match="No space"):
        (disk / "filler2").write_bytes(bytes(90_000))
    code, said = run("new", small(home / "a.csv"), "--out", disk / "s" / "study.toml")
    assert code == 2
    assert "make room" in said
    keys = home.parent / "keys"
    keys.mkdir()
    named = ["--columns", "person_id", "--key", keys / "k", "--new-key"]
    code, said = run("pseudonymise", home / "people.csv", *named, "--out", disk / "p.csv")
    assert code == 2
    assert "make room" in said
    assert sorted(p.name for p in disk.iterdir()) == ["filler", "filler2"]
    assert list(keys.iterdir()) == []


def test_a_target_that_may_only_be_read_is_refused_before_the_work(disk: Path, home: Path) -> None:
    (disk / "out").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for target in (disk / "out", disk / "new"):
        code, said = run("report", home / "small.toml", "--out", target)
        assert code == 2
        assert "nothing may be written" in said
    code, said = run("new", small(home / "a.csv"), "--out", disk / "study.toml")
    assert code == 2
    assert "Read-only" in said


@pytest.mark.witness
@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_goes_away_does_not_change_the_exit_code(tmp_path: Path) -> None:
    frame = people(20)
    frame["no_hp"] = [f"0812{i:08d}" for i in range(40)]
    for name, content, code in (("a.csv", people(20), 0), ("b.csv", frame, 6)):
        content.to_csv(tmp_path / name, index=False)
        with start(COMMAND, "check", tmp_path / name) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            said = process.stderr.read()
            assert process.wait(timeout=20) == code
        assert "Traceback" not in said
        assert "Broken" not in said
        assert bool(said) == bool(code)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_an_answer_that_finds_no_room_is_said_on_stderr(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", COMMAND, "check", str(small(tmp_path / "a.csv"))]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            arguments, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "make room" in done.stderr


def test_letters_that_a_terminal_does_not_have_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("person_id,wave,pendapatan_\u20acé\nSYN-1,1,\nSYN-2,1,5\n", encoding="utf-8")
    arguments = [sys.executable, "-c", COMMAND, "check", str(path)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(arguments, capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"pendapatan_" in done.stdout
