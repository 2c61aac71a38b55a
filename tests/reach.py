"""The rules that what nothing uses goes: modules that no entry reaches, and names that only tests use.

What is loaded by its name is found where it is loaded: `import_module(f"bench.{name}").rows`
reaches every module directly in bench/ that has `rows`; a text "launcher.py" or
"bench.graph_ours" reaches the file that it names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Final

from infra.imports import bound
from tests.syntax import adapters, files, module_name

PACKAGES: Final = ("infra", "functions", "interface", "models", "localcloud", "bench")
NAMED_BY_THEIR_STEM: Final = "bench/peers/"
"""Each peer runs in an environment of its own, under the bare name that a suite passes."""
OF_A_MODEL: Final = re.compile(r"models/\w+/\w+\.py")
"""A user's own files: what a model's folder offers is called from outside."""
ENTRIES_OF_A_MODEL: Final = ("training.py", "client.py")
CODE: Final = re.compile(r"\S*|.*\bimport\b.*", re.DOTALL)
"""Texts that may name something: a word, a dotted name, source."""
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
METHOD: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a file defines, and what it uses."""

    defined: Mapping[str, Definition]
    """What stands at the top level, by its name."""
    imported: frozenset[str]
    """Absolute dotted names."""
    used: frozenset[str]
    """Absolute dotted names that are imported, or are attributes of an imported module."""
    read: Mapping[str, list[int]]
    """The lines at which a plain name or an attribute is read."""
    words: frozenset[str]
    """The words in its texts."""
    texts: frozenset[str]
    by_name: frozenset[tuple[str, str]]
    """Packages whose modules it loads by name, each with the attribute that it uses of them."""
    methods: list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]] = field(default_factory=list)
    """Methods of classes that inherit from none."""


def every_module_is_reached(root: Path) -> list[str]:
    """No module is there that no entry imports, loads by name or runs. One without code may be."""
    facts = _facts(root)
    trees = dict(files(root, *PACKAGES))
    waiting = [path for path in trees if _is_entry(root, path, trees[path])]
    reached = set(waiting)
    while waiting:
        path = waiting.pop()
        new = set(_led_to(path, facts)) - reached
        reached |= new
        waiting.extend(new)
    return [
        f"{path}: no entry reaches it"
        for path, tree in trees.items()
        if path not in reached and not all(_is_prose(node) for node in tree.body)
    ]


def every_name_is_used(root: Path) -> list[str]:
    """No function, class, constant or method is there that only tests use.

    The rule does not see a method that shares its name with an attribute that is read somewhere, nor a
    name that stands alone in a text.
    """
    facts = _facts(root)
    used = frozenset[str]().union(*(each.used for each in facts.values()))
    words = frozenset[str]().union(*(each.words for each in facts.values()))
    loaded = {name for each in facts.values() for _, name in each.by_name}
    problems = []
    for path, each in facts.items():
        if OF_A_MODEL.fullmatch(path):
            continue
        problems += [
            f"{path}:{node.lineno}: nothing uses {name}"
            for name, node in each.defined.items()
            if name not in words | loaded
            and not name.startswith("__")
            and f"{module_name(path)}.{name}" not in used
            and not _read_outside(each.read.get(name, ()), node)
            and not _registered(node, each.defined)
        ]
        problems += [
            f"{path}:{node.lineno}: nothing uses {name}.{node.name}"
            for name, node in each.methods
            if node.name not in words and not node.name.startswith("__")
            if not any(
                _read_outside(other.read.get(node.name, ()), node if path == where else None)
                for where, other in facts.items()
            )
        ]
    return problems


