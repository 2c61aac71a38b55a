"""What a finished model must say: `model.yaml` beside a `model.onnx` of any signature. Nothing is trained."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from models.section import Described, Section

FILE = "model.onnx"
"""The model. It holds all of its weights."""
GOLDEN = "golden.json"
"""Inference requests whose answers every version is held to, if the model cannot do with inputs that are made up."""


class Scores(Section):
    """An output whose last axis holds a score for each class: answers are told by the greatest one."""

    output: str
    classes: tuple[str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes: a class stands twice")
        return self


class Admission(Section):
    """What a file must prove before it may be registered."""

    maximum_bytes: int = Field(default=100_000_000, ge=1, le=200_000_000)
    maximum_latency_ms: float = Field(default=1000.0, gt=0)
    """Median of the first golden request, through onnxruntime, on the machine that judges."""
    tolerance: float = Field(default=1e-4, gt=0, lt=1)
    """How far a number of an answer may lie from the one that it was, as a share of it, and beside zero as it is."""


class BringYourOwn(Described):
    task: Literal["finished"]
    scores: Scores | None = None
    gate: Admission = Admission()

    def meaning(self) -> dict[str, Any]:
        """What the file's answers mean: with another one, the same file is another version."""
        return {"task": self.task, "scores": None if self.scores is None else self.scores.model_dump(mode="json")}
