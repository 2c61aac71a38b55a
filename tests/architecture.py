"""The rules that keep the directions of imports, and the shape of the tree: each reads files and says where it is
broken.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final, Protocol

from infra.tier import Tier
from tests.syntax import adapters, files, imports, module_name, nodes


class Rule(Protocol):
    """A rule returns what is wrong in the tree below a root, a sentence each."""

    __name__: str

    def __call__(self, root: Path, /) -> list[str]: ...


WORDS: Final = {
    "store": "storage",
    "queue": "queue",
    "function": "function",
    "api": "gateway",
    "workflow": "workflow",
    "arrival": "arrival",
    "schedule": "schedule",
    "upload": "upload",
}
"""The file that implements a word of the vocabulary, the same in every cloud."""
NOUNS: Final = (*WORDS.values(), "access")
"""The files of a cloud's folder that have the same name in every cloud; a grant is a word, too, but no component. Other
files there are the cloud's own."""
HANDLED: Final = tuple(noun for noun in NOUNS if noun != "upload")
"""Those that have a file of their own among an embedded cloud's resources: storage handles uploads, too."""
NEEDS: Final[Mapping[Tier, tuple[str, ...]]] = {
    Tier.PREVIEW: (
        "tests/graph_{cloud}.py",
        "tests/infra/{cloud}_facts.py",
        "tests/infra/{cloud}_breakages.py",
        "tests/infra/{cloud}/whole.py",
        "tests/infra/{cloud}/broken.py",
    ),
    Tier.DEPLOYABLE: ("infra/{cloud}/quotas.py",),
    Tier.EMBEDDED: (
        "localcloud/{cloud}/__init__.py",
        "localcloud/requirements/{cloud}.in",
        "localcloud/requirements/{cloud}.txt",
        "tests/localcloud/on_{cloud}.py",
    ),
}
"""What a tier needs besides the files of the nouns, the entries and the locks: see docs/add-a-cloud.md."""
KNOWN_CLOUDS: Final = frozenset({"aws", "gcp", "azure"})
"""Clouds whose names may not be compared with, even before they are there."""
HOUSE: Final = ("infra", "functions", "interface", "models", "localcloud")
ROOMS: Final = (
    "http",
    "storage",
    "onnx",
    "runtime",
    "registry",
    "serving",
    "dataset",
    "jobs",
    "release",
    "training",
    "api",
    "selection",
)
"""The packages of functions/core, in their order: each may import those before it."""
BINDING: Final = tuple(f"functions/core/onnx/{name}.py" for name in ("library", "session"))
"""The files that call onnxruntime's C library."""
LINES_OF_A_FILE: Final = 300
LINES_OF_A_FUNCTION: Final = 60
LINES_OF_MAIN: Final = 19
UNSAFE_MODULES: Final = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"})
UNSAFE_CALLS: Final = frozenset({"eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load"})
HOSTS: Final = ("--index-url", "--extra-index-url", "--find-links", "http://", "https://")


def clouds(root: Path, tier: Tier | None = None) -> list[str]:
    """Return the clouds that keep what a tier promises; by default all of them."""
    return [
        path.split("/")[1]
        for path, tree in files(root, "infra")
        if (call := _cloud_call(path, tree)) is not None
        if tier is None or ((stated := _tier(call)) is not None and stated.includes(tier))
    ]


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def directions(root: Path) -> list[str]:
    """settings -> blueprint -> vocabulary <- clouds; event -> adapter -> core -> model; nothing turns round."""
    forbidden: list[tuple[str, tuple[str, ...]]] = [
        ("infra", ("functions", "localcloud")),
        ("functions", ("pulumi", "pulumi_aws", "pulumi_gcp", "infra", "localcloud")),
        ("functions/core", ("functions.adapters", "functions.entries")),
        ("functions/entries", ("functions.adapters",)),
        ("models", ("infra", "functions", "localcloud", "pulumi")),
        ("localcloud", ("functions",)),
    ]
    known = clouds(root)
    for cloud in known:
        others = [other for other in known if other != cloud]
        forbidden += [
            (f"infra/{cloud}", (*(f"infra.{other}" for other in others), "infra.blueprint")),
            (f"localcloud/{cloud}", tuple(f"localcloud.{other}" for other in others)),
            (f"functions/adapters/{cloud}", tuple(f"functions.adapters.{other}" for other in others)),
        ]
    problems = [
        f"{path}:{line}: {folder} may not import {name}"
        for folder, modules in forbidden
        for path, tree in files(root, folder)
        for line, name in imports(path, tree)
        if any(_within(name, module) for module in modules)
    ]
    return problems + [
        f"{path}:{line}: only a cloud's own folder may import {name}"
        for package in ("infra", "localcloud")
        for path, tree in files(root, package)
        if path.split("/")[1] not in known
        for line, name in imports(path, tree)
        if any(_within(name, f"{package}.{cloud}") for cloud in known)
    ]


