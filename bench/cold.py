"""Cold starts under Lambda's real runtime client: from the start of the process to its first response."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import files, subject
from bench.environments import Unavailable, interpreter
from bench.measure import Measure, Rounds, cpu, in_turn, wall
from bench.row import Missing, Row
from bench.runtime_api import Failed, first_answer

GROUP = "cold start, small tabular model"
PEERS = Path(__file__).with_name("peers")
OURS, REFERENCE, AGAIN = "predict function", "numpy + onnxruntime", "numpy + onnxruntime, again"
ALWAYS = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "predict"}


def handler(
    environment: str, module: str, variables: Mapping[str, str], event: Mapping[str, Any], path: Path = PEERS
) -> Measure:
    """Return a measure of one cold start of `module.handle` in an environment.

    Raises `Unavailable` at once when the environment cannot be built.
    """
    python = interpreter(environment)
    env = {**ALWAYS, "PYTHONPATH": str(path), "LAMBDA_TASK_ROOT": str(path), **variables}
    env["_HANDLER"] = f"{module}.handle"
    return lambda: first_answer([str(python), "-m", "awslambdaric", env["_HANDLER"]], env=env, cwd=path, event=event)


def ours(workspace: Path, onnx: bytes | None = None, event: Mapping[str, Any] | None = None) -> Measure:
    """Return a measure of one cold start of the predict function, with the tabular model unless `onnx` is another."""
    store = subject.registered(workspace / "models", onnx)
    variables = files.environment(store, workspace)
    code = subject.unpacked()
    return handler("runtime", "main", variables, event or subject.plain_event(1), code)


def peers(workspace: Path) -> dict[str, tuple[Callable[[], Measure], float]]:
    """Return how to set up each peer, and the greatest share of its time that ours may take."""
    event = subject.plain_event(1)
    model = workspace / "tabular.onnx"
    model.write_bytes(subject.tabular())

    def onnx(environment: str, module: str) -> Callable[[], Measure]:
        return lambda: handler(environment, module, {"MODEL": str(model)}, event)

    return {
        "Powertools": (onnx("powertools", "powertools"), 0.30),
        "FastAPI + Mangum": (onnx("fastapi", "fastapi_mangum"), 0.15),
        "scikit-learn + joblib": (lambda: _sklearn(workspace, event), 0.06),
        "TensorFlow, loaded per request": (lambda: _tensorflow(workspace, event), 0.03),
    }


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    model = workspace / "tabular.onnx"
    model.write_bytes(subject.tabular())
    reference = handler("plain", "plain", {"MODEL": str(model)}, subject.plain_event(1))
    variants: dict[str, Measure] = {OURS: ours(workspace), REFERENCE: reference, AGAIN: reference}
    allowed: dict[str, float] = {}
    for name, (make, share) in peers(workspace).items():
        if quick and name.startswith("TensorFlow"):
            continue
        try:
            say(f"installing {name}")
            variants[name] = make()
            allowed[name] = share
        except (Unavailable, Failed, subprocess.CalledProcessError) as problem:
            yield Missing(group=GROUP, name=name, reason=str(problem))
    measured = in_turn(variants, rounds=rounds, say=say)
    control = measured.ratios(AGAIN, REFERENCE).median
    yield _row(measured, "time", REFERENCE, 0.45, control)
    processor = measured.ratios(OURS, REFERENCE, cpu)
    again = measured.ratios(AGAIN, REFERENCE, cpu).median
    yield Row(
        group=GROUP,
        name="processor time",
        against=REFERENCE,
        figure=processor,
        target=0.30,
        value=measured.values(OURS, cpu).times(1000),
        control=again,
    )
    for name, share in allowed.items():
        yield _row(measured, "time", name, share, control)


def _row(measured: Rounds, name: str, against: str, target: float, control: float) -> Row:
    return Row(
        group=GROUP,
        name=name,
        against=against,
        figure=measured.ratios(OURS, against, wall),
        target=target,
        value=measured.values(OURS).times(1000),
        control=control,
    )


def _sklearn(workspace: Path, event: Mapping[str, Any]) -> Measure:
    import numpy as np  # noqa: PLC0415 - only this peer needs it

    data, model = workspace / "cases.npz", workspace / "model.joblib"
    x, y = subject.cases()
    np.savez(data, x=x, y=y)
    _make("sklearn", "make_sklearn.py", str(data), str(model))
    return handler("sklearn", "sklearn_joblib", {"MODEL": str(model)}, event)


def _tensorflow(workspace: Path, event: Mapping[str, Any]) -> Measure:
    model = workspace / "model.keras"
    _make("tensorflow", "make_tensorflow.py", str(model))
    return handler("tensorflow", "tensorflow_per_request", {"MODEL": str(model), "TF_CPP_MIN_LOG_LEVEL": "3"}, event)


def _make(environment: str, script: str, *arguments: str) -> None:
    command = [str(interpreter(environment)), str(PEERS / script), *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
