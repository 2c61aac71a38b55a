"""A registered version that is open: it has answered its golden inputs as expected and is ready to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Spec, Tensor
    from functions.core.serving.json_schema import Schemas
    from models.feature import Feature


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the values of a column stand in a row of what a capture keeps of the inputs."""

    input: str
    start: int = 0
    stop: int = 0
    telling: tuple[int, ...] = ()
    """Positions of other columns' values that tell of it, as the days since it."""
    is_whole: bool = False
    """Whether the column is all of the input, of whatever shape."""


class Servable(ABC):
    """What serving does with a version, whatever kind of model it is: `Classifier`, `Regressor`, `OnnxModel`.

    The constructor opens it, and raises `BadModel` where that fails, or where its golden answers
    are not those of its making.
    """

    model: str
    version: str
    inputs: Mapping[str, Spec]
    outputs: Mapping[str, Spec]
    ids: tuple[str, ...] = ()
    """The columns that tell a row of a table from others: they come back beside its answer."""

    codes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """What the numbers of each category stand for, by the feature's name, in the order of the numbers."""

    @abstractmethod
    def encode(self, instances: Any) -> Mapping[str, Tensor]:
        """Return rows as people write them as the model's inputs. Raise `Problem` 400 or 413 that names the row."""

    @abstractmethod
    def admit(self, inputs: Mapping[str, Tensor]) -> None:
        """Check the values of inputs whose names, datatypes and shapes are right. Raise `Problem` 400 or 413."""

    @abstractmethod
    def answer(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Run the model and return every output.

        Raise `ModelFailure` where it fails, or its outputs are no answer; `Problem` where the inputs are at fault.
        """

    @abstractmethod
    def predictions(self, outputs: Mapping[str, Tensor], rows: int) -> list[dict[str, Any]]:
        """Return the answer to `rows` instances as people read it, one JSON object for each.

        Raise `Problem` 422 where the model does not answer row by row.
        """

    @abstractmethod
    def rows(self, outputs: Mapping[str, Tensor]) -> int:
        """Return how many rows an answer is about."""

    @abstractmethod
    def agreement(self, outputs: Mapping[str, Tensor], other: Servable, theirs: Mapping[str, Tensor]) -> int:
        """Return the number of rows to which this version (`outputs`) and another (`theirs`) give the same answer."""

    @abstractmethod
    def said(self, outputs: Mapping[str, Tensor]) -> list[Any]:
        """Return what an answer says of every row, as a truth of it would be told; empty where there is no truth."""

    @abstractmethod
    def contents(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], rows: int) -> dict[str, Any]:
        """Return what a capture keeps of the first `rows` rows, as JSON values."""

    @abstractmethod
    def places(self) -> dict[str, Place]:
        """Return where each column stands in what `contents` keeps of the inputs, by its name."""

    @abstractmethod
    def schemas(self) -> Schemas:
        """Return what callers send and get, as JSON schemas."""

    @abstractmethod
    def truth(self) -> Feature:
        """Return what the truth of an answer is: one of its classes, or a number. Raise `Problem` 400 for neither."""

    def columns(self) -> tuple[Feature, ...]:
        """Return the columns of a table whose rows this version answers.

        A category without categories is any text. Raise `Problem` 400 where a table cannot be an input.
        """
        raise Problem(400, f"{self.model} has no named features to be the columns of a table; accepted: JSON")

    def inputs_of(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Tensor]:
        """Return the columns of a table as the model's inputs. Raise `Problem` 400 for a value that does not fit.

        Each holds as many values: the numbers that `Feature.encode` gives, whole numbers as `int`, or texts.
        """
        raise NotImplementedError