def rooms_in_order(root: Path) -> list[str]:
    """functions/core is made of its packages, each of which imports, at run time, only those before it."""
    problems = []
    for path, tree in files(root, "functions/core"):
        room = path.split("/")[2]
        if room not in ROOMS:
            if path != "functions/core/__init__.py":
                problems.append(f"{path}: lies in no room; the rooms are {', '.join(ROOMS)}")
            continue
        later = ROOMS[ROOMS.index(room) + 1 :]
        problems += [
            f"{path}:{line}: {room} may not import {name}, a later room"
            for line, name in imports(path, tree, typing=False)
            if any(_within(name, f"functions.core.{other}") for other in later)
        ]
    return problems


def the_embedded_clouds_stand_alone(root: Path) -> list[str]:
    """localcloud/ could be a project of its own: only its commands import ours."""
    return [
        f"{path}:{line}: outside of localcloud/commands nothing imports {name}"
        for path, tree in files(root, "localcloud")
        if not path.startswith("localcloud/commands/")
        for line, name in imports(path, tree)
        if any(_within(name, ours) for ours in ("infra", "interface", "models"))
    ]


def imports_make_no_circle(root: Path) -> list[str]:
    """Every file can be read before those that import it, what only a type checker sees included."""
    trees = dict(files(root, *HOUSE))
    paths = {module_name(path): path for path in trees}
    imported = {path: {_file_of(name, paths) for _, name in imports(path, tree)} for path, tree in trees.items()}
    try:
        TopologicalSorter({path: needed - {None, path} for path, needed in imported.items()}).prepare()
    except CycleError as circle:
        return [f"{' <- '.join(circle.args[1])}: these import each other"]
    return []


def _file_of(name: str, paths: Mapping[str, str]) -> str | None:
    """Return the file of the module that an imported name is, or lies in; None for one that is not ours."""
    return paths.get(name) or paths.get(name.rpartition(".")[0])


def one_reader_of_settings(root: Path) -> list[str]:
    """Only settings.py reads `pulumi.Config`."""
    return [
        f"{path}:{node.lineno}: only settings.py reads pulumi.Config"
        for path, tree in files(root, "infra", "localcloud")
        if path != "infra/settings.py"
        for node in nodes(tree)
        if (isinstance(node, ast.Attribute) and ast.unparse(node) == "pulumi.Config")
        or (isinstance(node, ast.ImportFrom) and node.module == "pulumi" and "Config" in {a.name for a in node.names})
    ]


def core_without_surroundings(root: Path) -> list[str]:
    """functions/core and functions/entries get what they need: they never read the environment."""
    names = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"}
    problems = []
    for path, tree in files(root, "functions/core", "functions/entries"):
        used = [(n.lineno, ast.unparse(n)) for n in nodes(tree) if isinstance(n, ast.Attribute)]
        problems += [
            f"{path}:{line}: only an adapter may use {name}"
            for line, name in [*used, *imports(path, tree)]
            if name in names
        ]
    return problems


