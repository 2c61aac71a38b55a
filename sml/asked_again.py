"""Captured rows as the inputs of a version that others were asked before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.onnx.tensor import INTEGERS, Tensor
from functions.core.registry.versions import features_of
from functions.core.serving.tabular import Tabular

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Spec
    from functions.core.serving.servable import Servable
    from functions.core.watching.captured_rows import CapturedRows
    from models.feature import Feature


class NotAskable(Exception):
    """Why a version cannot be asked what another one was."""


class AskedAgain:
    """Makes inputs of a version out of rows that another one was asked."""

    def __init__(self, servable: Servable, card: Mapping[str, Any], then: Mapping[str, Any]) -> None:
        """`card` is that of the version, `then` that of the one that was asked.

        Raise `NotAskable` where the contracts differ in what the version takes.
        """
        self._servable = servable
        self._columns: Mapping[str, Sequence[str]] = card.get("columns", {})
        if isinstance(servable, Tabular):
            if "features" not in then:
                raise NotAskable("of a finished model, which takes other inputs")
            require_alike(features_of(card), features_of(then))
            self._names: dict[str, Sequence[str]] = {servable.input: [term.name for term in servable.terms]}
        else:
            if "features" in then:
                raise NotAskable("of a model that was trained here, which takes other inputs")
            self._names = {}

    def require(self, rows: CapturedRows) -> None:
        """Raise `NotAskable` where rows lack something that the version takes."""
        for name, spec in self._servable.inputs.items():
            if name not in self._names:
                self._names[name] = self._named(name, spec, rows)
        needed = [column for names in self._names.values() for column in names]
        require_columns(rows, needed)

    def _named(self, name: str, spec: Spec, rows: CapturedRows) -> Sequence[str]:
        """Return the columns of an input of a finished model, as they were captured."""
        if name in self._columns:
            return self._columns[name]
        width = spec.row[0] if spec.row else 1
        if width == -1:
            width = sum(one.startswith(f"{name}[") for one in rows.inputs) or 1
        return [name] if width == 1 else [f"{name}[{at}]" for at in range(width)]

    def inputs(self, rows: CapturedRows, part: slice) -> dict[str, Tensor]:
        """Return some of the rows as inputs."""
        return {
            name: _tensor(self._servable.inputs[name], [rows.inputs[column][part] for column in names])
            for name, names in self._names.items()
        }


def require_columns(rows: CapturedRows, needed: Sequence[str]) -> None:
    """Raise `NotAskable` where rows lack a column that a version takes."""
    if hidden := sorted({one for one in needed if one in rows.redacted or one.partition("[")[0] in rows.redacted}):
        raise NotAskable(f"without {', '.join(hidden)}, which captures do not keep (capture.redact)")
    if missing := [column for column in needed if column not in rows.inputs]:
        raise NotAskable(f"without {', '.join(missing)}, which this version takes")


def _tensor(spec: Spec, columns: Sequence[np.ndarray]) -> Tensor:
    rows = len(columns[0])
    shape = (rows,) if spec.row == () else (rows, len(columns))
    flat: list[Any] = [value for row in zip(*(column.tolist() for column in columns), strict=True) for value in row]
    if spec.datatype in INTEGERS:
        flat = [0 if value != value else int(value) for value in flat]  # noqa: PLR0124 - NaN is unlike itself
    elif spec.datatype == "BOOL":
        flat = [bool(value) for value in flat]
    elif spec.datatype == "BYTES":
        flat = ["" if value is None else str(value) for value in flat]
    return Tensor.of(spec.datatype, shape, flat)


def require_alike(ours: Sequence[Feature], theirs: Sequence[Feature]) -> None:
    """Raise `NotAskable` for a feature that was not asked for then, or whose numbers meant something else."""
    then = {one.name: one for one in theirs}
    for one in ours:
        other = then.get(one.name)
        if other is None:
            raise NotAskable(f"of another contract: {one.name} was not asked for then")
        if _meaning(one) != _meaning(other):
            raise NotAskable(f"of another contract: the numbers of {one.name} meant something else then")


def _meaning(feature: Feature) -> tuple[Any, ...]:
    return feature.kind, feature.names, feature.parts, feature.cyclic, feature.since, feature.words
