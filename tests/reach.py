"""The rules that what nothing uses goes: modules that no entry reaches, and names that only tests use.

What is loaded by its name is found where it is loaded: `import_module(f"bench.{name}").rows`
reaches every module directly in bench/ that has `rows`; a text "launcher.py" or
"bench.graph_ours" reaches the file that it names. A name is used if code uses it that is
used itself: what stands outside of all definitions, or in one that is used.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path, PurePath
from typing import Final

from infra.imports import bound, dotted, known
from tests.syntax import adapters, files, imports, module_name, nodes

PACKAGES: Final = ("infra", "functions", "interface", "models", "localcloud", "doctor", "sml", "bench")
NAMED_BY_THEIR_STEM: Final = "bench/peers/"
"""Each peer runs in an environment of its own, under the bare name that a suite passes."""
OF_A_MODEL: Final = re.compile(r"models/\w+/\w+\.py")
"""A user's own files: what a model's folder offers is called from outside."""
ENTRIES_OF_A_MODEL: Final = ("training.py", "client.py")
COMMANDS: Final = (
    "Makefile",
    "Pulumi.yaml",
    "README.md",
    "CONTRIBUTING.md",
    "docs/**/*.md",
    ".ci/*",
    ".github/workflows/*.yml",
    "sml/launcher.sh",
)
"""The files that name the modules that people, the CLI and checks run."""
CODE: Final = re.compile(r"\S*|.*\bimport\b.*", re.DOTALL)
"""Texts that may name something: a word, a dotted name, source."""
CALLED_BY_NAME: Final = ("ast.NodeVisitor", "ast.NodeTransformer", "http.server.BaseHTTPRequestHandler")
"""Classes that compute the names of the methods that they call."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef | ast.Assign | ast.AnnAssign
FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
Unit = tuple[str, str]
"""A definition: its file, and `name` or `Class.method`. The name of what stands outside of all is empty."""
BLOCK: Final = (ast.If, ast.Try, ast.TryStar, ast.For, ast.While, ast.With, ast.ExceptHandler)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method, the class around it, and that class's bases."""

    owner: str
    node: Function
    bases: tuple[str, ...]
    """Absolute dotted names; "?" for one that is computed."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """A place that names something."""

    owner: str
    """The definition that it stands in: `name`, or `Class.method`; empty outside of all."""
    names: tuple[str, ...] = ()
    """Absolute dotted names that it may stand for."""
    attribute: str = ""
    """The plain name or the attribute that is read."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a file defines, and what it uses."""

    defined: Mapping[str, Definition]
    """What stands at the top level, by its name."""
    methods: tuple[Method, ...]
    classes: Mapping[str, tuple[tuple[str, ...], frozenset[str]]]
    """The bases of each class at the top level, and the names of its methods."""
    bound: Mapping[str, str]
    """The names that imports bind, and what they stand for."""
    imported: frozenset[str]
    """Absolute dotted names, without what only a type checker sees."""
    uses: tuple[Use, ...]
    words: frozenset[str]
    """The words in its texts."""
    texts: frozenset[str]
    by_name: frozenset[tuple[str, str]]
    """Packages whose modules it loads by name, each with the attribute that it uses of them."""


def every_module_is_reached(root: Path) -> list[str]:
    """No module is there that no entry imports, loads by name or runs. One without code may be."""
    facts = _facts(root)
    trees = dict(files(root, *PACKAGES))
    commands = "\n".join(
        file.read_text(encoding="utf-8")
        for pattern in COMMANDS
        for file in sorted(root.glob(pattern))
        if file.is_file()
    )
    waiting = [path for path in trees if _is_entry(root, path, trees, commands)]
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
    alive = _alive(facts)
    problems = []
    for path, each in facts.items():
        if OF_A_MODEL.fullmatch(path):
            continue
        problems += [
            f"{path}:{node.lineno}: nothing uses {name}"
            for name, node in each.defined.items()
            if (path, name) not in alive
        ]
        problems += [
            f"{path}:{method.node.lineno}: nothing uses {method.owner}.{method.node.name}"
            for method in each.methods
            if (path, f"{method.owner}.{method.node.name}") not in alive
            and (method.owner not in each.defined or (path, method.owner) in alive)
        ]
    return problems


