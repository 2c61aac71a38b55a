"""What was answered of the rows of a model, and what is a truth of them, whatever kind of model it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from functions.core.registry.truths import Truth
    from functions.core.training.answers import Answers
    from functions.core.training.task import Task
    from functions.core.watching.captured_columns import CapturedColumns
    from functions.core.watching.captured_rows import CapturedRows
    from models.feature import Feature
    from models.labels import Labels

Card = dict[str, Any]


class Captured(NamedTuple):
    """One captured row."""

    inputs: Sequence[float]
    """The numbers that the version got, NaN where one is missing or redacted; empty of a finished model."""
    outputs: Sequence[float]
    """The numbers of its answer."""


class Answered(ABC):
    """`TrainedAnswers` for a model that is trained here, `BringYourOwnAnswers` for a finished one."""

    @property
    @abstractmethod
    def task(self) -> Task[Any]:
        """By what answers are measured."""

    @property
    @abstractmethod
    def measure(self) -> str:
        """The metric whose floor the contract may name, as records call it."""

    @property
    @abstractmethod
    def metrics(self) -> Sequence[str]:
        """All that is measured."""

    @property
    @abstractmethod
    def labels(self) -> Labels:
        """What the contract says of truths."""

    @property
    @abstractmethod
    def truth(self) -> Feature:
        """What a truth is."""

    @property
    @abstractmethod
    def columns(self) -> tuple[Feature, ...]:
        """The columns of a dataset, without its target, that a captured row can be written as; none where nothing is
        trained."""

    @property
    @abstractmethod
    def lacks(self) -> tuple[str, ...]:
        """Further columns that a dataset needs, and no captured row has."""

    @property
    @abstractmethod
    def remark(self) -> str:
        """What is to be known of the figures besides; "" for nothing."""

    @abstractmethod
    def captured(self, card: Card) -> CapturedColumns:
        """Return the columns by which captures are read of what the version of a card answered.

        Raise `ValueError`, `LookupError` or `TypeError` for a card of another kind of model.
        """

    @abstractmethod
    def rows(self, rows: CapturedRows, card: Card) -> Callable[[int], Captured]:
        """Return what gives each of the rows, by its place, that were read by the columns of `captured`."""

    @abstractmethod
    def why_not_comparable(self, card: Card) -> str:
        """Return why truths of now are none of the answers of a version; "" where they are."""

    @abstractmethod
    def answers(self, inputs: np.ndarray, outputs: np.ndarray, card: Card) -> Answers:
        """Return answers of the version of a card: `inputs` float64 [rows, terms], `outputs` float64 [rows, numbers]"""

    @abstractmethod
    def y(self, truths: Sequence[Truth]) -> np.ndarray:
        """Return truths as metrics take them: positions of classes int64 [rows], or numbers float64 [rows]."""

    @abstractmethod
    def cells(self, card: Card) -> Callable[[Sequence[float]], Sequence[str]]:
        """Return what writes the numbers of a row as the cells of `columns`, for the version of a card."""
