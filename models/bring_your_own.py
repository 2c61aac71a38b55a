"""The contract of a bring-your-own model: `model.yaml` next to a `model.onnx` of any signature. Nothing is trained."""

from __future__ import annotations

from operator import not_
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from models.complaint import Words, mistake
from models.labels import Labels, check_labels
from models.section import Described, Section

FILE = "model.onnx"
"""The name of the model's file, which holds all of its weights."""
GOLDEN = "golden.json"
"""The name of the file of inference requests with the responses that every version must give.

It is needed only for a model that does not work with generated inputs."""


class Scores(Section):
    """An output whose last axis holds a score for each class: the prediction is the class with the greatest."""

    output: str
    classes: tuple[str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _classes_are_unique(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise mistake("a class stands twice", "classes")
        return self


class Admission(Section):
    """What a file must fulfil before it may be registered."""

    maximum_bytes: int = Field(default=100_000_000, ge=1, le=200_000_000)
    maximum_latency_ms: float = Field(default=1000.0, gt=0)
    """The greatest median latency of the first golden request, in onnxruntime on the machine of the select step."""
    tolerance: float = Field(default=1e-4, gt=0, lt=1)
    """The greatest difference of an output from the golden one: relative to it, or absolute where it is near zero."""


Columns = Annotated[dict[str, Annotated[tuple[str, ...], Field(min_length=1)]], Words("lists of names, by inputs")]


class BringYourOwn(Described):
    """The contract of a model that is uploaded as a finished ONNX file."""

    task: Literal["finished"]
    scores: Scores | None = None
    columns: Columns = Field(default={}, exclude_if=not_)
    """For an input [rows, N]: the names of its N columns, in their order, by which a table is read."""
    accept_signature_change: Annotated[
        str | None, Field(pattern="^[0-9a-f]{16}$"), Words("the name of the live version: 16 hexadecimal digits")
    ] = Field(default=None, exclude_if=not_)
    """The live version that a file of another signature may replace, although its clients will have to change."""
    gate: Admission = Admission()
    labels: Labels = Field(default=Labels(), exclude_if=Labels().__eq__)
    """How truths that come later are used: the metric of a finished model is accuracy."""

    @model_validator(mode="after")
    def _columns_are_unique(self) -> Self:
        seen: set[str] = set()
        for name, columns in self.columns.items():
            for at, column in enumerate(columns):
                if not column.strip() or column != column.strip() or not column.isprintable():
                    raise mistake("a name is printable, not empty, and has no space around it", "columns", name, at)
                if column in seen:
                    raise mistake(f"{column} stands twice", "columns", name, at)
                seen.add(column)
        return self

    @model_validator(mode="after")
    def _floor_has_classes(self) -> Self:
        check_labels(self.labels, "accuracy")
        if self.labels.floor is not None and self.scores is None:
            raise mistake("goes with scores, whose classes a truth is one of", "labels", "minimum")
        return self

    def meaning(self) -> dict[str, Any]:
        """Return what inputs and outputs mean: the same file with another meaning is another version."""
        scores = None if self.scores is None else self.scores.model_dump(mode="json")
        columns = {name: list(columns) for name, columns in self.columns.items()}
        return {"task": self.task, "scores": scores, **({"columns": columns} if columns else {})}
