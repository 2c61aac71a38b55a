"""Compare the binding with a C program over the same library: whole processes, one prediction each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import subject
from bench.cold import PEERS
from bench.measure import cpu, in_turn
from bench.row import Missing, Row
from bench.runtime_api import ended
from bench.weights import ours, plain_process

GROUP = "binding, small tabular model, whole process"
OURS, FLOOR, AGAIN, REFERENCE = "binding", "a C program", "the C program, again", "numpy + onnxruntime"


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    model = workspace / "tabular.onnx"
    model.write_bytes(subject.tabular())
    variants = {OURS: ours(model, subject.WIDTH), REFERENCE: plain_process(model, subject.WIDTH)}
    compiler = shutil.which("cc")
    if compiler is None:
        yield Missing(group=GROUP, name=FLOOR, reason="there is no C compiler here")
    else:
        program = workspace / "floor"
        ended([compiler, "-O2", "-o", str(program), str(PEERS / "floor.c"), "-ldl"])
        library = next((subject.unpacked() / "onnxruntime" / "capi").glob("libonnxruntime.*"))
        command = [str(program), str(library), str(model), str(subject.WIDTH)]
        variants |= {FLOOR: lambda: ended(command), AGAIN: lambda: ended(command)}
    measured = in_turn(variants, rounds=rounds, say=say)
    control = measured.ratios(AGAIN, FLOOR).median if compiler else None
    for against, value, name, target in (
        (FLOOR, None, "time", 2.0),
        (REFERENCE, None, "time", None),
        (REFERENCE, cpu, "processor time", None),
    ):
        if against not in variants:
            continue
        options = {} if value is None else {"value": value}
        yield Row(
            group=GROUP,
            name=name,
            against=against,
            figure=measured.ratios(OURS, against, **options),
            target=target,
            value=measured.values(OURS, **options).times(1000),
            control=control,
        )
