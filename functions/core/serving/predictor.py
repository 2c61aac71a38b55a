"""One prediction: which version answers, which one is asked too, and what is captured of it."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from functions.core.http.messages import KEY_DIGITS
from functions.core.http.problem import Problem
from functions.core.onnx.deadline import Within, seconds_left
from functions.core.onnx.session import ModelFailure
from functions.core.runtime.digest import pseudonym, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from functions.core.onnx.tensor import Tensor
    from functions.core.registry.captures import Captures
    from functions.core.serving.model_cache import ModelCache, Serving
    from functions.core.serving.redaction import Redaction
    from functions.core.serving.servable import Servable

    class Payload(Protocol):
        """What is asked: `Instances` in rows, `open_inference.Inference` in tensors."""

        @property
        def encoded(self) -> bool: ...  # whether categories are told by their numbers

        def encode(self, servable: Servable) -> Mapping[str, Tensor]:
            """Return it as the inputs of a version. Raise `Problem` 400 or 413 where it does not fit the version."""
            ...


Variant = Literal["champion", "previous", "challenger", "pinned", "shadow"]
"""The role of the version that was asked. "previous" stands in for a champion that does not load. The answer of a
"shadow" is compared, and no caller gets it."""
CAPTURED_ROWS = 100
"""The most rows of one request whose inputs and outputs are captured."""
_name_of = lru_cache(maxsize=1024)(pseudonym)


def hash_percent(key: str, salt: str) -> float:
    """Return a number from 0 to 100, evenly spread over keys, and always the same for a key and a salt.

    A caller, with the challenger's version as salt, so stays on one side of the traffic split
    while its share of the callers rises, and falls anew in the next release.
    """
    digest = sha256(f"{salt}\n{key}".encode(errors="replace"))
    return int.from_bytes(digest[:8], "big") / 2**64 * 100


class Instances:
    """Rows as people write them: objects by name, or lists in the model's order."""

    __slots__ = ("rows",)
    encoded = False

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def encode(self, servable: Servable) -> Mapping[str, Tensor]:
        """Return the rows as the inputs of a version. Raise `Problem` 400 or 413 where they do not fit it."""
        return servable.encode(self.rows)


class Question:
    """What a caller asks, as data: a challenger may be asked the same as the champion."""

    __slots__ = ("caller", "key", "payload", "request_id")

    def __init__(self, payload: Payload, *, caller: str, request_id: str, key: str | None = None) -> None:
        """`key` is how the caller will name the rows when it knows their truths."""
        self.payload = payload
        self.caller = caller
        self.request_id = request_id
        self.key = key


class Prediction:
    """The answer of a version: to which inputs, in which role, and in how many milliseconds of the model's own."""

    __slots__ = ("inputs", "ms", "outputs", "servable", "variant")

    def __init__(
        self,
        *,
        servable: Servable,
        variant: Variant,
        inputs: Mapping[str, Tensor],
        outputs: Mapping[str, Tensor],
        ms: float,
    ) -> None:
        self.servable = servable
        self.variant: Variant = variant
        self.inputs = inputs
        self.outputs = outputs
        self.ms = ms

    @property
    def labels(self) -> dict[str, str]:
        """The headers that name the version which answered."""
        servable = self.servable
        return {"x-model": servable.model, "x-model-version": servable.version, "x-model-variant": self.variant}

    def document(self) -> dict[str, Any]:
        """Return the answer row by row. Raise `Problem` 422 where the model does not answer so."""
        servable, rows = self.servable, next(iter(self.inputs.values())).shape[0]
        answered = {"model": servable.model, "version": servable.version, "variant": self.variant}
        return {**answered, "predictions": servable.predictions(self.outputs, rows)}


class NotLoaded(Exception):
    """The challenger of the pointer could not be opened, so there is nothing to ask."""


Failed = ModelFailure | Problem | NotLoaded


