"""Experiments in a process of their own: whatever a model's code does, the experiment leaves its record."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.core.runtime import forked, memory_use
from functions.core.training.apart import attempt
from functions.core.training.limits import MB, Function
from tests.functions.bench import MODEL, TRAINING, Bench, csv
from tests.root import ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not forked.HERE, reason="only Linux, on which functions run, bounds an experiment"),
]
ONE: dict[str, Any] = {"families": [{"ridge": [1.0]}]}
LONG = 600.0
"""Seconds that no test waits for."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path, attempt=attempt, function=Function(timeout_seconds=LONG / 5))


def tried(bench: Bench, body: str, top: str = "", **search: Any) -> dict[str, Any]:
    """Return the record of an experiment whose `fit` begins with these lines."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    begins = "def fit(X, y, params):\n"
    bench.write_model(f"{top}\n{TRAINING.replace(begins, begins + lines)}", search={**ONE, **search})
    run = bench.prepare(bench.upload(csv()))["run"]
    assert bench.train(run, "e0") == {"experiment": "e0"}
    return bench.models.get_json(f"{MODEL}/runs/{run}/experiments/e0.json")


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that comes to pass by itself."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Does a process run, as one does not that nobody has waited for?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


NEVER_ENDS = {
    "sleeps": "import time\ntime.sleep(600)",
    "loops": "while True: pass",
    "swallows whatever is raised": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "is in compiled code that never returns to Python": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "refuses every signal that can be": "import signal, time\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\ntime.sleep(600)",
}


@pytest.mark.parametrize("body", NEVER_ENDS.values(), ids=NEVER_ENDS.keys())
def test_a_fit_that_never_ends_is_ended_and_says_where_it_was(bench: Bench, body: str) -> None:
    record = tried(bench, body, maximum_seconds_each=2)
    assert record["status"] == "failed"
    assert record["error"] == (
        "took longer than 2 s, which is what search.maximum_seconds_each allows; it was in fit, fold 1 of 3"
    )
    assert record["trace"] == []


def test_without_a_bound_of_its_own_an_experiment_has_what_its_function_leaves(bench: Bench) -> None:
    bench.function = Function(timeout_seconds=2)
    record = tried(bench, "if len(X) > 50: import time; time.sleep(600)")
    assert record["error"] == (
        "took longer than 1.8 s, which is what its function's timeout of 2 s leaves;"
        " it was in fit, on all rows but the holdout"
    )


def test_an_import_of_training_that_never_ends_is_ended_too(bench: Bench) -> None:
    record = tried(bench, "", top="import time\ntime.sleep(600)", maximum_seconds_each=0.5)
    assert record["error"].endswith("; it was in the import of training.py")


def bounded(left_mb: int) -> Function:
    """Return a function in which so much memory is left beside what these tests have."""
    own = memory_use.at_most([os.getpid()]) // MB
    return Function(memory_mb=own + left_mb + 100 if own + left_mb > 2000 else int((own + left_mb) / 0.95))


GROWS = {
    "piece by piece": "kept = []\nwhile True: kept.append(bytearray(b'x' * 10_000_000))",
    "in processes that it starts": "import os, time\n"
    "for _ in range(3):\n"
    "    if os.fork() == 0:\n"
    "        kept = bytearray(b'x') * 400_000_000\n"
    "        time.sleep(600)\n"
    "time.sleep(600)",
}


@pytest.mark.parametrize("body", GROWS.values(), ids=GROWS.keys())
def test_a_fit_that_needs_more_memory_than_is_left_is_ended_and_says_how_much_that_is(bench: Bench, body: str) -> None:
    bench.function = bounded(200)
    record = tried(bench, body)
    assert record["status"] == "failed"
    assert re.fullmatch(
        r"needed more than 1\d\d MB, which is what is left of the function's [\d,]+ MB; it was in fit, fold 1 of 3"
        r"(: MemoryError.*)?",
        record["error"],
    )


def test_a_fit_that_asks_for_too_much_at_once_is_told_with_its_line(bench: Bench) -> None:
    bench.function = bounded(200)
    record = tried(bench, "x = bytearray(60_000_000_000)")
    assert re.fullmatch(
        r"needed more than 1\d\d MB, which is what is left of the function's [\d,]+ MB; it was in fit, fold 1 of 3: "
        r"MemoryError: .*\(training\.py:\d+, in fit: x = bytearray\(60_000_000_000\)\)",
        record["error"],
    )
    assert record["trace"]


DEATHS = {
    "it leaves": ("import os\nos._exit(3)", "ended its process with exit code 3; accepted: a fit that returns"),
    "it leaves as if all were well": ("import os\nos._exit(0)", "ended its process with exit code 0; accepted: a fit"),
    "it is killed": ("import os\nos.kill(os.getpid(), 9)", "was killed (SIGKILL), as where a machine has no memory"),
    "compiled code fails": (
        "import faulthandler, os\nfaulthandler.disable()\nos.kill(os.getpid(), 11)",
        "was ended by SIGSEGV, as by a fault in compiled",
    ),
}


@pytest.mark.parametrize(("body", "error"), DEATHS.values(), ids=DEATHS.keys())
def test_a_fit_that_ends_its_process_is_a_result_too(bench: Bench, body: str, error: str) -> None:
    record = tried(bench, body)
    assert record["status"] == "failed"
    assert record["error"].startswith(error)
    assert record["error"].endswith("; it was in fit, fold 1 of 3")


def test_a_process_that_a_fit_forked_does_not_speak_for_the_experiment(bench: Bench) -> None:
    record = tried(
        bench, "import os\nif os.fork() == 0: raise ValueError('of another process')\nos.wait(); os._exit(3)"
    )
    assert record["error"].startswith("ended its process with exit code 3")


def test_an_experiment_that_was_ended_is_not_tried_again_by_the_same_execution(bench: Bench) -> None:
    record = tried(
        bench,
        "import time, os\nos.mkdir(params_folder)\ntime.sleep(600)",
        f"params_folder = {str(bench.folder / 'tried')!r}",
        maximum_seconds_each=0.5,
    )
    assert "took longer" in record["error"]
    run = next(iter({key.split("/")[2] for key in bench.models.keys(f"{MODEL}/runs")}))
    bench.train(run, "e0")
    assert bench.models.get_json(f"{MODEL}/runs/{run}/experiments/e0.json") == record, "a second try could not mkdir"


def test_what_an_experiment_leaves_running_is_ended_with_it(bench: Bench, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    record = tried(
        bench,
        "import os, time\n"
        "if not os.path.exists(note):\n"
        "    pid = os.fork()\n"
        "    if pid == 0: time.sleep(600)\n"
        "    open(note, 'w').write(str(pid))",
        f"note = {str(note)!r}",
    )
    assert record["status"] == "succeeded"
    until(lambda: not lives(int(note.read_text(encoding="utf-8"))))


def test_a_process_in_a_session_of_its_own_is_ended_with_the_experiment_that_started_it(
    bench: Bench, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    record = tried(
        bench,
        "import subprocess, time\n"
        "open(note, 'w').write(str(subprocess.Popen(['sleep', '600'], start_new_session=True).pid))\n"
        "time.sleep(600)",
        f"note = {str(note)!r}",
        maximum_seconds_each=1,
    )
    assert "took longer than 1 s" in record["error"]
    until(lambda: not lives(int(note.read_text(encoding="utf-8"))))


KILLED = """
import signal, sys, time
from pathlib import Path
from functions.core.runtime import forked

