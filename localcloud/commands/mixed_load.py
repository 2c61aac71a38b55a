"""Requests of every kind at once: rows and tensors for each model, metadata, readiness, and what is refused.

Every answer is compared with the earlier one of the same version to the same request.
"""

from __future__ import annotations

import itertools
import json
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud.commands.client import Call, Client, Outcomes, Reply
from localcloud.commands.swaps import alike
from localcloud.support.while_inside import WhileInside
from models.file_type import client as file_type

MANY = 100
"""The rows of a larger request to a trained model."""
SHOWN_WRONG = 3
CODES = {"FP32": "f", "INT32": "i", "INT64": "q"}
"""Python's codes for the types of tensors."""
LENGTH = "inference-header-content-length"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request that the clients repeat."""

    call: Call
    rows: int = 0
    """The number of rows that are to be answered; 0 for a response without rows."""
    read: Callable[[Reply], Sequence[Any]] = lambda _: ()
    """Returns the answered rows of a response."""


@dataclass(kw_only=True)
class MixedFigures(Outcomes):
    """What the clients of a mixed load saw."""

    answers: Counter[str] = field(default_factory=Counter)
    """The number of responses as expected, by the name of what was asked."""
    wrong: list[str] = field(default_factory=list)
    """The first few answers with other rows than asked for, or that differ from earlier ones of their version."""


class MixedLoad(WhileInside):
    """Asks some questions in turn from several threads, until the `with` block ends.

    with MixedLoad("127.0.0.1:8400", questions(cases), clients=4) as load:
        ...
    load.figures
    """

    def __init__(self, address: str, asked: Sequence[Question], *, clients: int) -> None:
        super().__init__(clients)
        self._address = address
        self._asked = asked
        self._known: dict[tuple[str, str], Sequence[Any]] = {}
        self.figures = MixedFigures()

    @property
    def complete(self) -> bool:
        """Whether every question was answered."""
        with self.figures.lock:
            return self.figures.answers.keys() == {question.call.name for question in self._asked}

    @property
    def convincing(self) -> bool:
        """Whether every question was answered, and none wrongly."""
        return self.complete and not self.figures.failed and not self.figures.wrong

    def work(self, number: int) -> None:
        client = Client(self._address, f"mixed-{number}", self.figures)
        for turn in itertools.count(number):
            if self.over.is_set():
                break
            question = self._asked[turn % len(self._asked)]
            if reply := client.send(question.call):
                self._record(question, reply)
            self.over.wait(client.rest)
        client.close()

    def _record(self, question: Question, reply: Reply) -> None:
        rows = self._rows(question, reply)
        asked = question.call.name, reply.headers.get("x-model-version", "")
        with self.figures.lock:
            self.figures.answers[question.call.name] += 1
            right = len(rows) == question.rows and alike(rows, self._known.setdefault(asked, rows))
            if not right and len(self.figures.wrong) < SHOWN_WRONG:
                self.figures.wrong.append(f"{question.call.name}: {len(rows)} rows of {question.rows} by {asked[1]}")

    def _rows(self, question: Question, reply: Reply) -> Sequence[Any]:
        try:
            return list(question.read(reply))
        except (KeyError, TypeError, ValueError):
            return []


def questions(trained: str, cases: Sequence[Mapping[str, float]], finished: str) -> list[Question]:
    """Return what a client may ask of a stack with a trained model, of which there are cases, and `file_type`."""
    rows = [list(case.values()) for case in cases[:MANY]]
    # As its own client asks: a file takes 11 ms of a processor, so that a hundred at once from each of several clients
    # take longer than a call may.
    files = [file_type.row_of(bytes(range(n, n + 100)), b"") for n in range(file_type.BATCH_ROWS)]
    models = (("trained", trained, rows, "features", "FP32"), ("finished", finished, files, "bytes", "INT32"))
    return [
        question
        for kind, model, instances, tensor, datatype in models
        for question in (
            _predict(f"{kind}, a row", model, instances[:1]),
            _predict(f"{kind}, {len(instances)} rows", model, instances),
            _infer(f"{kind}, {len(instances)} rows of bytes", model, instances, tensor, datatype),
            _get(f"{kind}, metadata", f"/v2/models/{model}"),
            _get(f"{kind}, readiness", f"/v2/models/{model}/ready"),
            _refused(f"{kind}, a bad row", f"/models/{model}/predict", b'{"instances": [["no number"]]}', 400),
        )
    ] + [
        _get("readiness", "/v2/health/ready"),
        _refused("an unknown model", "/models/nobody/predict", b'{"instances": [[1]]}', 404),
        _refused("broken JSON", f"/models/{trained}/predict", b'{"instances": [[1, 2', 400),
    ]


def _predict(name: str, model: str, instances: Sequence[Any]) -> Question:
    call = Call(name=name, path=f"/models/{model}/predict", body=json.dumps({"instances": instances}).encode())
    return Question(call=call, rows=len(instances), read=lambda reply: reply.content.get("predictions", ()))


def _infer(name: str, model: str, rows: Sequence[Sequence[float]], tensor: str, datatype: str) -> Question:
    content = array(CODES[datatype], itertools.chain.from_iterable(rows)).tobytes()
    described = {"name": tensor, "datatype": datatype, "shape": [len(rows), len(rows[0])]}
    header = json.dumps(
        {
            "inputs": [{**described, "parameters": {"binary_data_size": len(content)}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    headers = {"content-type": "application/octet-stream", LENGTH: str(len(header))}
    call = Call(name=name, path=f"/v2/models/{model}/infer", body=header + content, headers=headers)
    return Question(call=call, rows=len(rows), read=_tensors)


def _get(name: str, path: str) -> Question:
    return Question(call=Call(name=name, method="GET", path=path))


def _refused(name: str, path: str, body: bytes, status: int) -> Question:
    return Question(call=Call(name=name, path=path, body=body, expected=status))


def _tensors(reply: Reply) -> Sequence[Any]:
    """Return the rows of an answer whose tensors are bytes, each with its values of all outputs."""
    length = int(reply.headers[LENGTH])
    at, rows = length, []
    for output in json.loads(reply.body[:length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        values = array(CODES[output["datatype"]], reply.body[at : at + size]).tolist()
        at, many = at + size, output["shape"][0]
        rows.append([values[n * len(values) // many : (n + 1) * len(values) // many] for n in range(many)])
    return [list(row) for row in zip(*rows, strict=True)]
