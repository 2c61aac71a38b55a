"""What processes hold is compared between the beginning and the end of a run, and what grows is named."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping

import pytest

from localcloud.commands.holdings import Growth, Holdings, Kind, complaints
from localcloud.support import procfs
from localcloud.support.procfs import Held

MB = 1_000_000
LOOKS = 40


def held(
    pid: int, memory: float = 100, handles: int = 10, *, parent: int = 1, group: int = 5, started: int = 7
) -> Held:
    """Return what a process holds; memory in MB."""
    return Held(pid=pid, parent=parent, group=group, started=started, memory=int(memory * MB), handles=handles)


def watched(*processes: Callable[[int], Held | None], names: Mapping[int, str] | None = None) -> dict[str, Kind]:
    """Return the kinds after `LOOKS` looks, a second each, at what each process says that it holds then."""
    holdings = Holdings(dict, dict, rest="emulator")
    for second in range(LOOKS):
        found = [one for process in processes if (one := process(second))]
        given = ({2: "predict"} if names is None else names) if second % 10 == 0 else {}
        holdings.record(second, {one.pid: one for one in found}, given)
    return {kind.name: kind for kind in holdings.kinds}


def test_growth_is_between_the_medians_of_the_first_and_of_the_last_third() -> None:
    growth = Growth.of([10, 12, 90, 0, 0, 0, 30, 31, 500])
    assert (growth.first, growth.last, growth.by) == (12, 31, 19)


def test_a_process_that_is_flat_has_no_complaint_however_much_its_start_takes() -> None:
    predict = watched(lambda second: held(2, memory=min(20 * second, 150), handles=min(second, 9)))["predict"]
    assert (predict.seen, predict.complaints) == (1, [])
    assert predict.text == "1 of 1, 150.0 -> 150.0 MB (+0.0), handles 9 -> 9 (+0)"


def test_memory_that_grows_by_more_than_the_bound_is_named() -> None:
    predict = watched(lambda second: held(2, memory=100 + second))["predict"]
    assert predict.complaints == [
        "predict, process 2: its memory grew from 114.5 to 134.5 MB, by more than 5% and 8 MB"
    ]


@pytest.mark.parametrize(("base", "step"), [(100, 0.3), (400, 0.9)])
def test_memory_that_grows_by_less_than_eight_megabytes_or_a_twentieth_is_use(base: float, step: float) -> None:
    assert watched(lambda second: held(2, memory=base + step * second))["predict"].complaints == []


def test_handles_that_grow_by_more_than_the_bound_are_named() -> None:
    predict = watched(lambda second: held(2, handles=10 + second // 5))["predict"]
    assert predict.complaints == ["predict, process 2: its open handles grew from 12 to 16, by more than 2"]
    assert watched(lambda second: held(2, handles=10 + second // 10))["predict"].complaints == []


def test_processes_that_come_and_go_are_counted_and_not_judged() -> None:
    def copy(second: int) -> Held:
        return held(2, memory=100 + 10 * second, started=second // 10)

    predict = watched(copy)["predict"]
    assert (predict.seen, predict.complaints, predict.text) == (4, [], "4 seen, none for half of the time")


def test_a_process_that_starts_late_warms_up_as_long_as_the_others() -> None:
    def late(second: int) -> Held | None:
        return held(2, memory=min(20 * (second - 15), 180)) if second > 15 else None

    predict = watched(late, lambda _: held(3), names={2: "predict", 3: "predict"})["predict"]
    assert (predict.seen, len(predict.judged), predict.complaints) == (2, 2, [])


def test_a_child_is_of_the_kind_of_its_parent_unless_it_has_a_group_of_its_own() -> None:
    kinds = watched(
        lambda _: held(1, parent=0),
        lambda _: held(2),
        lambda second: held(100 + second, parent=2) if second % 2 else None,
        lambda _: held(4, parent=2, group=9),
    )
    assert {name: kind.seen for name, kind in kinds.items()} == {"emulator": 2, "predict": 1 + LOOKS // 2}


def test_what_others_wrote_is_shown_and_not_complained_about() -> None:
    kinds = list(
        watched(lambda second: held(2, memory=100 + second), lambda second: held(3, memory=100 + second)).values()
    )
    assert [len(kind.complaints) for kind in kinds] == [1, 1]
    (ours,) = complaints(kinds, of_others="emulator")
    assert ours.startswith("predict, process 2: its memory grew")


LEAK = """
import os, sys
kept = []
for _ in sys.stdin:
    kept += [os.urandom(2_000_000), open(os.devnull)]
    print(flush=True)
"""


@pytest.mark.integration
@pytest.mark.skipif(not procfs.available(), reason="only Linux tells what a process holds")
def test_a_leak_of_a_real_process_is_found() -> None:
    holdings = Holdings(dict, dict, rest="rest")
    with subprocess.Popen(
        [sys.executable, "-c", LEAK], text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as leaking:
        assert leaking.stdin is not None
        assert leaking.stdout is not None
        for second in range(LOOKS):
            leaking.stdin.write("more\n")
            leaking.stdout.readline()
            holdings.record(second, procfs.held_by((), [leaking.pid]), {leaking.pid: "leaky"})
        leaking.stdin.close()
    (leaky,) = holdings.kinds
    memory, handles = leaky.complaints
    assert f"leaky, process {leaking.pid}: its memory grew" in memory
    assert f"leaky, process {leaking.pid}: its open handles grew" in handles


def test_it_looks_from_a_thread_until_the_block_ends() -> None:
    looked = threading.Event()

    def look() -> dict[int, Held]:
        looked.set()
        return {2: held(2)}

    with Holdings(look, lambda: {2: "predict"}, rest="rest") as holdings:
        assert looked.wait(60)
    assert [kind.name for kind in holdings.kinds] == ["predict"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("holdings")]


def test_a_look_that_fails_is_raised_at_the_end() -> None:
    def look() -> dict[int, Held]:
        raise OSError("no /proc")

    with pytest.raises(OSError, match="no /proc"), Holdings(look, dict, rest="rest"):
        pass