def feature_is_standard_library_only(root: Path) -> list[str]:
    """Both are imported on the way to every cold start."""
    return [
        f"{path}:{line}: the standard library alone, not {name}"
        for path, tree in files(root, "models")
        if path in ("models/feature.py", "models/light.py")
        for line, name in imports(path, tree)
        if name.split(".")[0] not in sys.stdlib_module_names and not _within(name, "models.light")
    ]


def interface_is_standard_library_only(root: Path) -> list[str]:
    """What deploy time and run time share imports neither of them, and no package."""
    return [
        f"{path}:{line}: the standard library alone, not {name}"
        for path, tree in files(root, "interface")
        for line, name in imports(path, tree)
        if name.split(".")[0] not in sys.stdlib_module_names and not _within(name, "interface")
    ]


def one_binding_to_onnxruntime(root: Path) -> list[str]:
    """Only the binding calls the C library, and nothing imports its Python package, with all that it loads."""
    problems = []
    for path, tree in files(root, "functions"):
        for line, name in imports(path, tree):
            if _within(name, "onnxruntime"):
                problems.append(
                    f"{path}:{line}: nobody imports onnxruntime; functions/core/onnx/session.py opens models"
                )
            elif _within(name, "ctypes") and path not in BINDING:
                problems.append(f"{path}:{line}: only the binding imports ctypes: {', '.join(BINDING)}")
    return problems


def clouds_mirror_each_other(root: Path) -> list[str]:
    """Every cloud implements every word, in the file of its name; other files are its own."""
    problems = [
        f"infra/{cloud}/{noun}.py: is missing; every cloud has one"
        for cloud in clouds(root)
        for noun in NOUNS
        if _gone(root, f"infra/{cloud}/{noun}.py")
    ]
    for path, tree in files(root, "infra"):
        call = _cloud_call(path, tree)
        if call is None:
            continue
        folder = Path(path).parent.as_posix()
        source = {name.rsplit(".", 1)[1]: name.rsplit(".", 1)[0] for _, name in imports(path, tree)}
        components = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        problems += [
            f"{path}: {word} must come from {folder}/{file}.py"
            for word, file in WORDS.items()
            if source.get(components.get(word, "")) != f"{folder}/{file}".replace("/", ".")
        ]
    return problems


def resource_handlers_mirror_each_other(root: Path) -> list[str]:
    """The handlers of an embedded cloud's resources are in files of the words' names."""
    problems = [
        f"localcloud/{cloud}/resources/{name}.py: is missing; every embedded cloud has one"
        for cloud in clouds(root, Tier.EMBEDDED)
        for name in ("__init__", *HANDLED)
        if _gone(root, f"localcloud/{cloud}/resources/{name}.py")
    ]
    folders = {path.parent.parent.name for path in root.glob("localcloud/*/resources/*.py")}
    return problems + [f"localcloud/{name}/resources: of no cloud" for name in sorted(folders.difference(clouds(root)))]


def adapters_answer_every_trigger(root: Path) -> list[str]:
    """Every deployable cloud has an adapter for each kind of trigger in the table of functions."""
    needed = adapters(root)
    trees = dict(files(root, "functions/adapters"))
    problems = []
    for cloud in clouds(root, Tier.DEPLOYABLE):
        for module, name in [("__init__", ""), *sorted(needed)]:
            path = f"functions/adapters/{cloud}/{module}.py"
            if path not in trees:
                problems.append(f"{path}: is missing; every deployable cloud has one")
            elif name and not any(isinstance(node, ast.FunctionDef) and node.name == name for node in trees[path].body):
                problems.append(f"{path}: offers no {name}")
    folders = {path.parent.name for path in root.glob("functions/adapters/*/*.py")}
    return problems + [f"functions/adapters/{name}: of no cloud" for name in sorted(folders.difference(clouds(root)))]