def work(tell):
    import os
    Path(sys.argv[1]).write_text(str(os.getpid()))
    time.sleep(600)

signal.signal(signal.SIGINT, signal.default_int_handler)  # where a shell has it ignored, as behind an ampersand
forked.run(work, lambda _: None, forked.Bounds())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_experiment_ends_with_the_process_that_waits_for_it(tmp_path: Path, number: int) -> None:
    note = tmp_path / "pid"
    waiting = subprocess.Popen([sys.executable, "-c", KILLED, str(note)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until(lambda: note.is_file() and note.read_text(encoding="utf-8") != "")
        waiting.send_signal(number)
        waiting.wait()
        until(lambda: not lives(int(note.read_text(encoding="utf-8"))))
    finally:
        waiting.kill()
        waiting.wait()


def test_the_files_and_the_record_are_those_of_an_experiment_in_this_process(bench: Bench, tmp_path: Path) -> None:
    here = Bench(folder=tmp_path)
    apart, alone = (
        tried(bench, "import warnings; warnings.warn('few rows')"),
        tried(here, "import warnings; warnings.warn('few rows')"),
    )
    assert {**apart, "seconds": None} == {**alone, "seconds": None}
    keys = [key for key in bench.models.keys(MODEL) if key.endswith((".onnx", ".npz"))]
    assert len(keys) == 2
    assert all(bench.models.get(key) == here.models.get(key) for key in keys)


def test_an_error_of_fit_keeps_its_line_and_its_traceback_is_logged(bench: Bench) -> None:
    record = tried(bench, "raise ValueError('there is no such penalty')")
    assert re.fullmatch(r"ValueError: there is no such penalty \(training\.py:\d+, in fit: raise .*\)", record["error"])
    assert record["trace"] == [record["error"].split(" (", 1)[1][:-1]]
    line = json.loads(bench.log.getvalue())
    assert (line["event"], line["error"]) == ("experiment", "ValueError")
    assert "Traceback" in line["trace"]
    assert "in fit" in line["trace"]


def test_what_fit_prints_goes_where_it_went(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    tried(bench, "import os\nos.write(1, b'written\\n')")
    assert capfd.readouterr().out.count("written") == 4
