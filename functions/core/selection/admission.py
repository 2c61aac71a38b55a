"""What a finished model must prove before it may be registered, on nothing but itself."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.core.onnx.session import BadModel, ModelFailure, Session
from functions.core.registry.versions import FORMAT, Version, version_of
from functions.core.selection import sample_requests
from functions.core.selection.gate import Check
from functions.core.selection.html import Markup, badge, escape, facts, join, page, section, table
from functions.core.selection.report import checks_table
from functions.core.serving import golden
from functions.core.serving.golden import Case
from functions.core.serving.onnx_model import unfit_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.onnx.tensor import Spec
    from models.bring_your_own import BringYourOwn

_RUNS = 20
_SECONDS = 4.0
"""How long the runs that measure the latency may take together."""


@dataclass(kw_only=True)
class Examination:
    """What was asked, and what came out of it. Whatever cannot be asked any more is not among the checks."""

    checks: list[Check] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    inputs: tuple[Spec, ...] = ()
    outputs: tuple[Spec, ...] = ()

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if not check.passed]

    def ask(self, name: str, complaint: str | None, praise: str = "") -> bool:
        """Note whether there is something to complain of."""
        detail = praise if complaint is None else complaint
        self.checks.append(Check(name=name, passed=complaint is None, value=None, bound=None, detail=detail))
        return complaint is None

    def measure(self, name: str, value: float, bound: float) -> None:
        self.checks.append(Check(name=name, passed=value <= bound, value=value, bound=bound))


def examine(contract: BringYourOwn, onnx: bytes, requests: bytes | None) -> Examination:
    """Every check of a file; `requests` are the golden ones beside it, in the protocol's JSON, or None."""
    found = Examination()
    found.measure("bytes", len(onnx), contract.gate.maximum_bytes)
    if found.failed:
        return found
    try:
        session = Session(onnx)
    except BadModel as problem:
        found.ask("opens", str(problem))
        return found
    found.inputs, found.outputs = session.inputs, session.outputs
    found.ask("opens", None, f"takes {_names(session.inputs)}; gives {_names(session.outputs)}")
    if contract.scores is not None:
        found.ask("scores", unfit_scores(session, contract.scores.output, contract.scores.classes))
    _try(found, session, contract, requests)
    if not found.failed:
        found.measure("latency in ms", _latency(session, found.cases[0]), contract.gate.maximum_latency_ms)
    return found


def _try(found: Examination, session: Session, contract: BringYourOwn, requests: bytes | None) -> None:
    expectations: list[Mapping[str, Any]] = []
    try:
        if requests is None:
            found.cases.append(sample_requests.made_up(session))
        else:
            for case, expected in sample_requests.given(requests, session):
                found.cases.append(case)
                expectations.append(expected)
    except sample_requests.NoSampleRequests as problem:
        advice = "golden.json " if requests is not None else "put golden.json beside it: "
        found.ask("answers", f"{advice}{problem}")
        return
    kind, many = "golden" if requests else "made-up", "s" * (len(found.cases) != 1)
    found.ask("answers", None, f"{len(found.cases)} {kind} request{many}")
    tolerance = contract.gate.tolerance
    try:
        golden.check(session, golden.document(found.cases, tolerance))
    except BadModel as problem:
        found.ask("answers the same again", str(problem))
    else:
        found.ask("answers the same again", None)
    if any(expectations):
        found.ask("answers as expected", _surprise(found.cases, expectations, tolerance))


def _surprise(cases: list[Case], expectations: list[Mapping[str, Any]], tolerance: float) -> str | None:
    for place, (case, expected) in enumerate(zip(cases, expectations, strict=True)):
        for name, tensor in expected.items():
            difference = golden.unlike(tensor, case.outputs.get(name), tolerance)
            if difference:
                return f"request {place}: {name} {difference}"
    return None


def _latency(session: Session, case: Case) -> float:
    """Median milliseconds of the first request, after one that is not counted."""
    times: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(times) <= _RUNS and (len(times) < 3 or time.perf_counter() < end):
        started = time.perf_counter()
        try:
            session.run(case.inputs)
        except ModelFailure:  # it has answered this very request before
            return float("inf")
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times[1:]), 4)


def version(contract: BringYourOwn, record: Mapping[str, Any], onnx: bytes, found: Examination) -> Version:
    """The version that a file becomes which has passed."""
    card: dict[str, Any] = {
        "format": FORMAT,
        **contract.meaning(),
        "inputs": [_written(spec) for spec in found.inputs],
        "outputs": [_written(spec) for spec in found.outputs],
        "source": record["source"],
        "dataset": record["dataset"],
        "run": record["run"],
        "created": record["created"],
    }
    kept = golden.document(found.cases, contract.gate.tolerance)
    return Version(model=contract.name, version=version_of(onnx, card), onnx=onnx, card=card, golden=kept)


def render(contract: BringYourOwn, record: Mapping[str, Any], found: Examination) -> bytes:
    """The page of a file: what it takes and gives, and what it had to prove."""
    failed = len(found.failed)
    head = Markup(
        f"<h1>{escape(contract.name)}</h1>\n"
        f"<p>{badge(not failed, f'refused: {failed} checks failed' if failed else 'passed')}</p>\n"
        f'<p class="lead">{escape(contract.description)}</p>\n'
    )
    about = facts(
        [
            ("file", Markup(f"{escape(record['source'])}, <code>{escape(record['dataset'][:16])}</code>")),
            ("run", Markup(f"<code>{escape(record['run'])}</code>, begun {escape(record['created'])}")),
        ]
    )
    signature = [
        (escape(spec.name), escape(side), escape(spec.datatype), escape(list(spec.shape)))
        for side, specs in (("input", found.inputs), ("output", found.outputs))
        for spec in specs
    ]
    tensors = table("-1 is any length.", ("tensor", "side", "datatype", "shape"), signature)
    body = [head, about, section("Signature", tensors), section("Admission", checks_table(found.checks, "The file."))]
    return page(contract.name, join(body))


def _written(spec: Spec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _names(specs: tuple[Spec, ...]) -> str:
    return ", ".join(f"{spec.name} {spec.datatype} {list(spec.shape)}" for spec in specs)