class Predictor:
    """Predictions of one model, by the traffic split of its live pointer.

    Canary: a caller on the challenger's side of the split is answered by the challenger, and the
    champion is asked the same, so that the two can be compared. Where the challenger fails, the
    caller gets the champion's answer, and the failure counts against the challenger.

    Shadow: the champion answers, and the challenger is asked the same about a share of the requests.
    A caller who tells categories by numbers means the champion's: where a challenger has others, it is not asked.
    """

    def __init__(
        self,
        model_cache: ModelCache,
        captures: Captures,
        *,
        capture_inputs: float = 0.0,
        redaction: Redaction | None = None,
        clock: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`capture_inputs` is the share of requests, 0 to 1, whose inputs and outputs are captured by `redaction`.

        `clock` gives seconds since the epoch, `stopwatch` seconds since any moment.
        """
        self.model = model_cache.model
        self.model_cache = model_cache
        self.captures = captures
        self.share = capture_inputs
        self._redaction = redaction
        self.clock = clock
        self._stopwatch = stopwatch

    def predict(self, question: Question, version: str | None = None) -> Prediction:
        """Answer by the named version, or by the one that the traffic split chooses, and capture the request.

        Raise `Problem` for a question that is refused, `ModelFailure` where the champion fails.
        """
        if version is not None:
            return self._ask_and_capture(question, self.model_cache.pinned(version), "pinned")
        serving = self.model_cache.current()
        if serving.contender is not None and not (question.payload.encoded and serving.recodes):
            if hash_percent(question.caller, serving.contender) < serving.weight:
                return self._canary(question, serving, serving.contender)
            if hash_percent(question.request_id, serving.contender) < serving.shadow:
                return self._shadow(question, serving, serving.contender)
        return self._ask_and_capture(question, serving.champion, _role(serving))

    def _ask_and_capture(self, question: Question, servable: Servable, variant: Variant) -> Prediction:
        try:
            prediction = self._ask(question, servable, variant)
        except ModelFailure:
            self._capture(question, variant, servable.version, status=500, error="failed")
            raise
        self._capture(question, variant, servable.version, prediction)
        return prediction

    def _canary(self, question: Question, serving: Serving, contender: str) -> Prediction:
        """Return the challenger's answer; the champion's where the challenger failed, refused or is not loaded."""
        # The second to be asked finds the processor's caches warm: they take turns, or the comparison is unfair.
        first = self._try(question, serving.champion, _role(serving)) if _champion_first(question) else None
        challenger = self._try(question, serving.challenger, "challenger")
        champion = first or self._try(question, serving.champion, _role(serving))
        if isinstance(champion, Exception):
            # What the champion refuses or fails on is no fault of a challenger that answered.
            if isinstance(challenger, Prediction):
                self._capture(question, "challenger", contender, challenger)
                return challenger
            if isinstance(champion, ModelFailure):
                self._capture(question, _role(serving), serving.champion.version, status=500, error="failed")
            raise champion
        if not isinstance(challenger, Prediction):
            self._capture(question, "challenger", contender, champion, error=_error(challenger), other=champion)
            return champion
        agreed = challenger.servable.agreement(challenger.outputs, champion.servable, champion.outputs)
        self._capture(question, "challenger", contender, challenger, agreed=agreed, other=champion)
        return challenger

    def _shadow(self, question: Question, serving: Serving, contender: str) -> Prediction:
        """Return the champion's answer, whatever the challenger says: that is only captured."""
        first = None if _champion_first(question) else self._try_shadow(question, serving.challenger)
        champion = self._try(question, serving.champion, _role(serving))
        if isinstance(champion, Exception):
            if isinstance(champion, ModelFailure):
                self._capture(question, _role(serving), serving.champion.version, status=500, error="failed")
            raise champion
        shadow = first or self._try_shadow(question, serving.challenger)
        if isinstance(shadow, Prediction):
            try:
                agreed = shadow.servable.agreement(shadow.outputs, champion.servable, champion.outputs)
                by = champion.servable
                self._capture(question, "shadow", contender, shadow, answered_by=by, agreed=agreed, other=champion)
            except Exception as problem:
                shadow = ModelFailure(str(problem))
        if not isinstance(shadow, Prediction):
            self._capture(question, "shadow", contender, champion, error=_error(shadow), other=champion)
        return champion

    def _try_shadow(self, question: Question, servable: Servable | None) -> Prediction | Failed:
        """Ask a version whose answer no caller gets: no caller may notice how it fails either."""
        try:
            return self._try(question, servable, "shadow")
        except Exception as problem:
            return ModelFailure(str(problem))

    def _try(self, question: Question, servable: Servable | None, variant: Variant) -> Prediction | Failed:
        if servable is None:
            return NotLoaded()
        try:
            if variant == "champion":
                return self._ask(question, servable, variant)
            # The champion is asked too, and needs the rest of the time.
            with Within(seconds_left() / 2):
                return self._ask(question, servable, variant)
        except (ModelFailure, Problem) as problem:
            return problem

    def _ask(self, question: Question, servable: Servable, variant: Variant) -> Prediction:
        inputs = question.payload.encode(servable)
        start = self._stopwatch()
        outputs = servable.answer(inputs)
        ms = round((self._stopwatch() - start) * 1000, 3)
        return Prediction(servable=servable, variant=variant, inputs=inputs, outputs=outputs, ms=ms)

    def _capture(
        self,
        question: Question,
        variant: Variant,
        version: str,
        prediction: Prediction | None = None,
        *,
        answered_by: Servable | None = None,
        other: Prediction | None = None,
        status: int = 200,
        **facts: Any,
    ) -> None:
        """Capture what `version` did as `variant`.

        `prediction` is the one that is recorded, None where none succeeded. `answered_by` is the
        version whose answer the caller got, if it is not its own; `other` is the champion's prediction.
        """
        record: dict[str, Any] = {
            "time": round(self.clock(), 3),
            "request": question.request_id,
            "caller": _name_of(question.caller, 16),
            "model": self.model,
            "version": version,
            "variant": variant,
            "status": status,
            **facts,
            **({} if other is None else {"champion": {"version": other.servable.version, "ms": other.ms}}),
            **({} if question.key is None else {"key": pseudonym(question.key, KEY_DIGITS)}),
        }
        if prediction is not None:
            own, outputs = prediction.servable, prediction.outputs
            record |= {"ms": prediction.ms, "rows": own.rows(outputs), "answered_by": (answered_by or own).version}
            if self.share >= 1 or (self.share and hash_percent(question.request_id, "inputs") < self.share * 100):
                contents = own.contents(prediction.inputs, outputs, CAPTURED_ROWS)
                if self._redaction is not None:
                    self._redaction.apply(own, contents)
                record |= contents
                if other is not None and other is not prediction and (said := own.said(outputs)):
                    record["said"] = said[:CAPTURED_ROWS]
                    record["champion"]["said"] = other.servable.said(other.outputs)[:CAPTURED_ROWS]
        self.captures.add(record)


def _role(serving: Serving) -> Variant:
    """Return the role of the version that answers as champion."""
    return "previous" if serving.stands_in else "champion"


def _champion_first(question: Question) -> bool:
    return hash_percent(question.request_id, "order") < 50


def _error(problem: Failed) -> str:
    if isinstance(problem, NotLoaded):
        return "not loaded"
    return "failed" if isinstance(problem, ModelFailure) else "refused"
