"""Cold starts under Lambda's real runtime client: from the start of the process to the first answer posted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import subject
from bench.environments import Unavailable, interpreter
from bench.measure import Measure, Rounds, cpu, in_turn, wall
from bench.row import Missing, Row
from bench.runtime_api import Failed, first_answer

GROUP = "cold start, small tabular model"
PEERS = Path(__file__).with_name("peers")
OURS, REFERENCE, AGAIN = "predict function", "numpy + onnxruntime", "numpy + onnxruntime, again"
ALWAYS = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "predict"}


def handler(
    environment: str, module: str, told: Mapping[str, str], event: Mapping[str, Any], path: Path = PEERS
) -> Measure:
    """One cold start of `module.handle` in an environment. Raises `Unavailable`, now, when it cannot be built."""
    python = interpreter(environment)
    env = {**ALWAYS, "PYTHONPATH": str(path), "LAMBDA_TASK_ROOT": str(path), **told}
    env["_HANDLER"] = f"{module}.handle"
    return lambda: first_answer([str(python), "-m", "awslambdaric", env["_HANDLER"]], env=env, cwd=path, event=event)


def ours(workspace: Path, onnx: bytes | None = None, event: Mapping[str, Any] | None = None) -> Measure:
    store = subject.registered(workspace / "models", onnx)
    told = subject.environment(store, workspace)
    code = subject.unpacked()
    return handler("runtime", "main", told, event or subject.plain_event(1), code)


def peers(workspace: Path) -> dict[str, tuple[Callable[[], Measure], float]]:
    """Each peer, made when it is asked for, and what share of its time ours may take."""
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
    found = in_turn(variants, rounds=rounds, say=say)
    control = found.ratios(AGAIN, REFERENCE).median
    yield _row(found, "time", REFERENCE, 0.45, control)
    processor = found.ratios(OURS, REFERENCE, cpu)
    again = found.ratios(AGAIN, REFERENCE, cpu).median
    yield Row(
        group=GROUP,
        name="processor time",
        against=REFERENCE,
        figure=processor,
        target=0.30,
        value=found.values(OURS, cpu).times(1000),
        control=again,
    )
    for name, share in allowed.items():
        yield _row(found, "time", name, share, control)


def _row(found: Rounds, name: str, against: str, target: float, control: float) -> Row:
    return Row(
        group=GROUP,
        name=name,
        against=against,
        figure=found.ratios(OURS, against, wall),
        target=target,
        value=found.values(OURS).times(1000),
        control=control,
    )


def _sklearn(workspace: Path, event: Mapping[str, Any]) -> Measure:
    import numpy as np  # noqa: PLC0415 - the table's own process needs it for nothing else

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