def clouds_are_whole(root: Path) -> list[str]:
    """A cloud states its tier, and has what that tier needs in the rest of the tree: docs/add-a-cloud.md."""
    stacks = "".join(path.read_text(encoding="utf-8") for path in sorted(root.glob("Pulumi.*.yaml")))
    limited = _keys(root / "infra/limits.py", "LIMITS")
    problems = []
    for path, tree in files(root, "infra"):
        if (call := _cloud_call(path, tree)) is None:
            continue
        cloud, tier = path.split("/")[1], _tier(call)
        if tier is None:
            problems.append(f"{path}: states no tier; accepted: {', '.join(f'tier={tier}' for tier in Tier)}")
            continue
        if cloud not in limited:
            problems.append(f"infra/limits.py: LIMITS has no {cloud}")
        if not re.search(rf"^ +cloud: {cloud}$", stacks, re.MULTILINE):
            problems.append(f"Pulumi.*.yaml: no stack has cloud: {cloud}")
        if tier.includes(Tier.DEPLOYABLE) and _stated(call, "packing") is None:
            problems.append(f"{path}: does not state its packing; every deployable cloud does")
        if tier.includes(Tier.DEPLOYABLE) and _stated(call, "quotas") is None:
            problems.append(f"{path}: does not state its quotas; every deployable cloud does")
        needed = [path.format(cloud=cloud) for less, paths in NEEDS.items() if tier.includes(less) for path in paths]
        if tier.includes(Tier.DEPLOYABLE) and _builds(call):
            needed += _locks(root, cloud)
        problems += [
            f"{path}: is missing; a cloud of tier {tier.value} has one" for path in needed if _gone(root, path)
        ]
    return problems


def _gone(root: Path, path: str) -> bool:
    return not (root / path).is_file()


def _locks(root: Path, cloud: str) -> list[str]:
    """Return what a cloud that installs packages itself needs: the packages that run functions, and a lock for each
    entry.
    """
    entries = sorted(Path(path).stem for path, _ in files(root, "functions/entries"))
    names = ["framework.in", *(f"{entry}.txt" for entry in entries if entry != "__init__")]
    return [f"functions/requirements/{cloud}/{name}" for name in names]


