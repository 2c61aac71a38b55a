"""Micro-batching: callers who come while a model is busy are answered by one run, as soon as it is free."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from functions.core.onnx.tensor import SIZES, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Run = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]

MOST_ROWS = 256
"""Rows of one run for several callers. A caller with more is answered alone, and its rows are not copied."""


class Batch:
    """One model's runs, one at a time, for any number of threads.

    No call waits for others to come: one that finds the model free runs at once and alone. A
    model of many weights takes little longer for eight rows than for one, since reading the
    weights takes the time. Its rows must not depend on one another, and are the first axis of
    every input.
    """

    def __init__(self, run: Run, *, most_rows: int = MOST_ROWS) -> None:
        self._run = run
        self._most_rows = most_rows
        self._waiting: deque[_Call] = deque()
        self._queue = threading.Lock()
        self._free = threading.Lock()

    @property
    def waiting(self) -> int:
        """Callers whose run has not begun."""
        return len(self._waiting)

    def run(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return what the model's own `run` returns for these inputs, or raise what it raises for them."""
        if not self._waiting and self._free.acquire(blocking=False):
            try:
                return self._run(inputs)
            finally:
                self._free.release()
        call = _Call(inputs)
        with self._queue:
            self._waiting.append(call)
        with self._free:
            while not call.done:
                self._next()
        if call.problem is not None:
            raise call.problem
        return call.outputs

    def _next(self) -> None:
        with self._queue:
            calls = self._take()
        try:
            if len(calls) == 1 or not self._together(calls):
                for call in calls:
                    self._alone(call)
        except BaseException:
            # This thread is being ended: the calls are left to the threads of the others.
            with self._queue:
                self._waiting.extendleft(call for call in reversed(calls) if not call.done)
            raise

    def _take(self) -> list[_Call]:
        """Take the first call from the queue, and those right after it that one run can answer too."""
        first = self._waiting.popleft()
        calls, rows = [first], first.rows
        while self._waiting and first.kind is not None and self._waiting[0].kind == first.kind:
            rows += self._waiting[0].rows
            if rows > self._most_rows:
                break
            calls.append(self._waiting.popleft())
        return calls

    def _together(self, calls: Sequence[_Call]) -> bool:
        """Answer all calls by one run, and return whether that succeeded.

        It fails where the rows of a single call make the model fail; then each is asked alone.
        """
        rows = sum(call.rows for call in calls)
        try:
            outputs = self._run({name: _joined([call.inputs[name] for call in calls]) for name in calls[0].inputs})
        except Exception:
            return False
        if any(tensor.shape[:1] != (rows,) for tensor in outputs.values()):
            return False
        start = 0
        for call in calls:
            stop = start + call.rows
            call.finish({name: tensor.rows(start, stop) for name, tensor in outputs.items()})
            start = stop
        return True

    def _alone(self, call: _Call) -> None:
        try:
            call.finish(self._run(call.inputs))
        except Exception as problem:
            call.problem, call.done = problem, True


class _Call:
    __slots__ = ("done", "inputs", "kind", "outputs", "problem", "rows")

    def __init__(self, inputs: Mapping[str, Tensor]) -> None:
        self.inputs = inputs
        self.outputs: Mapping[str, Tensor] = {}
        self.problem: Exception | None = None
        self.done = False
        lengths = {tensor.shape[0] if tensor.shape else -1 for tensor in inputs.values()}
        self.rows = lengths.pop() if len(lengths) == 1 else -1
        fixed = self.rows < 1 or any(tensor.datatype not in SIZES for tensor in inputs.values())
        self.kind = None if fixed else {name: (t.datatype, t.shape[1:]) for name, t in inputs.items()}
        """Datatypes and row shapes that calls of one run have in common; None: the call is answered alone."""

    def finish(self, outputs: Mapping[str, Tensor]) -> None:
        self.outputs, self.done = outputs, True


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    first = tensors[0]
    rows = sum(tensor.shape[0] for tensor in tensors)
    memory = b"".join(tensor.data for tensor in tensors if isinstance(tensor.data, memoryview))
    return Tensor.over(first.datatype, (rows, *first.shape[1:]), memory)
