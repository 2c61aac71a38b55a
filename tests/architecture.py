"""The rules that keep the house's directions: each reads a tree of files and says where it is broken."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Final, Protocol

from tests.reach import every_module_is_reached, every_name_is_used
from tests.syntax import files, imports


class Rule(Protocol):
    """From the root of a tree to what is wrong in it, a sentence each."""

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
"""The file that gives a word of the vocabulary its meaning, the same in every cloud."""
KNOWN_CLOUDS: Final = frozenset({"aws", "gcp", "azure"})
"""Besides those that are there."""
HOUSE: Final = ("infra", "functions", "models", "localcloud")
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
BINDING: Final = tuple(f"functions/core/onnx/{name}.py" for name in ("library", "c_values", "c_session"))
"""The files that speak to onnxruntime's C library."""
LINES_OF_A_FILE: Final = 300
LINES_OF_A_FUNCTION: Final = 60
LINES_OF_MAIN: Final = 19
UNSAFE_MODULES: Final = frozenset({"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"})
UNSAFE_CALLS: Final = frozenset({"eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load"})
HOSTS: Final = ("--index-url", "--extra-index-url", "--find-links", "http://", "https://")


def clouds(root: Path) -> list[str]:
    return [path.split("/")[1] for path, tree in files(root, "infra") if _cloud_call(path, tree) is not None]


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
    found = [
        f"{path}:{line}: {folder} may not import {name}"
        for folder, modules in forbidden
        for path, tree in files(root, folder)
        for line, name in imports(path, tree)
        if any(_within(name, module) for module in modules)
    ]
    return found + [
        f"{path}:{line}: only a cloud's own folder may import {name}"
        for package in ("infra", "localcloud")
        for path, tree in files(root, package)
        if path.split("/")[1] not in known
        for line, name in imports(path, tree)
        if any(_within(name, f"{package}.{cloud}") for cloud in known)
    ]


def rooms_in_order(root: Path) -> list[str]:
    """functions/core is made of its rooms, and a room imports, at run time, only those before it."""
    found = []
    for path, tree in files(root, "functions/core"):
        workspace = path.split("/")[2]
        if workspace not in ROOMS:
            if path != "functions/core/__init__.py":
                found.append(f"{path}: lies in no room; the rooms are {', '.join(ROOMS)}")
            continue
        later = ROOMS[ROOMS.index(workspace) + 1 :]
        found += [
            f"{path}:{line}: {workspace} may not import {name}, a later room"
            for line, name in imports(path, tree, typing=False)
            if any(_within(name, f"functions.core.{other}") for other in later)
        ]
    return found


def the_embedded_clouds_stand_alone(root: Path) -> list[str]:
    """localcloud/ could be a project of its own: only its commands know ours."""
    return [
        f"{path}:{line}: outside of localcloud/commands nothing imports {name}"
        for path, tree in files(root, "localcloud")
        if not path.startswith("localcloud/commands/")
        for line, name in imports(path, tree)
        if any(_within(name, ours) for ours in ("infra", "models"))
    ]


def one_reader_of_settings(root: Path) -> list[str]:
    """`pulumi.Config` stands in settings.py, and in __main__.py that hands it over."""
    allowed = ("infra/settings.py", "infra/__main__.py")
    return [
        f"{path}:{node.lineno}: only settings.py reads pulumi.Config"
        for path, tree in files(root, "infra", "localcloud")
        if path not in allowed
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and ast.unparse(node) == "pulumi.Config")
        or (isinstance(node, ast.ImportFrom) and node.module == "pulumi" and "Config" in {a.name for a in node.names})
    ]


