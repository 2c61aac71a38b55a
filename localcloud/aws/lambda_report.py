"""Has the embedded AWS end the tail of a call's log as Lambda does: with how long it took, and what memory it used."""

from __future__ import annotations

import math
import signal
import subprocess
import threading
import time
import types
from pathlib import Path
from typing import Any

REPORT = (
    "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t"
)
DIED = "Worker process died"
"""What the emulator says of any end."""
KILLED = "RequestId: {} Error: Runtime exited with error: signal: killed"
"""What Lambda says where there was not enough memory."""


def report(runtime: Any, functions: Any) -> None:
    """Have the tail of each call's log end with Lambda's report; the emulator writes one to the logs alone.

    A call's time is that of its worker: the emulator itself waits for what may still be logged.
    """
    start, wait, invoke = (getattr(runtime.Worker, name) for name in ("_spawn", "_drain_stderr_bounded", "invoke"))
    call, execute = threading.local(), functions._execute_function

    class Started(subprocess.Popen):
        def __init__(self, *args: Any, **named: Any) -> None:
            call.started = time.perf_counter()
            super().__init__(*args, **named)
            call.process = self

    def started(worker: Any) -> None:
        start(worker)
        call.begun = time.perf_counter()
        call.init = call.begun - call.started

    def waited(worker: Any, *args: Any, **named: Any) -> Any:
        call.ended = time.perf_counter()
        return wait(worker, *args, **named)

    def invoked(worker: Any, event: Any, request_id: str, **named: Any) -> Any:
        call.begun, call.ended, call.init, size = time.perf_counter(), None, 0.0, worker.config.get("MemorySize", 128)
        call.process = worker._proc
        result = invoke(worker, event, request_id, **named)
        if result.get("error") == DIED and call.process.poll() == -signal.SIGKILL:
            result["error"] = KILLED.format(request_id)
        ms, used = ((call.ended or time.perf_counter()) - call.begun) * 1000, _peak_mb(worker._proc)
        billed = math.ceil(ms + call.init * 1000)
        line = REPORT.format(request_id, ms, billed, size, min(used or size, size))
        call.report = line + (f"Init Duration: {call.init * 1000:.2f} ms\t" if call.init else "")
        return result

    def executed(*args: Any, **named: Any) -> Any:
        vars(call).update(report="")
        result = execute(*args, **named)
        if call.report:
            result["log"] = "\n".join(filter(None, [str(result.get("log") or ""), call.report]))
            call.report = ""
        return result

    runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": Started})
    for name, wrapped in (("_spawn", started), ("_drain_stderr_bounded", waited), ("invoke", invoked)):
        setattr(runtime.Worker, name, wrapped)
    functions._execute_function = executed


def _peak_mb(process: Any) -> int:
    """Return the most memory that a process has had, in MB; 0 where this machine does not tell, or it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, AttributeError, StopIteration):
        return 0
