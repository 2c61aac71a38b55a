"""What a Python module imports: by statements and by calls, and which of its code runs at all."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

LOADERS: Mapping[str, str] = {
    "__import__": "name",
    "importlib.__import__": "name",
    "importlib.import_module": "name",
    "pkgutil.resolve_name": "name",
    "runpy.run_module": "mod_name",
}
"""Functions that import the module that their first argument names, each with the name of that argument."""
_TYPE_CHECKING = "TYPE_CHECKING"
_OF_THE_MACHINE = frozenset({"sys.platform", "os.name", "platform.system", "platform.machine", "sys.version_info"})
"""What a condition asks that chooses by the machine or the interpreter: either branch may be left out there."""
_WRITERS = frozenset({"exec", "eval", "globals", "locals", "vars", "setattr", "__builtins__"})
"""What can define a name that stands nowhere in the text."""
_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


_CHILDLESS = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
"""Nodes that only say how the one around them is meant: half of a tree, with nothing of their own."""


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes directly below a node, in the order of the text, but for those that say nothing by themselves.

    `ast.iter_child_nodes` with them takes several times as long, and a preview looks at the nodes of 170 modules.
    """
    found: list[ast.AST] = []
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            if not isinstance(value, _CHILDLESS):
                found.append(value)
        elif isinstance(value, list):
            found += [each for each in value if isinstance(each, ast.AST) and not isinstance(each, _CHILDLESS)]
    return found


def every(tree: ast.AST) -> list[ast.AST]:
    """Return a tree and every node below it, those that are nearer first."""
    found = [tree]
    for node in found:
        found += children(node)
    return found


def surrounded(tree: ast.Module) -> dict[ast.AST, ast.AST]:
    """Return every node that may run, in the order of the text, with the one around it.

    That is all but those that only a type checker reads, and the tree itself.
    """
    found: dict[ast.AST, ast.AST] = {}
    waiting: list[tuple[ast.AST, ast.AST]] = [(child, tree) for child in reversed(children(tree))]
    while waiting:
        node, around = waiting.pop()
        found[node] = around
        below = children(node)
        if isinstance(node, ast.If):
            holds = _holds(node.test)
            below = [node.test, *(node.body if holds is not False else ()), *(node.orelse if not holds else ())]
        waiting += [(child, node) for child in reversed(below)]
    return found


