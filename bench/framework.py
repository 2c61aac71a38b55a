"""Cold starts under the real functions-framework: from the start of the process to the first prediction over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench import files, subject
from bench.cold import ALWAYS, PEERS
from bench.environments import Unavailable, interpreter
from bench.measure import Sample, in_turn
from bench.row import Missing, Row
from bench.runtime_api import Failed
from localcloud.engine.cloud import CloudFailed
from localcloud.gcp.cloudrun.build import build
from localcloud.support.ports import LOOPBACK, free_port

GROUP = "cold start under functions-framework"
OURS, PLAIN, AGAIN = "predict function", "a plain function with numpy + onnxruntime", "the plain function, again"
SECONDS = 60
POLL_SECONDS = 0.003


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    model = workspace / "tabular.onnx"
    model.write_bytes(subject.tabular())
    try:
        built = build(subject.archive("predict", "gcp").path, workspace / "source")
        python = interpreter("framework")
    except (CloudFailed, Unavailable) as problem:
        yield Missing(group=GROUP, name=OURS, reason=str(problem))
        return
    variables = {**ALWAYS, **files.environment(subject.registered(workspace / "models"), workspace)}
    source = str(PEERS / "framework_plain.py")

    def plain(port: int) -> list[str]:
        start = [str(python), "-m", "functions_framework", "--target", "handle", "--signature-type", "http"]
        return [*start, "--source", source, "--host", LOOPBACK, "--port", str(port)]

    measured = in_turn(
        {
            OURS: lambda: _first_prediction(built.command, variables, built.source),
            PLAIN: lambda: _first_prediction(plain, {**ALWAYS, "MODEL": str(model)}, workspace),
            AGAIN: lambda: _first_prediction(plain, {**ALWAYS, "MODEL": str(model)}, workspace),
        },
        rounds=rounds,
        say=say,
    )
    yield Row(
        group=GROUP,
        name="time",
        against=PLAIN,
        figure=measured.ratios(OURS, PLAIN),
        value=measured.values(OURS).times(1000),
        control=measured.ratios(AGAIN, PLAIN).median,
    )


def _first_prediction(command: Callable[[int], Sequence[str]], env: Mapping[str, str], cwd: Path) -> Sample:
    port = free_port()
    body = json.dumps({"instances": subject.rows(1)})
    began = time.perf_counter()
    process = subprocess.Popen(
        list(command(port)),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = None
        while status is None:
            if time.perf_counter() - began > SECONDS or process.poll() is not None:
                raise Failed(f"{command(port)[0]} did not answer")
            status = _ask(port, body)
        seconds = time.perf_counter() - began
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if status != 200:
        raise Failed(f"{command(port)[0]} answered {status}")
    return Sample(seconds=seconds)


def _ask(port: int, body: str) -> int | None:
    """Request one prediction and return its status; None while the server does not listen yet."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=SECONDS)
    try:
        connection.request("POST", "/predict", body, {"content-type": "application/json"})
        return connection.getresponse().status
    except ConnectionRefusedError:
        time.sleep(POLL_SECONDS)
        return None
    finally:
        connection.close()
