"""One prediction: who answers, who is asked too, and what is kept of it."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from functions.core.http.problem import Problem
from functions.core.onnx.session import ModelFailure
from functions.core.runtime.digest import sha256
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.onnx.tensor import Tensor
    from functions.core.registry.captures import Captures
    from functions.core.serving.model_cache import ModelCache, Serving
    from functions.core.serving.servable import Servable

Variant = Literal["champion", "challenger", "pinned", "shadow"]
"""Who answered; "shadow" never does."""
CAPTURED_ROWS = 100
"""Rows of one request whose inputs and outputs are kept at most."""


def place(caller: str, version: str) -> float:
    """Where a caller stands in a release, 0 to 100: the same for every step of it, another in the next release."""
    digest = sha256(f"{version}\n{caller}".encode(errors="replace"))
    return int.from_bytes(digest[:8], "big") / 2**64 * 100


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a caller asks. `encode` makes the inputs of a version, or raises `Problem` when the version refuses them."""

    encode: Callable[[Servable], Mapping[str, Tensor]]
    caller: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """An answer, by whom, to which inputs, and how long the model took for it."""

    by: Servable
    variant: Variant
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    ms: float


class NotLoaded(Exception):
    """There is no such version at hand, though callers are to be served by it."""


Failed = ModelFailure | Problem | NotLoaded


class Predictor:
    """Predictions of one model.

    A caller who falls to the challenger is answered by it, and the champion is asked too, so
    that the two can be compared. When the challenger fails, the champion's answer is given
    and the failure is counted against the challenger. In the dark it is the other way round:
    the challenger is asked too, about a share of the requests, and the champion answers.
    """

    def __init__(
        self,
        model_cache: ModelCache,
        captures: Captures,
        *,
        capture_inputs: float = 0.0,
        clock: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.model = model_cache.model
        self.model_cache = model_cache
        self._captures = captures
        self._share = capture_inputs
        self._clock = clock
        self._stopwatch = stopwatch

    def predict(self, question: Question, version: str | None = None) -> Prediction:
        """Answer, by the named version or by whoever's turn it is.

        Raises `Problem` for a question that is refused, `ModelFailure` when the champion fails.
        """
        if version is not None:
            return self._ask_and_keep(question, self.model_cache.pinned(version), "pinned")
        serving = self.model_cache.current()
        if serving.contender is not None:
            if place(question.caller, serving.contender) < serving.weight:
                return self._challenge(question, serving, serving.contender)
            if place(question.request_id, serving.contender) < serving.shadow:
                return self._shadow(question, serving, serving.contender)
        return self._ask_and_keep(question, serving.champion, "champion")

    def _ask_and_keep(self, question: Question, by: Servable, variant: Variant) -> Prediction:
        try:
            prediction = self._ask(question, by, variant)
        except ModelFailure:
            self._keep(question, variant, by.version, status=500, error="failed")
            raise
        self._keep(question, variant, by.version, prediction)
        return prediction

    def _challenge(self, question: Question, serving: Serving, contender: str) -> Prediction:
        # Whoever is asked second finds the processor's caches warm: take turns, or the comparison is unfair.
        first = self._try(question, serving.champion, "champion") if _champion_first(question) else None
        challenged = self._try(question, serving.challenger, "challenger")
        champion = first or self._try(question, serving.champion, "champion")
        if isinstance(champion, Exception):
            # What the champion refuses or fails on is no fault of a challenger that answered.
            if isinstance(challenged, Prediction):
                self._keep(question, "challenger", contender, challenged)
                return challenged
            if isinstance(champion, ModelFailure):
                self._keep(question, "champion", serving.champion.version, status=500, error="failed")
            raise champion
        compared = {"version": champion.by.version, "ms": champion.ms}
        if not isinstance(challenged, Prediction):
            self._keep(question, "challenger", contender, champion, error=_error(challenged), champion=compared)
            return champion
        agreed = challenged.by.agreement(challenged.outputs, champion.by, champion.outputs)
        self._keep(question, "challenger", contender, challenged, agreed=agreed, champion=compared)
        return challenged

    def _shadow(self, question: Question, serving: Serving, contender: str) -> Prediction:
        """The champion's answer, whatever the challenger says about it: that is only kept."""
        first = None if _champion_first(question) else self._try_shadow(question, serving.challenger)
        champion = self._try(question, serving.champion, "champion")
        if isinstance(champion, Exception):
            if isinstance(champion, ModelFailure):
                self._keep(question, "champion", serving.champion.version, status=500, error="failed")
            raise champion
        asked = first or self._try_shadow(question, serving.challenger)
        answered = {"version": champion.by.version, "ms": champion.ms}
        if isinstance(asked, Prediction):
            try:
                agreed = asked.by.agreement(asked.outputs, champion.by, champion.outputs)
                self._keep(question, "shadow", contender, asked, by=champion.by, agreed=agreed, champion=answered)
            except Exception as problem:
                asked = ModelFailure(str(problem))
        if not isinstance(asked, Prediction):
            self._keep(question, "shadow", contender, champion, error=_error(asked), champion=answered)
        return champion

    def _try_shadow(self, question: Question, by: Servable | None) -> Prediction | Failed:
        """Whatever a challenger does that nobody hears, its caller must not feel it."""
        try:
            return self._try(question, by, "shadow")
        except Exception as problem:
            return ModelFailure(str(problem))

    def _try(self, question: Question, by: Servable | None, variant: Variant) -> Prediction | Failed:
        if by is None:
            return NotLoaded()
        try:
            return self._ask(question, by, variant)
        except (ModelFailure, Problem) as problem:
            return problem

    def _ask(self, question: Question, by: Servable, variant: Variant) -> Prediction:
        inputs = question.encode(by)
        start = self._stopwatch()
        outputs = by.answer(inputs)
        ms = round((self._stopwatch() - start) * 1000, 3)
        return Prediction(by=by, variant=variant, inputs=inputs, outputs=outputs, ms=ms)

    def _keep(
        self,
        question: Question,
        variant: Variant,
        version: str,
        prediction: Prediction | None = None,
        *,
        by: Servable | None = None,
        status: int = 200,
        **facts: Any,
    ) -> None:
        """`by` gave the answer that the caller got, if it is not the one of `prediction`."""
        record: dict[str, Any] = {
            "time": round(self._clock(), 3),
            "request": question.request_id,
            "caller": _pseudonym(question.caller),
            "model": self.model,
            "version": version,
            "variant": variant,
            "status": status,
            **facts,
        }
        if prediction is not None:
            own, answered = prediction.by, by or prediction.by
            record |= {"ms": prediction.ms, "rows": own.rows(prediction.outputs), "answered_by": answered.version}
            if self._share and place(question.request_id, "inputs") < self._share * 100:
                record |= own.contents(prediction.inputs, prediction.outputs, CAPTURED_ROWS)
        self._captures.add(record)


@lru_cache(maxsize=1024)
def _pseudonym(caller: str) -> str:
    return sha256(caller.encode(errors="replace")).hex()[:16]


def _champion_first(question: Question) -> bool:
    return place(question.request_id, "order") < 50


def _error(problem: Failed) -> str:
    match problem:
        case NotLoaded():
            return "not loaded"
        case ModelFailure():
            return "failed"
        case Problem():
            return "refused"