def _is_prose(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_entry(root: Path, path: str, tree: ast.Module) -> bool:
    """Return whether a module is run, is an adapter that a trigger names, or is what a model offers."""
    file = PurePath(path)
    adapter = path.startswith("functions/adapters/") and file.stem in {module for module, _ in adapters(root)}
    return (
        any(isinstance(node, ast.If) and "__name__ ==" in ast.unparse(node.test) for node in tree.body)
        or file.name == "__main__.py"
        or adapter
        or (bool(OF_A_MODEL.fullmatch(path)) and file.name in ENTRIES_OF_A_MODEL)
    )


def _led_to(path: str, facts: Mapping[str, Facts]) -> Iterator[str]:
    """Yield the files that a file leads to, and the packages around them."""
    files_of = _files_by_name(tuple(facts))
    each = facts[path]
    named = {module_name(path), *each.imported, *each.texts}
    for text in each.texts:
        named.update(f"{base}.{name}" for base, name in re.findall(r"from ([\w.]+) import (\w+)", text))
        named.update(re.findall(r"^([\w.]+):\w+$", text))
    for package, attribute in each.by_name:
        named.update(
            module
            for module in map(module_name, facts)
            if module.rpartition(".")[0] == package and attribute in facts[files_of[module][0]].defined
        )
    top = path.split("/", maxsplit=1)[0]
    for name in named:
        yield from (file for file in files_of.get(name, ()) if file.startswith(f"{top}/"))
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            yield from (file for file in files_of.get(".".join(parts[:depth]), ()))


@lru_cache(maxsize=8)
def _files_by_name(paths: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Return files by what names them: the module, the name of the file, the stem of a peer."""
    files_of: dict[str, list[str]] = {}
    for path in paths:
        names = [module_name(path), path.rpartition("/")[2]]
        if path.startswith(NAMED_BY_THEIR_STEM):
            names.append(module_name(path).rpartition(".")[2])
        for name in names:
            files_of.setdefault(name, []).append(path)
    return files_of


def _facts(root: Path) -> dict[str, Facts]:
    return {path: _facts_of(path, tree) for path, tree in files(root, *PACKAGES)}


@lru_cache(maxsize=2048)
def _facts_of(path: str, tree: ast.Module) -> Facts:
    nodes = list(ast.walk(tree))
    bindings = [binding for node in nodes for binding in bound(path, node)]
    known, imported = dict(bindings), frozenset(name for _, name in bindings)
    read: dict[str, list[int]] = {}
    used, by_name = set(imported), set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read.setdefault(node.id, []).append(node.lineno)
        elif isinstance(node, ast.Attribute):
            read.setdefault(node.attr, []).append(node.lineno)
            if (package := _loaded_by_name(node.value)) is not None:
                by_name.add((package, node.attr))
            elif (dotted := _dotted(node)) is not None:
                head, _, rest = dotted.partition(".")
                used.add(f"{known.get(head, head)}.{rest}")
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = frozenset(
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
        if CODE.fullmatch(node.value)
    )
    return Facts(
        defined=dict(_defined(tree)),
        imported=imported,
        used=frozenset(used),
        read=read,
        words=frozenset(word for text in texts for word in re.findall(r"\w+", text)),
        texts=texts,
        by_name=frozenset(by_name),
        methods=[
            (node.name, inner)
            for node in nodes
            if isinstance(node, ast.ClassDef) and not node.bases
            for inner in node.body
            if isinstance(inner, METHOD)
        ],
    )


def _defined(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    for node in tree.body:
        if isinstance(node, (*METHOD, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from ((name.id, node) for name in ast.walk(target) if isinstance(name, ast.Name))


def _dotted(node: ast.expr) -> str | None:
    """Return `a.b.c` for such an expression, None for any other."""
    rest = ""
    while isinstance(node, ast.Attribute):
        node, rest = node.value, f".{node.attr}{rest}"
    return node.id + rest if isinstance(node, ast.Name) else None


def _loaded_by_name(node: ast.expr) -> str | None:
    """Return `package` of an `import_module(f"package.{name}")`, None for any other expression."""
    if not isinstance(node, ast.Call) or not (_dotted(node.func) or "").endswith("import_module"):
        return None
    first = node.args[0].values[0] if node.args and isinstance(node.args[0], ast.JoinedStr) else None
    return str(first.value).removesuffix(".") if isinstance(first, ast.Constant) else None


def _read_outside(lines: list[int] | tuple[()], node: Definition | None) -> bool:
    """Return whether it is read anywhere but in its own definition."""
    return any(node is None or not node.lineno <= line <= (node.end_lineno or node.lineno) for line in lines)


def _registered(node: Definition, defined: Mapping[str, Definition]) -> bool:
    """Return whether something of this file gets it as a decorator does, and calls it: `@app.get(...)`."""
    return isinstance(node, METHOD) and any(
        re.split(r"\W", ast.unparse(decorator))[0] in defined for decorator in node.decorator_list
    )


RULES: Final = (every_module_is_reached, every_name_is_used)