def _alive(facts: Mapping[str, Facts]) -> set[Unit]:
    """Return the definitions that are used, by file and name: first those that need no use, then what each uses."""
    modules = {module_name(path): path for path in facts}
    read = set[str]().union(*(each.words for each in facts.values()))
    methods: dict[str, list[Unit]] = {}
    uses: dict[Unit, list[Use]] = {}
    for path, each in facts.items():
        for method in each.methods:
            methods.setdefault(method.node.name, []).append((path, method.owner))
        for use in each.uses:
            uses.setdefault((path, use.owner), []).append(use)
    alive: set[Unit] = set()
    waiting = [*((path, "") for path in facts), *_needed_anyway(facts, read)]
    while waiting:
        unit = waiting.pop()
        if unit in alive:
            continue
        alive.add(unit)
        waiting += _called_methods(unit, facts, modules, read)
        for use in uses.get(unit, ()):
            waiting += [found for name in use.names for found in _defined_at(name, facts, modules)]
            if use.attribute not in read:
                read.add(use.attribute)
                waiting += [
                    (path, f"{owner}.{use.attribute}")
                    for path, owner in methods.get(use.attribute, ())
                    if (path, owner) in alive or owner not in facts[path].defined
                ]
    return alive


def _needed_anyway(facts: Mapping[str, Facts], words: set[str]) -> Iterator[Unit]:
    """Yield what nothing in the code has to use: what texts name, what is loaded by its name, a model's own."""
    loaded = {name for each in facts.values() for _, name in each.by_name}
    for path, each in facts.items():
        for name, node in each.defined.items():
            known_by_name = name in words or name in loaded or name.startswith("__")
            if known_by_name or OF_A_MODEL.fullmatch(path) or _registered(node, each):
                yield path, name


def _called_methods(
    unit: Unit, facts: Mapping[str, Facts], modules: Mapping[str, str], read: set[str]
) -> Iterator[Unit]:
    """Yield the methods of a class that are called, as far as is known when the class turns out to be used.

    The classes within functions are taken for used.
    """
    path, name = unit
    for method in facts[path].methods:
        within = method.owner == name or (not name and method.owner not in facts[path].defined)
        if within and (method.node.name in read or _is_called_from_outside(method, facts, modules)):
            yield path, f"{method.owner}.{method.node.name}"


def _defined_at(name: str, facts: Mapping[str, Facts], modules: Mapping[str, str]) -> Iterator[Unit]:
    """Yield the definition that an absolute name stands for, through the files that only pass it on."""
    for _ in range(9):
        module = name
        while module and module not in modules:
            module = module.rpartition(".")[0]
        head, _, rest = name[len(module) + 1 :].partition(".")
        if not module or not head:
            return
        each = facts[modules[module]]
        if head in each.defined:
            yield modules[module], head
            return
        if head not in each.bound:
            return
        name = ".".join(part for part in (each.bound[head], rest) if part)


def _is_called_from_outside(method: Method, facts: Mapping[str, Facts], modules: Mapping[str, str]) -> bool:
    """Return whether Python, a base class or a decorator of a package calls a method by its name."""
    name = method.node.name
    registered = any(
        "validator" in ast.unparse(d) or "serializer" in ast.unparse(d) for d in method.node.decorator_list
    )
    return name.startswith("__") or registered or any(_declares(base, name, facts, modules) for base in method.bases)


def _declares(base: str, name: str, facts: Mapping[str, Facts], modules: Mapping[str, str]) -> bool:
    """Return whether a class declares a method, or may; a class of ours is read, another one is asked."""
    for path, inner in _defined_at(base, facts, modules):
        bases, methods = facts[path].classes.get(inner, (("?",), frozenset()))
        return name in methods or any(_declares(other, name, facts, modules) for other in bases)
    return _offers(base, name)


@cache
def _offers(base: str, name: str) -> bool:
    module, _, attribute = base.rpartition(".")
    if base in CALLED_BY_NAME or base == "?":
        return True
    try:
        found = getattr(importlib.import_module(module or "builtins"), attribute)
    except (ImportError, AttributeError):
        return True
    return hasattr(found, name)


