"""What a model's `training.py` has to define, looked up in its text: before anything of it runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from models.section import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from models.contract import Contract

FIT_QUANTILE = "fit_quantile"
NO_FIT_QUANTILE = (
    f"has no {FIT_QUANTILE}, which interval in model.yaml needs; write def {FIT_QUANTILE}(X, y, params, quantile)"
    ' beside fit: it returns an estimator of that quantile, as HistGradientBoostingRegressor(loss="quantile",'
    " quantile=quantile).fit(X, y)"
)


def lacking(contract: Contract, folder: Path = FOLDER) -> str | None:
    """Return what the `training.py` in `folder/<model>/` lacks that its contract asks for; None where nothing is known.

    A file that is not there, or is no Python, is told about elsewhere.
    """
    file = folder / contract.name / "training.py"
    if contract.interval is None or not file.is_file():
        return None
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None
    names = set(_bound(tree))
    if FIT_QUANTILE in names or "*" in names:
        return None
    return f"{folder.name}/{contract.name}/{file.name} {NO_FIT_QUANTILE}"


def _bound(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module binds, `*` where it takes all of another's."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name for alias in aliases)
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case _:
                yield from _bound(node)
