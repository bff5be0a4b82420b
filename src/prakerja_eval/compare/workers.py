"""How are many draws made at once? By forked processes, so that functions need no pickling."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

Work = Callable[[int], str]


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_fork() -> bool:
    """Say whether processes can be forked: not on Windows, and not safely on macOS."""
    return "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"


def each(work: Work, numbers: Sequence[int], jobs: int) -> Iterator[tuple[int, str]]:
    """Yield each number with its text, as they are finished.

    Parameters
    ----------
    work : callable
        The text of one number; it must depend on nothing else.
    numbers : sequence of int
    jobs : int
        Processes; 1 works in this one.
    """
    if jobs == 1 or len(numbers) < 2:
        for number in numbers:
            yield number, work(number)
        return
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(min(jobs, len(numbers)), context, _hold, (work,))
    try:
        waiting = {pool.submit(_do, number): number for number in numbers}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)


_held: list[Work] = []  # in a forked process: the work that it was forked with


def _hold(work: Work) -> None:
    """Take the work; an interruption is the parent's to deal with."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _held.append(work)


def _do(number: int) -> str:
    return _held[0](number)
