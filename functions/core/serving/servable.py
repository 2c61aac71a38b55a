"""A registered version, opened, proven on its golden inputs, and ready to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Spec, Tensor
    from functions.core.serving.json_schema import Schemas


class Servable(ABC):
    """What serving knows of a version, whatever kind of model it is.

    Opening one raises `BadModel` when it cannot be opened, or does not answer as it did when it was made.
    """

    model: str
    version: str
    inputs: Mapping[str, Spec]
    outputs: Mapping[str, Spec]

    @abstractmethod
    def encode(self, instances: Any) -> Mapping[str, Tensor]:
        """Rows as people write them, as the model's inputs. Raises `Problem` 400 or 413 that names the row."""

    @abstractmethod
    def admit(self, inputs: Mapping[str, Tensor]) -> None:
        """Check inputs that have the right names, datatypes and shapes. Raises `Problem` 400 or 413."""

    @abstractmethod
    def answer(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Every output. Raises `ModelFailure`, also for what is no answer; `Problem` when the inputs are at fault."""

    @abstractmethod
    def predictions(self, outputs: Mapping[str, Tensor], rows: int) -> list[dict[str, Any]]:
        """The answer to so many instances as people read it, one for each, of values that JSON knows.

        Raises `Problem` 422 when the model does not answer row by row.
        """

    @abstractmethod
    def rows(self, outputs: Mapping[str, Tensor]) -> int:
        """How many rows an answer is about."""

    @abstractmethod
    def agreement(self, outputs: Mapping[str, Tensor], other: Servable, theirs: Mapping[str, Tensor]) -> int:
        """Rows to which this version and another give the same answer."""

    @abstractmethod
    def contents(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], rows: int) -> dict[str, Any]:
        """What a capture keeps of the first `rows` rows."""

    @abstractmethod
    def schemas(self) -> Schemas:
        """What callers send and get, as JSON schemas."""

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raises `Problem` 400 for a table, named column by column, of which no row could be an instance."""
        raise Problem(400, f"{self.model} has no named features to be the columns of a table; accepted: JSON")

    def instance_of(self, cells: Mapping[str, str]) -> Any:
        """A row of such a table, its cells as text, as `encode` takes one."""
        raise NotImplementedError