def bound(path: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what an import statement binds: the name that is known in the file, and its absolute dotted name.

    `path` is the module's file, from the root; `*` is a name like others.
    """
    if isinstance(node, ast.Import):
        yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(path, "." * node.level + (node.module or ""))
        yield from ((alias.asname or alias.name, f"{base}.{alias.name}") for alias in node.names)


def known(path: str, nodes: Iterable[ast.AST]) -> dict[str, list[str]]:
    """Return what the names that import statements bind stand for, as absolute dotted names."""
    names: dict[str, list[str]] = {}
    for node in nodes:
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        for name, dotted in bound(path, node):
            head, plain = name.partition(".")[0], name == dotted
            names.setdefault(head, []).append(head if plain else dotted)
    return names


def dotted(node: ast.AST, names: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the absolute names that an expression `a.b.c` or `getattr(a.b, "c")` may stand for; none for another.

    A name that is Python's own stands for itself: `eval`. Others that no import binds stand for nothing.
    """
    if isinstance(node, ast.Call) and not _is_getattr(node):
        return []
    rest = ""
    while True:
        if isinstance(node, ast.Attribute):
            node, rest = node.value, f".{node.attr}{rest}"
        elif isinstance(node, ast.Call) and _is_getattr(node):
            node, rest = node.args[0], f".{_text(node.args[1])}{rest}"
        else:
            break
    if not isinstance(node, ast.Name):
        return []
    own = [node.id] if hasattr(builtins, node.id) else []
    return [(name + rest).removeprefix("builtins.") for name in names.get(node.id, own)]


def called(path: str, node: ast.AST, names: Mapping[str, Sequence[str]]) -> str | None:
    """Return the module that a call imports by a name that is written out; None for any other node."""
    if not isinstance(node, ast.Call):
        return None
    loader = next((name for name in dotted(node.func, names) if name in LOADERS), None)
    if loader is None:
        return None
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    name = _text(node.args[0] if node.args else keywords.get(LOADERS[loader]))
    if name is None or not name.startswith("."):
        return name and name.replace(":", ".")
    package = node.args[1] if len(node.args) > 1 else keywords.get("package")
    if isinstance(package, ast.Name) and package.id == "__package__":
        return _absolute(path, name)
    base = _text(package)
    return None if base is None else _absolute(f"{base.replace('.', '/')}/__init__.py", name)


def imported(path: str, nodes: Collection[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
    """Yield everything that nodes of a module import, as absolute dotted names: the module, or what is in it."""
    names = known(path, nodes)
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((node, name) for _, name in bound(path, node))
        elif isinstance(node, ast.Call) and (module := called(path, node, names)) is not None:
            yield node, module


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One import that a module cannot do without, unless it is optional."""

    line: int
    module: str
    """The absolute name of what must be a module."""
    name: str | None
    """What is taken from it, where it is an import from: a module in it, or another name."""
    optional: bool
    """Whether the code goes on without it."""
    instead_of: tuple[Wanted, ...] = ()
    """Imports in whose place this one is tried: it is not needed where there is each of them."""


def defined(path: str, nodes: Iterable[ast.AST]) -> frozenset[str] | None:
    """Return the names that a module may define, of all its nodes; None where its text does not tell.

    Nobody can tell what `import *`, `__getattr__`, or code that writes names by itself define.
    """
    names = set[str]()
    for node in nodes:
        if isinstance(node, ast.Name):
            if node.id in _WRITERS:
                return None
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(name.partition(".")[0] for name, _ in bound(path, node))
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            names.add(node.name or "")
        elif isinstance(node, ast.MatchMapping):
            names.add(node.rest or "")
    return None if names & {"*", "__getattr__"} else frozenset(names)


def wanted(path: str, tree: ast.Module, around: Mapping[ast.AST, ast.AST]) -> tuple[Wanted, ...]:
    """Return what a module imports when it runs, with the lines; `around` is what `surrounded` returns of its tree.

    An import is optional in a `try` that catches ImportError, in `suppress(ImportError)`, and below a condition on
    the platform or on Python's version. What stands in the `except` is needed where the `try` would fail.
    """
    names = known(path, around)
    leading = {each for node, _ in imported(path, around) for each in _climbed(node, around)}

    def of(node: ast.AST, optional: bool, instead_of: tuple[Wanted, ...]) -> Iterator[Wanted]:
        if node not in leading:
            return
        yield from _own(path, node, names, optional, instead_of)
        if isinstance(node, ast.Try) and any(_catches(handler.type, names) for handler in node.handlers):
            first = tuple(each(node.body, True, instead_of))
            yield from first
            yield from each(node.handlers, optional, (*instead_of, *first))
            yield from each([*node.orelse, *node.finalbody], optional, instead_of)
            return
        below = optional or _chooses(node, names) or _suppresses(node, names)
        yield from each(children(node), below, instead_of)

    def each(children: Iterable[ast.AST], optional: bool, instead_of: tuple[Wanted, ...]) -> Iterator[Wanted]:
        for child in children:
            yield from of(child, optional, instead_of)

    return tuple(each(children(tree), False, ()))


def _climbed(node: ast.AST, around: Mapping[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    """Yield a node that runs, and all that are around it, up to the tree."""
    while node in around:
        yield node
        node = around[node]


def _own(
    path: str, node: ast.AST, names: Mapping[str, Sequence[str]], optional: bool, instead_of: tuple[Wanted, ...]
) -> Iterator[Wanted]:
    """Yield what a node itself imports."""
    found: list[tuple[str, str | None]] = []
    if isinstance(node, ast.Import):
        found = [(alias.name, None) for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(path, "." * node.level + (node.module or ""))
        found = [(base, None if alias.name == "*" else alias.name) for alias in node.names]
    elif isinstance(node, ast.Call) and (module := called(path, node, names)) is not None:
        found = [(module, None)]
    for module, name in found:
        line = getattr(node, "lineno", 1)
        yield Wanted(line=line, module=module, name=name, optional=optional, instead_of=instead_of)


def _catches(kind: ast.expr | None, names: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a handler of these exceptions catches a failed import."""
    if kind is None:
        return True
    parts = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(_CAUGHT & set(dotted(part, names)) for part in parts)


def _chooses(node: ast.AST, names: Mapping[str, Sequence[str]]) -> bool:
    if not isinstance(node, (ast.If, ast.IfExp)):
        return False
    return any(
        _OF_THE_MACHINE & set(dotted(part, names))
        for part in ast.walk(node.test)
        if isinstance(part, (ast.Attribute, ast.Name))
    )


def _suppresses(node: ast.AST, names: Mapping[str, Sequence[str]]) -> bool:
    if not isinstance(node, ast.With):
        return False
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    return any(
        "contextlib.suppress" in dotted(call.func, names) and any(_catches(kind, names) for kind in call.args)
        for call in calls
    )


def _absolute(path: str, name: str) -> str:
    """Return the absolute form of a name that begins with a dot for each level, in the module of that file.

    A name with more dots than there are packages around the file has none, and stays as it is.
    """
    module = name.lstrip(".")
    level = len(name) - len(module)
    if not level:
        return module
    package = path.removesuffix(".py").split("/")[:-1]
    if level > len(package):
        return name
    return ".".join([*package[: len(package) - level + 1], *([module] if module else [])])


def _holds(test: ast.expr) -> bool | None:
    """Return whether a condition on `TYPE_CHECKING` holds when the module runs; None where that is open."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _holds(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        decisive = isinstance(test.op, ast.Or)
        parts = [_holds(value) for value in test.values]
        return decisive if decisive in parts else None if None in parts else not decisive
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else None
    return False if name == _TYPE_CHECKING else None


def _is_getattr(node: ast.Call) -> bool:
    named = isinstance(node.func, ast.Name) and node.func.id == "getattr"
    return named and len(node.args) > 1 and _text(node.args[1]) is not None


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
