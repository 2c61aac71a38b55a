"""What a model's `training.py` has to define, and how it is called, by its text: before anything of it runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from models.section import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from models.contract import Contract

PLAIN = ("X", "y", "params")
WEIGHTED = (*PLAIN, "weight")
"""The arguments of `fit` where `model.yaml` has weights."""
FIT_QUANTILE = "fit_quantile"
QUANTILE = (*PLAIN, "quantile")
WEIGHTED_QUANTILE = (*QUANTILE, "weight")
NO_FIT_QUANTILE = (
    f"has no {FIT_QUANTILE}, which interval in model.yaml needs; write def {FIT_QUANTILE}({', '.join(QUANTILE)})"
    ' beside fit: it returns an estimator of that quantile, as HistGradientBoostingRegressor(loss="quantile",'
    " quantile=quantile).fit(X, y)"
)


def no_weights(name: str, wanted: Sequence[str]) -> str:
    """Say that a function takes no weights, and what to write."""
    told = f"{name} takes no weights, which model.yaml gives the rows; write {name}({', '.join(wanted)})"
    return f"{told}, and pass weight to the estimator's fit as sample_weight"


def wants_more(name: str, wanted: Sequence[str]) -> str:
    """Say that a function wants more than it gets where rows have no weights, and what to write."""
    told = f"{name} wants more than {name}({', '.join(wanted)}), and model.yaml gives the rows no weights"
    return f"{told}; write weight=None, or weights in model.yaml"


def takes_too_few(name: str, wanted: Sequence[str]) -> str:
    """Say that a function takes fewer arguments than it gets, and what to write."""
    return f"{name} takes fewer arguments than it gets; write {name}({', '.join(wanted)})"


def lacks_fit(model: str, folder: Path = FOLDER) -> str | None:
    """Return why the `training.py` in `folder/<model>/` has no `fit`: it is not there, or no Python, or defines none.

    None where it has one, wherever that comes from.
    """
    file = folder / model / "training.py"
    where, accepted = f"{folder.name}/{model}/{file.name}", "accepted: a module that defines fit(X, y, params)"
    try:
        names = set(_bound(ast.parse(file.read_bytes())))
    except OSError:
        return f"{where} does not exist; {accepted}"
    except SyntaxError as problem:
        line = "" if problem.lineno is None else f":{problem.lineno}"
        return f"{where}{line}: is no Python: {problem.msg}; {accepted}"
    except ValueError as problem:
        return f"{where}: is no Python: {problem}; {accepted}"
    return f"{where} defines no fit; {accepted}" if {"fit", "*"}.isdisjoint(names) else None


def why_not(contract: Contract, folder: Path = FOLDER) -> str | None:
    """Return why the `training.py` in `folder/<model>/` cannot be called as its contract asks, and what to write.

    None where it can be, or nobody can tell: a file that is not there, or is no Python, is told about elsewhere.
    """
    file = folder / contract.name / "training.py"
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    where, weighted = f"{folder.name}/{contract.name}/{file.name}", contract.weights is not None
    called = {"fit": (PLAIN, WEIGHTED)}
    if contract.interval is not None:
        if {FIT_QUANTILE, "*"}.isdisjoint(_bound(tree)):
            return f"{where} {NO_FIT_QUANTILE}"
        called[FIT_QUANTILE] = (QUANTILE, WEIGHTED_QUANTILE)
    for name, (plain, with_weights) in called.items():
        if (function := _function(tree, name)) is None:
            continue
        given = [*function.args.posonlyargs, *function.args.args]
        if weighted and len(given) < len(with_weights) and function.args.vararg is None:
            return f"{where}:{function.lineno}: {no_weights(name, with_weights)}"
        if not weighted and len(given) < len(plain) and function.args.vararg is None:
            return f"{where}:{function.lineno}: {takes_too_few(name, plain)}"
        if not weighted and len(given) - len(function.args.defaults) > len(plain):
            return f"{where}:{function.lineno}: {wants_more(name, plain)}"
    return None


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """Return the one function of a module that has a name, if nothing but its text says how it is called."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    return found[0] if len(found) == 1 and found[0] in tree.body and not found[0].decorator_list else None


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
