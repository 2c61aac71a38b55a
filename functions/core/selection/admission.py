"""Admission: what a bring-your-own model must prove before it may be registered, without any data."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.core.onnx.deadline import Within
from functions.core.onnx.session import BadModel, ModelFailure, Session
from functions.core.onnx.vocabulary import categories
from functions.core.registry.versions import FORMAT, Version, version_of
from functions.core.selection import sample_requests
from functions.core.selection.check import Check
from functions.core.selection.compatibility import broken
from functions.core.selection.html import Markup, badge, escape, facts, join, page, section, table
from functions.core.selection.report import checks_table
from functions.core.serving import golden
from functions.core.serving.golden import Case
from functions.core.serving.onnx_model import unfit_scores
from functions.core.serving.table_inputs import unfit_columns
from interface.onnx_file import unservable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.onnx.tensor import Spec
    from functions.core.onnx.vocabulary import Words
    from models.bring_your_own import BringYourOwn, Scores

_RUNS = 20
_ANSWERS_SECONDS = 30.0
"""How long a file may take to answer all of its sample requests, twice: a graph can loop for ever."""
_SECONDS = 4.0
"""How long the runs that measure the latency may take in all."""


@dataclass(kw_only=True)
class Examination:
    """The checks of a file, and what they found. A check that an earlier failure prevents is not among them."""

    checks: list[Check] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    inputs: tuple[Spec, ...] = ()
    outputs: tuple[Spec, ...] = ()

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if not check.passed]

    def check(self, name: str, complaint: str | None, detail: str = "") -> None:
        """Add a check that passes where there is no complaint."""
        detail = detail if complaint is None else complaint
        self.checks.append(Check(name=name, passed=complaint is None, value=None, bound=None, detail=detail))

    def measure(self, name: str, value: float, bound: float) -> None:
        """Add a check that passes where `value` is at most `bound`."""
        self.checks.append(Check(name=name, passed=value <= bound, value=value, bound=bound))


def examine(contract: BringYourOwn, onnx: bytes, requests: bytes | None, *, timed: bool = True) -> Examination:
    """Run every check of a file. `requests` is golden.json of the model's folder, None where there is none.

    Without `timed` the latency is not measured: on another machine it says nothing.
    """
    examination = Examination()
    examination.measure("bytes", len(onnx), contract.gate.maximum_bytes)
    if examination.failed:
        return examination
    if (why := unservable(onnx)) is not None:
        examination.check("opens", why)
        return examination
    try:
        session = Session(onnx)
    except BadModel as problem:
        examination.check("opens", str(problem))
        return examination
    examination.inputs, examination.outputs = (*session.inputs, *session.optional), session.outputs
    examination.check("opens", None, f"takes {_names(examination.inputs)}; gives {_names(session.outputs)}")
    if contract.scores is not None:
        examination.check("scores", unfit_scores(session, contract.scores.output, contract.scores.classes))
    if contract.columns:
        examination.check("columns", unfit_columns(session.inputs, contract.columns))
    with Within(_ANSWERS_SECONDS):
        _ask(examination, session, contract, requests, categories(onnx, [spec.name for spec in session.inputs]))
    if timed and not examination.failed:
        examination.measure("latency in ms", _latency(session, examination.cases[0]), contract.gate.maximum_latency_ms)
    return examination


def _ask(
    examination: Examination,
    session: Session,
    contract: BringYourOwn,
    requests: bytes | None,
    known: Mapping[str, Words],
) -> None:
    """Ask sample requests, and check that the answers come, come again, and are those expected."""
    expectations: list[Mapping[str, Any]] = []
    try:
        if requests is None:
            examination.cases.append(sample_requests.made_up(session, known))
        else:
            for case, expected in sample_requests.recorded(requests, session):
                examination.cases.append(case)
                expectations.append(expected)
    except sample_requests.NoSampleRequests as problem:
        advice = "golden.json " if requests is not None else "put golden.json next to it: "
        examination.check("answers", f"{advice}{problem}")
        return
    if contract.scores is not None and (why := _unscored(examination.cases, contract.scores)) is not None:
        examination.check("scores", why)
    kind, many = "golden" if requests else "made-up", "s" * (len(examination.cases) != 1)
    examination.check("answers", None, f"{len(examination.cases)} {kind} request{many}")
    tolerance = contract.gate.tolerance
    try:
        golden.check(session, golden.document(examination.cases, tolerance))
    except BadModel as problem:
        examination.check("answers the same again", str(problem))
    else:
        examination.check("answers the same again", None)
    if any(expectations):
        examination.check("answers as expected", _surprise(examination.cases, expectations, tolerance))


def _unscored(cases: list[Case], scores: Scores) -> str | None:
    """Return how an answer lacks a score for each class, which a signature of open lengths does not tell."""
    for case in cases:
        tensor, many = case.outputs.get(scores.output), len(scores.classes)
        if tensor is not None and tensor.shape[-1:] != (many,):
            said = f"scores: {scores.output} answers the shape {list(tensor.shape)}"
            return f"{said}; its last length must be that of the {many} classes"
    return None


def _surprise(cases: list[Case], expectations: list[Mapping[str, Any]], tolerance: float) -> str | None:
    for position, (case, expected) in enumerate(zip(cases, expectations, strict=True)):
        for name, tensor in expected.items():
            difference = golden.unlike(tensor, case.outputs.get(name), tolerance)
            if difference:
                return f"request {position}: {name} {difference}"
    return None


def _latency(session: Session, case: Case) -> float:
    """Return the median milliseconds of a request, after a first run that is not counted."""
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


def check_signature(examination: Examination, contract: BringYourOwn, live: str, before: Mapping[str, Any]) -> None:
    """Check that clients of the version `live` need not change, by its card `before`; or that the contract says so."""
    after = {**contract.meaning(), **_signature(examination)}
    changes = "; ".join(broken(before, after))
    told = f"{changes}; clients of the live version {live} would fail. To release it all the same, write"
    accepted = contract.accept_signature_change == live
    complaint = f'{told} accept_signature_change: "{live}" into model.yaml' if changes and not accepted else None
    examination.check("keeps its signature", complaint, f"accepted: {changes}" if changes else "")


def _signature(examination: Examination) -> dict[str, Any]:
    return {
        "inputs": [spec.document() for spec in examination.inputs],
        "outputs": [spec.document() for spec in examination.outputs],
    }


def version(contract: BringYourOwn, record: Mapping[str, Any], onnx: bytes, examination: Examination) -> Version:
    """Return the version that a file becomes which passed its examination."""
    card: dict[str, Any] = {
        "format": FORMAT,
        **contract.meaning(),
        **_signature(examination),
        "source": record["source"],
        "dataset": record["dataset"],
        "run": record["run"],
        "created": record["created"],
    }
    answers = golden.document(examination.cases, contract.gate.tolerance)
    return Version(model=contract.name, version=version_of(onnx, card, answers), onnx=onnx, card=card, golden=answers)


def render(contract: BringYourOwn, record: Mapping[str, Any], examination: Examination) -> bytes:
    """Return the HTML report of a file: what it takes and gives, and what it had to prove."""
    failed = len(examination.failed)
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
        (escape(spec.name), escape(side), escape(spec.datatype), escape(spec.shape_in_words))
        for side, specs in (("input", examination.inputs), ("output", examination.outputs))
        for spec in specs
    ]
    tensors = table("-1 is any length.", ("tensor", "side", "datatype", "shape"), signature)
    body = [
        head,
        about,
        section("Signature", tensors),
        section("Admission", checks_table(examination.checks, "The file.")),
    ]
    return page(contract.name, join(body))


def _names(specs: tuple[Spec, ...]) -> str:
    return ", ".join(f"{spec.name} {spec.datatype} {spec.shape_in_words}" for spec in specs)