def _is_prose(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_entry(root: Path, path: str, trees: Mapping[str, ast.Module], commands: str) -> bool:
    """Return whether a command runs a module, a trigger names it as an adapter, or a model offers it."""
    file = PurePath(path)
    adapter = (
        path.startswith("functions/adapters/")
        and file.stem in {module for module, _ in adapters(root)}
        and f"infra/{file.parent.name}/__init__.py" in trees
    )
    runs = file.name == "__main__.py" or any(
        isinstance(node, ast.If) and "__name__ ==" in ast.unparse(node.test) for node in trees[path].body
    )
    name = re.escape(module_name(path).removesuffix(".__main__"))
    named = rf"(-m|^main:) {name}(?![\w.])|(?<![\w/]){re.escape(path)}\b"
    return (
        adapter
        or (runs and re.search(named, commands, re.MULTILINE) is not None)
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
    names = known(path, nodes(tree))
    defined, methods = dict(_defined(tree)), tuple(_methods(tree, names, module_name(path)))
    owner = _owners(defined, methods)
    loads = [(node, package) for node in nodes(tree) if (package := _loaded_by_name(node)) is not None]
    prose = {id(node.value) for node in nodes(tree) if isinstance(node, ast.Expr)}
    texts = frozenset(
        node.value
        for node in nodes(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
        if CODE.fullmatch(node.value)
    )
    return Facts(
        defined=defined,
        methods=methods,
        classes={
            node.name: (
                _bases(node, names, module_name(path)),
                frozenset(name for inner in node.body for name in _declared(inner)),
            )
            for node in defined.values()
            if isinstance(node, ast.ClassDef)
        },
        bound={local: full for node in nodes(tree) for local, full in bound(path, node)},
        imported=frozenset(name for _, name in imports(path, tree, typing=False)),
        uses=tuple(_uses(tree, names, defined, module_name(path), owner)),
        words=frozenset(word for text in texts for word in re.findall(r"\w+", text)),
        texts=texts,
        by_name=frozenset((package, node.attr) for node, package in loads if isinstance(node, ast.Attribute)),
    )


def _uses(
    tree: ast.Module,
    names: Mapping[str, list[str]],
    defined: Mapping[str, Definition],
    module: str,
    owner: Callable[[int], str],
) -> Iterator[Use]:
    for node in nodes(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            own = [f"{module}.{node.id}"] if node.id in defined else []
            yield Use(owner=owner(node.lineno), names=(*names.get(node.id, ()), *own), attribute=node.id)
        elif isinstance(node, ast.Attribute):
            yield Use(owner=owner(node.lineno), names=tuple(dotted(node, names)), attribute=node.attr)


def _owners(defined: Mapping[str, Definition], methods: Iterable[Method]) -> Callable[[int], str]:
    """Return what finds the innermost definition that a line stands in."""
    spans = [(node.lineno, node.end_lineno or node.lineno, name) for name, node in defined.items()]
    spans += [(m.node.lineno, m.node.end_lineno or m.node.lineno, f"{m.owner}.{m.node.name}") for m in methods]
    by_line: dict[int, str] = {}
    for first, last, name in sorted(spans, key=lambda span: span[0] - span[1]):
        by_line.update(dict.fromkeys(range(first, last + 1), name))
    return lambda line: by_line.get(line, "")


def _methods(tree: ast.Module, names: Mapping[str, list[str]], module: str) -> Iterator[Method]:
    for node in nodes(tree):
        if isinstance(node, ast.ClassDef):
            bases = _bases(node, names, module)
            yield from (
                Method(owner=node.name, node=inner, bases=bases) for inner in node.body if isinstance(inner, FUNCTION)
            )


def _bases(node: ast.ClassDef, names: Mapping[str, list[str]], module: str) -> tuple[str, ...]:
    """Return the bases of a class as absolute names: of this file, of another or of Python."""
    found = []
    for base in node.bases:
        plain = base.value if isinstance(base, ast.Subscript) else base
        own = [f"{module}.{plain.id}"] if isinstance(plain, ast.Name) and plain.id not in names else []
        full = dotted(plain, names) or own or ["?"]
        found.append(full[0])
    return tuple(found)


def _declared(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, FUNCTION):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))


def _defined(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Yield what stands at the top level, in the branches of an `if`, a `try`, a loop or a `with` too."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (*FUNCTION, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from (
                    (name.id, node)
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
                )
        elif isinstance(node, BLOCK):
            waiting += [
                child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.ExceptHandler))
            ]


def _loaded_by_name(node: ast.AST) -> str | None:
    """Return `package` of an `import_module(f"package.{name}").attribute`, None for any other node."""
    call = node.value if isinstance(node, ast.Attribute) else None
    if not isinstance(call, ast.Call) or not ast.unparse(call.func).endswith("import_module"):
        return None
    first = call.args[0].values[0] if call.args and isinstance(call.args[0], ast.JoinedStr) else None
    return str(first.value).removesuffix(".") if isinstance(first, ast.Constant) else None


def _registered(node: Definition, each: Facts) -> bool:
    """Return whether something of this file gets it as a decorator does, and calls it: `@app.get(...)`."""
    return isinstance(node, FUNCTION) and any(
        re.split(r"\W", ast.unparse(decorator))[0] in each.defined for decorator in node.decorator_list
    )


RULES: Final = (every_module_is_reached, every_name_is_used)