def core_without_surroundings(root: Path) -> list[str]:
    """functions/core and functions/entries are told what they need: they never read the environment."""
    names = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"}
    found = []
    for path, tree in files(root, "functions/core", "functions/entries"):
        used = [(n.lineno, ast.unparse(n)) for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
        found += [
            f"{path}:{line}: only an adapter may use {name}"
            for line, name in [*used, *imports(path, tree)]
            if name in names
        ]
    return found


def feature_is_standard_library_only(root: Path) -> list[str]:
    """Both are imported on the way to every cold start."""
    return [
        f"{path}:{line}: the standard library alone, not {name}"
        for path, tree in files(root, "models")
        if path in ("models/feature.py", "models/light.py")
        for line, name in imports(path, tree)
        if name.split(".")[0] not in sys.stdlib_module_names and not _within(name, "models.light")
    ]


def one_binding_to_onnxruntime(root: Path) -> list[str]:
    """Only the binding speaks to the C library, and nothing imports its Python package, with all that it loads."""
    found = []
    for path, tree in files(root, "functions"):
        for line, name in imports(path, tree):
            if _within(name, "onnxruntime"):
                found.append(f"{path}:{line}: nobody imports onnxruntime; functions/core/onnx/session.py opens models")
            elif _within(name, "ctypes") and path not in BINDING:
                found.append(f"{path}:{line}: only the binding imports ctypes: {', '.join(BINDING)}")
    return found


def clouds_mirror_each_other(root: Path) -> list[str]:
    """Every cloud keeps every word, in the file of its name, and has the same files as the others."""
    calls = {path: call for path, tree in files(root, "infra") if (call := _cloud_call(path, tree)) is not None}
    held = {path: {file.name for file in (root / path).parent.glob("*.py")} for path in calls}
    everywhere: set[str] = {"access.py", *(f"{file}.py" for file in WORDS.values())}.union(*held.values())
    found = [
        f"{Path(path).parent.as_posix()}/{name}: is missing; every cloud has the same files"
        for path in calls
        for name in sorted(everywhere - held[path])
    ]
    for path, tree in files(root, "infra"):
        if path not in calls:
            continue
        folder = Path(path).parent.as_posix()
        source = {name.rsplit(".", 1)[1]: name.rsplit(".", 1)[0] for _, name in imports(path, tree)}
        kept = {keyword.arg: ast.unparse(keyword.value) for keyword in calls[path].keywords}
        found += [
            f"{path}: {word} must come from {folder}/{file}.py"
            for word, file in WORDS.items()
            if source.get(kept.get(word, "")) != f"{folder}/{file}".replace("/", ".")
        ]
    return found


def resource_handlers_mirror_each_other(root: Path) -> list[str]:
    """What makes a cloud's resources on this machine stands in files of the same names on every cloud."""
    held = {
        folder.relative_to(root).as_posix(): {file.name for file in folder.glob("*.py")}
        for folder in sorted(root.glob("localcloud/*/resources"))
    }
    everywhere: set[str] = set().union(*held.values())
    return [
        f"{folder}/{name}: is missing; every embedded cloud has the same files"
        for folder, names in held.items()
        for name in sorted(everywhere - names)
    ]


def clouds_are_whole(root: Path) -> list[str]:
    """Beside its folder, a cloud has what the rest of the house asks of one: docs/add-a-cloud.md."""
    stacks = "".join(path.read_text(encoding="utf-8") for path in sorted(root.glob("Pulumi.*.yaml")))
    limited = _keys(root / "infra/limits.py", "LIMITS")
    found = []
    for cloud in clouds(root):
        wanted = [f"localcloud/{cloud}/__init__.py", f"localcloud/requirements/{cloud}.in"]
        wanted += [f"tests/graph_{cloud}.py", f"tests/infra/{cloud}/whole.py"]
        if not any((root / "functions/adapters" / cloud).glob("*.py")):
            wanted.append(f"functions/adapters/{cloud}/__init__.py")
        found += [f"{path}: is missing; every cloud has one" for path in wanted if not (root / path).is_file()]
        if cloud not in limited:
            found.append(f"infra/limits.py: LIMITS has no {cloud}")
        if not re.search(rf"^ +cloud: {cloud}$", stacks, re.MULTILINE):
            found.append(f"Pulumi.*.yaml: no stack has cloud: {cloud}")
    return found


def _keys(path: Path, name: str) -> set[str]:
    """The keys of a dictionary that a module assigns to a name; none if there is no such module."""
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
    """The `CLOUD = Cloud(...)` of a package directly below infra/."""
    if path.count("/") != 2 or not path.endswith("/__init__.py"):
        return None
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if "CLOUD" in {ast.unparse(target) for target in targets}:
                return node.value
    return None


def adapters_mirror_each_other(root: Path) -> list[str]:
    """Every cloud has a `handle` for every entry, in a module of its name, and the same files beside them."""
    entries = {Path(path).name for path, _ in files(root, "functions/entries")}
    held = {
        folder.relative_to(root).as_posix(): {file.name for file in folder.glob("*.py")}
        for folder in sorted((root / "functions/adapters").iterdir())
        if any(folder.glob("*.py"))
    }
    everywhere = entries.union(*held.values())
    found = [f"{folder}: has no {name}" for folder, names in held.items() for name in sorted(everywhere - names)]
    return found + [
        f"{path}: offers no handle"
        for path, tree in files(root, "functions/adapters")
        if Path(path).name in entries - {"__init__.py"}
        and not any(isinstance(node, ast.FunctionDef) and node.name == "handle" for node in tree.body)
    ]


def tests_are_collected(root: Path) -> list[str]:
    return [
        f"{path}: holds tests, so it must be called test_*.py"
        for path, tree in files(root, "tests")
        if not Path(path).name.startswith("test_")
        and any(
            isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name.startswith("test_")
            for n in ast.walk(tree)
        )
    ]


def sizes(root: Path) -> list[str]:
    found = []
    for path, tree in files(root, *HOUSE):
        lines = len((root / path).read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_FILE:
            found.append(f"{path}: {lines} lines; at most {LINES_OF_A_FILE}")
        if path == "infra/__main__.py" and lines > LINES_OF_MAIN:
            found.append(f"{path}: {lines} lines; at most {LINES_OF_MAIN}")
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LINES_OF_A_FUNCTION:
                    found.append(f"{path}:{node.lineno}: {node.name} has {length} lines; at most {LINES_OF_A_FUNCTION}")
    return found


def no_case_for_a_cloud(root: Path) -> list[str]:
    """No comparison with a cloud's name: what differs by cloud lives in that cloud's folder."""
    known = KNOWN_CLOUDS.union(clouds(root))
    found = []
    for path, tree in files(root, *HOUSE):
        for node in ast.walk(tree):
            asked: list[ast.expr] = []
            if isinstance(node, ast.Compare):
                asked = [node.left, *node.comparators]
            elif isinstance(node, ast.match_case):
                asked = [part.value for part in ast.walk(node.pattern) if isinstance(part, ast.MatchValue)]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
                asked = node.args
            literals = {str(c.value) for e in asked for c in ast.walk(e) if isinstance(c, ast.Constant)}
            found += [f"{path}:{asked[0].lineno}: asks for the cloud {name}" for name in sorted(literals & known)]
    return found


def nothing_is_unpickled(root: Path) -> list[str]:
    """Functions load ONNX, JSON and arrays; nothing that could run code of its own."""
    found = []
    for path, tree in files(root, "functions"):
        found += [
            f"{path}:{line}: functions may not import {name}"
            for line, name in imports(path, tree)
            if name.split(".")[0] in UNSAFE_MODULES
        ]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if ast.unparse(node.func) in UNSAFE_CALLS:
                found.append(f"{path}:{node.lineno}: functions may not call {ast.unparse(node.func)}")
            if any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in node.keywords):
                found.append(f"{path}:{node.lineno}: functions may not allow_pickle")
    return found


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
    the_embedded_clouds_stand_alone,
    one_reader_of_settings,
    core_without_surroundings,
    feature_is_standard_library_only,
    one_binding_to_onnxruntime,
    clouds_mirror_each_other,
    resource_handlers_mirror_each_other,
    adapters_mirror_each_other,
    clouds_are_whole,
    tests_are_collected,
    sizes,
    every_module_is_reached,
    every_name_is_used,
    no_case_for_a_cloud,
    nothing_is_unpickled,
    requirements_name_no_host,
)