def _stated(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _tier(call: ast.Call) -> Tier | None:
    """Return the tier that a `Cloud(...)` states."""
    stated = _stated(call, "tier")
    return None if stated is None else {str(tier): tier for tier in Tier}.get(ast.unparse(stated))


def _builds(call: ast.Call) -> bool:
    """Return whether a `Cloud(...)` says that a build of the cloud installs the packages."""
    packing = _stated(call, "packing")
    return (
        isinstance(packing, ast.Call)
        and (built := _stated(packing, "built")) is not None
        and ast.unparse(built) == "True"
    )


def _keys(path: Path, name: str) -> set[str]:
    """Return the keys of a dictionary that a module assigns to a name; none if there is no such module."""
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return {
        key.value
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict)
        if name in {ast.unparse(target) for target in getattr(node, "targets", [getattr(node, "target", None)])}
        for key in node.value.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def _cloud_call(path: str, tree: ast.Module) -> ast.Call | None:
    """Return the `CLOUD = Cloud(...)` of a package directly below infra/."""
    if path.count("/") != 2 or not path.endswith("/__init__.py"):
        return None
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if "CLOUD" in {ast.unparse(target) for target in targets}:
                return node.value
    return None


def tests_are_collected(root: Path) -> list[str]:
    return [
        f"{path}: holds tests, so it must be called test_*.py"
        for path, tree in files(root, "tests")
        if not Path(path).name.startswith("test_")
        and any(
            isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name.startswith("test_") for n in nodes(tree)
        )
    ]


def sizes(root: Path) -> list[str]:
    problems = []
    for path, tree in files(root, *HOUSE):
        lines = len((root / path).read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_FILE:
            problems.append(f"{path}: {lines} lines; at most {LINES_OF_A_FILE}")
        if path == "infra/__main__.py" and lines > LINES_OF_MAIN:
            problems.append(f"{path}: {lines} lines; at most {LINES_OF_MAIN}")
        for node in nodes(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LINES_OF_A_FUNCTION:
                    problems.append(
                        f"{path}:{node.lineno}: {node.name} has {length} lines; at most {LINES_OF_A_FUNCTION}"
                    )
    return problems


def no_case_for_a_cloud(root: Path) -> list[str]:
    """No comparison with a cloud's name: what differs by cloud is in that cloud's folder."""
    known = KNOWN_CLOUDS.union(clouds(root))
    return [
        f"{path}:{line}: asks for the cloud {name}"
        for path, tree in files(root, *HOUSE)
        for line, literals in _compared_texts(tree)
        for name in sorted(literals & known)
    ]


@lru_cache(maxsize=2048)
def _compared_texts(tree: ast.Module) -> tuple[tuple[int, frozenset[str]], ...]:
    """Return what the values of a file are compared with, as text, by line."""
    found = []
    for node in nodes(tree):
        compared: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            compared = [node.left, *node.comparators]
        elif isinstance(node, ast.match_case):
            compared = [part.value for part in ast.walk(node.pattern) if isinstance(part, ast.MatchValue)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            compared = node.args
        literals = frozenset(str(c.value) for e in compared for c in ast.walk(e) if isinstance(c, ast.Constant))
        if literals:
            found.append((compared[0].lineno, literals))
    return tuple(found)


def one_choice_of_a_models_kind(root: Path) -> list[str]:
    """What depends on the kind of a model is a strategy that `models/catalogue.py` chooses, not a branch."""
    kinds = {"Contract", "BringYourOwn"}
    return [
        f"{path}:{line}: asks whether a contract is a {name}"
        for path, tree in files(root, "functions", "models")
        if path != "models/catalogue.py"
        for line, names in _asked_classes(tree)
        for name in sorted(names & kinds)
    ]


@lru_cache(maxsize=2048)
def _asked_classes(tree: ast.Module) -> tuple[tuple[int, frozenset[str]], ...]:
    """Return the classes that a file asks its values for, by line."""
    found = []
    for node in nodes(tree):
        asked: list[ast.expr] = []
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            asked = node.args[1:]
        elif isinstance(node, ast.MatchClass):
            asked = [node.cls]
        if asked:
            found.append((asked[0].lineno, frozenset(ast.unparse(part) for each in asked for part in ast.walk(each))))
    return tuple(found)


def nothing_is_unpickled(root: Path) -> list[str]:
    """Functions load ONNX, JSON and arrays; nothing that could run code."""
    problems = []
    for path, tree in files(root, "functions"):
        problems += [
            f"{path}:{line}: functions may not import {name}"
            for line, name in imports(path, tree)
            if name.split(".")[0] in UNSAFE_MODULES
        ]
        for node in nodes(tree):
            if not isinstance(node, ast.Call):
                continue
            if ast.unparse(node.func) in UNSAFE_CALLS:
                problems.append(f"{path}:{node.lineno}: functions may not call {ast.unparse(node.func)}")
            if any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in node.keywords):
                problems.append(f"{path}:{node.lineno}: functions may not allow_pickle")
    return problems


def requirements_name_no_host(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root).as_posix()}:{number}: names a host: {line.strip()}"
        for folder in ("requirements", "functions/requirements", "localcloud/requirements")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in (".txt", ".in", ".lock")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if any(host in line for host in HOSTS)
    ]


RULES: Final[tuple[Rule, ...]] = (
    directions,
    rooms_in_order,
    imports_make_no_circle,
    the_embedded_clouds_stand_alone,
    one_reader_of_settings,
    core_without_surroundings,
    feature_is_standard_library_only,
    interface_is_standard_library_only,
    one_binding_to_onnxruntime,
    clouds_mirror_each_other,
    resource_handlers_mirror_each_other,
    adapters_answer_every_trigger,
    clouds_are_whole,
    tests_are_collected,
    sizes,
    no_case_for_a_cloud,
    one_choice_of_a_models_kind,
    nothing_is_unpickled,
    requirements_name_no_host,
)
