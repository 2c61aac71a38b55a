"""The rules that keep the directions of imports, and the shape of the tree: each reads files and says where it is
broken.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final, Protocol

import yaml

from infra.imports import bound, dotted, known
from infra.tier import Tier
from tests.syntax import adapters, computed_imports, files, imports, module_name, nodes, texts, uses


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
    "monitor": "monitor",
    "budget": "budget",
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
PACKAGES: Final = ("infra", "functions", "interface", "models", "localcloud", "doctor", "sml")
CLIENTS: Final = ("boto3", "botocore", "google")
"""The clouds' own clients: deploy time describes resources, and asks nobody."""
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
    "watching",
    "stopping",
)
"""The packages of functions/core, in their order: each may import those before it."""
BINDING: Final = tuple(f"functions/core/onnx/{name}.py" for name in ("library", "session", "texts"))
"""The files that call onnxruntime's C library."""
LINES_OF_A_FILE: Final = 300
LINES_OF_A_FUNCTION: Final = 60
LINES_OF_MAIN: Final = 19
NATIVE: Final = (*BINDING, "functions/core/dataset/arrow_memory.py", "functions/core/runtime/forked.py")
"""The files that use what is not Python's: the binding, the view of Arrow's arrays, a fork that ends with another."""
C_LIBRARIES: Final = ("ctypes", "_ctypes", "cffi", "_cffi_backend")
"""The packages with which Python calls a C library."""
LOADING: Final[Mapping[str, str]] = {
    "doctor/clouds.py": "the checks of a cloud by its name",
    "infra/clouds.py": "a cloud by its name",
    "functions/core/runtime/digest.py": "the one of Python's modules for SHA-256 that this release has",
    "functions/core/training/experiment.py": "the training.py of a model",
    "functions/core/training/libraries.py": "what the training.py of a model imports, before each experiment forks",
    "localcloud/__main__.py": "a command by its name",
    "localcloud/aws/launcher.py": "a file beside it, whose folder would hide the emulator's own modules",
    "localcloud/engine/cloud.py": "an embedded cloud by its name",
    "localcloud/engine/program.py": "the program of infra/, by its folder",
    "localcloud/engine/recorder.py": "a resource's class, by its token",
    "sml/clouds.py": "a cloud by the scheme of its stores",
}
"""The files that load a module whose name they compute, and what they load."""
ENVIRONMENT: Final = (
    *(f"os.{name}" for name in ("environ", "environb", "getenv", "getenvb", "putenv", "unsetenv")),
    *(f"{module}.{name}" for module in ("os.path", "posixpath", "ntpath") for name in ("expandvars", "expanduser")),
    *(f"pathlib.{path}.{name}" for path in ("Path", "PosixPath") for name in ("home", "expanduser")),
)
CONFIGURATION: Final = (
    "pulumi.Config",
    "pulumi.config",
    *(
        f"pulumi.runtime.{module}{name}"
        for module in ("", "config.")
        for name in ("get_config", "get_config_env", "CONFIG")
    ),
)
"""What reads a stack's configuration."""
CONFIGURED: Final = ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS")
"""The variables in which a program gets it."""
BY_CLOUD: Final = ("infra/limits.py", "infra/settings.py")
"""Tables of facts by cloud, and an example of a setting."""
REFUSING: Final = "regions.py"
"""The file of a cloud that refuses a stack."""
STILL_REFUSING: Final = ("infra/aws/access.py",)
TEXT_TESTS: Final = frozenset({"startswith", "endswith", "count", "find", "index"})
TEXT_CHANGES: Final = frozenset({"casefold", "lower", "upper", "strip", "title", "capitalize"})
KINDS: Final = frozenset({"Contract", "BringYourOwn"})
TASKS: Final = frozenset({"finished", "classification"})
"""What `model.yaml` calls the kinds of a model."""
UNSAFE_MODULES: Final = frozenset(
    {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
)
UNSAFE: Final = (
    "eval",
    "exec",
    *(f"yaml.{name}" for name in ("load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all")),
    *(f"yaml.{kind}Loader" for kind in ("", "C", "Full", "CFull", "Unsafe", "CUnsafe")),
    "yaml.loader",
    "yaml.cyaml",
    "torch.load",
    "pandas.read_pickle",
)
ALLOW_PICKLE: Final[Mapping[str, int]] = {"load": 2, "read_array": 1, "save": 2}
"""numpy's functions that may unpickle, with the position of `allow_pickle`."""
HOST: Final = re.compile(
    r"(?<![\w-])(--(extra-)?index(-url)?|--default-index|--find-links|(?<=^)-[if])(?![\w-])|^-[if]|\b[\w+]+:/",
    re.IGNORECASE,
)
"""An option that names an index, or the scheme of an address."""


def clouds(root: Path, tier: Tier | None = None) -> list[str]:
    """Return the clouds that keep what a tier promises; by default all of them."""
    return [
        path.split("/")[1]
        for path, tree in files(root, "infra")
        if (call := _cloud_call(path, tree)) is not None
        if tier is None or ((stated := _tier(call)) is not None and stated.includes(tier))
    ]


def _within(name: str, module: str) -> bool:
    """Return whether a name is a module's or one in it; `a.*` is all that there is in `a`, `sdk_*` begins so."""
    if module.endswith("_*"):
        return name.startswith(module[:-1])
    return name == module or name.startswith(f"{module}.") or (name.endswith(".*") and module.startswith(name[:-1]))


@lru_cache(maxsize=16384)
def _uses_of(
    path: str, tree: ast.Module, modules: tuple[str, ...], *, typing: bool = True
) -> tuple[tuple[int, str], ...]:
    """Return what a file uses of some modules: rules ask the same of the same files for every tree they look at."""
    return tuple(
        (line, name)
        for line, name in uses(path, tree, typing=typing)
        if any(_within(name, module) for module in modules)
    )


def directions(root: Path) -> list[str]:
    """settings -> blueprint -> vocabulary <- clouds; event -> adapter -> core -> model; nothing turns round."""
    outside = ("tests", "bench")
    forbidden: list[tuple[str, tuple[str, ...]]] = [
        ("infra", ("functions", "localcloud", "doctor", "sml", *CLIENTS, *outside)),
        ("functions", ("pulumi", "pulumi_*", "infra", "localcloud", "doctor", "sml", *outside)),
        ("functions/core", ("functions.adapters", "functions.entries")),
        ("functions/entries", ("functions.adapters",)),
        ("models", ("infra", "functions", "localcloud", "doctor", "sml", "pulumi", "pulumi_*", *outside)),
        ("localcloud", ("functions", *outside)),
        ("doctor", ("functions", "localcloud", "models", "sml", *outside)),
        (
            "sml",
            (
                "pulumi",
                "pulumi_*",
                "infra",
                "localcloud",
                "doctor",
                "functions.adapters",
                "functions.entries",
                *outside,
            ),
        ),
    ]
    known_clouds = clouds(root)
    for cloud in known_clouds:
        others = [other for other in known_clouds if other != cloud]
        forbidden += [
            (f"infra/{cloud}", tuple(f"infra.{other}" for other in others)),
            (f"localcloud/{cloud}", tuple(f"localcloud.{other}" for other in others)),
            (f"doctor/{cloud}", tuple(f"doctor.{other}" for other in others)),
            (f"sml/{cloud}", tuple(f"sml.{other}" for other in others)),
            (f"functions/adapters/{cloud}", tuple(f"functions.adapters.{other}" for other in others)),
        ]
    problems = [
        f"{path}:{line}: {folder} may not import {name}"
        for folder, modules in forbidden
        for path, tree in files(root, folder)
        for line, name in _uses_of(path, tree, modules)
    ]
    return [*problems, *_outside_of_clouds(root, known_clouds), *_above_the_blueprint(root)]


def _outside_of_clouds(root: Path, known_clouds: list[str]) -> Iterator[str]:
    """Only a cloud's folder imports what is the cloud's: its modules, and the provider's SDK."""
    for package in ("infra", "localcloud", "doctor", "functions/adapters", "sml"):
        for path, tree in files(root, package):
            folder = path.split("/")[package.count("/") + 1]
            for line, name in _uses_of(path, tree, ("pulumi_*",)):
                sdk = re.match(r"pulumi_([a-z]+)", name)
                if sdk is not None and sdk[1] != folder:
                    yield f"{path}:{line}: only infra/{sdk[1]} may import {name}"
            if folder not in known_clouds:
                theirs = tuple(f"{package.replace('/', '.')}.{cloud}" for cloud in known_clouds)
                for line, name in _uses_of(path, tree, theirs):
                    yield f"{path}:{line}: only a cloud's own folder may import {name}"


def _above_the_blueprint(root: Path) -> Iterator[str]:
    for path, tree in files(root, "infra"):
        if path != "infra/__main__.py":
            for line, name in _uses_of(path, tree, ("infra.blueprint",)):
                yield f"{path}:{line}: only infra/__main__.py may import {name}"


def rooms_in_order(root: Path) -> list[str]:
    """functions/core is made of its packages, each of which imports, at run time, only those before it."""
    problems = []
    for path, tree in files(root, "functions"):
        around = path in ("functions/__init__.py", "functions/core/__init__.py")
        if not path.startswith("functions/core/") and not around:
            continue
        room = path.split("/")[2] if not around else ""
        if room not in ROOMS and not around:
            problems.append(f"{path}: lies in no room; the rooms are {', '.join(ROOMS)}")
            continue
        later = tuple(f"functions.core.{other}" for other in ROOMS[0 if around else ROOMS.index(room) + 1 :])
        problems += [
            f"{path}:{line}: {room or 'the package around the rooms'} may not import {name}, a later room"
            for line, name in _uses_of(path, tree, later, typing=False)
        ]
    return problems


def the_embedded_clouds_stand_alone(root: Path) -> list[str]:
    """localcloud/ could be a project of its own: only its commands import ours, and nothing imports them."""
    ours = ("infra", "interface", "models", "doctor", "sml")
    return [
        f"{path}:{line}: outside of localcloud/commands nothing imports {name}"
        for path, tree in files(root, "localcloud")
        if not path.startswith("localcloud/commands/")
        for line, name in _uses_of(
            path, tree, (*ours, *(() if path == "localcloud/__main__.py" else ("localcloud.commands",)))
        )
    ]


def modules_are_imported_by_a_written_name(root: Path) -> list[str]:
    """What a file loads can be read in it: archives and rules follow names that are written out, and no others."""
    return [
        f"{path}:{line}: {name} of a name that is not written out; only {', '.join(LOADING)} may"
        for path, tree in files(root, *PACKAGES)
        if path not in LOADING
        for line, name in computed_imports(path, tree)
    ]


def imports_make_no_circle(root: Path) -> list[str]:
    """Every file can be read before those that import it, what only a type checker sees included."""
    trees = dict(files(root, *PACKAGES))
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
    """Only settings.py reads `pulumi.Config`, and only a language host names the variables that it reads."""
    return [
        f"{path}:{line}: only settings.py reads the configuration, not {name}"
        for path, tree in files(root, "infra", "localcloud", "doctor")
        if path != "infra/settings.py"
        for line, name in _configuration(path, tree)
        if name not in CONFIGURED or path != "localcloud/cli/language_host.py"
    ]


@lru_cache(maxsize=2048)
def _configuration(path: str, tree: ast.Module) -> tuple[tuple[int, str], ...]:
    """Return what a file names of the configuration, and of the variables that hold it: line and name."""
    return tuple(
        (line, name)
        for line, name in (*uses(path, tree), *texts(tree))
        if name in CONFIGURED or any(_within(name, reader) for reader in CONFIGURATION)
    )


def only_adapters_read_the_environment(root: Path) -> list[str]:
    """Core, entries, models and interface get what they need: they never read the environment."""
    return [
        f"{path}:{line}: only an adapter may use {name}"
        for path, tree in files(root, "functions", "interface", "models")
        if not path.startswith("functions/adapters/")
        for line, name in _uses_of(path, tree, tuple(ENVIRONMENT))
    ]


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
    for path, tree in files(root, "functions", "models"):
        for line, name in imports(path, tree):
            if _within(name, "onnxruntime"):
                problems.append(
                    f"{path}:{line}: nobody imports onnxruntime; functions/core/onnx/session.py opens models"
                )
            elif any(_within(name, library) for library in C_LIBRARIES) and path not in NATIVE:
                problems.append(f"{path}:{line}: only these import {name}: {', '.join(NATIVE)}")
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
        source = {local: name.rpartition(".")[0] for node in nodes(tree) for local, name in bound(path, node)}
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
    stated = {cloud for path in sorted(root.glob("Pulumi.*.yaml")) for cloud in _stated_clouds(path)}
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
        if not isinstance(name := _stated(call, "name"), ast.Constant) or name.value != cloud:
            problems.append(f"{path}: states another name than its folder's; accepted: name={cloud!r}")
        if cloud not in stated:
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


def _stated_clouds(stack: Path) -> Iterator[object]:
    """Yield the cloud that a stack's file states, if it states one."""
    config = (yaml.safe_load(stack.read_text(encoding="utf-8")) or {}).get("config") or {}
    yield from (
        settings["cloud"]
        for key, settings in config.items()
        if str(key).endswith(":settings") and isinstance(settings, dict) and "cloud" in settings
    )


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
        if not Path(path).name.startswith("test_") and any(name.startswith("test_") for _, name, _ in _lengths(tree))
    ]


def sizes(root: Path) -> list[str]:
    problems = []
    for path, tree in files(root, *PACKAGES):
        lines = len((root / path).read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_FILE:
            problems.append(f"{path}: {lines} lines; at most {LINES_OF_A_FILE}")
        if path == "infra/__main__.py" and lines > LINES_OF_MAIN:
            problems.append(f"{path}: {lines} lines; at most {LINES_OF_MAIN}")
        problems += [
            f"{path}:{line}: {name} has {length} lines; at most {LINES_OF_A_FUNCTION}"
            for line, name, length in _lengths(tree)
            if length > LINES_OF_A_FUNCTION
        ]
    return problems


@lru_cache(maxsize=2048)
def _lengths(tree: ast.Module) -> tuple[tuple[int, str, int], ...]:
    """Return the functions of a file: the line of each, its name, and how many lines it has."""
    return tuple(
        (node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in nodes(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )


def no_case_for_a_cloud(root: Path) -> list[str]:
    """No case for a cloud: what differs by cloud is in that cloud's folder, and there alone stands its name."""
    every = KNOWN_CLOUDS.union(clouds(root))
    problems = []
    for path, tree in files(root, *PACKAGES):
        folders = path.split("/")[:-1]
        compared = [(line, text) for line, literals in _compared_texts(tree) for text in literals]
        elsewhere = [
            (line, text) for line, text in texts(tree) if path not in BY_CLOUD and text.casefold() not in folders
        ]
        problems += [
            f"{path}:{line}: asks for the cloud {text}"
            for line, text in dict.fromkeys((*compared, *elsewhere))
            if text.casefold() in every
        ]
        problems += [f"{path}:{line}: asks for a part of a cloud's name" for line in _questions_to_a_cloud(tree)]
    return problems


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
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TEXT_TESTS:
            compared = node.args
        literals = frozenset(str(c.value) for e in compared for c in ast.walk(e) if isinstance(c, ast.Constant))
        if literals:
            found.append((compared[0].lineno, literals))
    return tuple(found)


@lru_cache(maxsize=2048)
def _questions_to_a_cloud(tree: ast.Module) -> tuple[int, ...]:
    """Return where the name of a cloud is taken apart and compared: `cloud.name.startswith("a")`, `cloud[0] == "a"`."""
    found = []
    for node in nodes(tree):
        if isinstance(node, ast.Compare):
            asked, told = [node.left, *node.comparators], [node.left, *node.comparators]
            asked = [part for part in asked if isinstance(part, (ast.Subscript, ast.Call))]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TEXT_TESTS:
            asked, told = [node.func.value], node.args
        else:
            continue
        texts_told = [part for part in told if isinstance(part, (ast.Constant, ast.Tuple))]
        if texts_told and any(_is_a_clouds_name(part) for part in asked):
            found.append(node.lineno)
    return tuple(found)


def _is_a_clouds_name(node: ast.expr) -> bool:
    """Return whether an expression is a cloud, its name, or a part or another case of it."""
    while isinstance(node, (ast.Subscript, ast.Call)):
        node = node.value if isinstance(node, ast.Subscript) else node.func
        if isinstance(node, ast.Attribute) and node.attr in TEXT_CHANGES:
            node = node.value
    return re.search(r"(^|[._])cloud(\.name|_name)?$", ast.unparse(node)) is not None


def one_choice_of_a_models_kind(root: Path) -> list[str]:
    """What depends on the kind of a model is a strategy that `models/catalogue.py` chooses, not a branch."""
    return [
        f"{path}:{line}: asks whether a contract is a {name}"
        for path, tree in files(root, "functions", "models")
        if path != "models/catalogue.py"
        for line, name in _asked_kinds(path, tree)
    ]


@lru_cache(maxsize=2048)
def _asked_kinds(path: str, tree: ast.Module) -> tuple[tuple[int, str], ...]:
    """Return where a file asks for a model's kind, by line: its class, the class's name, or its task."""
    names, found = known(path, nodes(tree)), []
    for node in nodes(tree):
        asked: list[ast.expr] = []
        texts_asked = KINDS
        if isinstance(node, ast.Call) and {"isinstance", "issubclass"}.intersection(dotted(node.func, names)):
            asked, texts_asked = node.args[1:], frozenset()
        elif isinstance(node, ast.MatchClass):
            asked = [node.cls]
        elif isinstance(node, ast.MatchValue):
            asked = [node.value]
        elif isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
            if any(re.search(r"\btask\b", ast.unparse(part)) for part in asked):
                texts_asked = KINDS | TASKS
        parts = [part for each in asked for part in ast.walk(each)]
        found += [
            (part.lineno, name)
            for part in parts
            if isinstance(part, (ast.Name, ast.Attribute))
            for name in {full.rpartition(".")[2] for full in (ast.unparse(part), *dotted(part, names))}
            if name in KINDS
        ]
        found += [(p.lineno, p.value) for p in parts if isinstance(p, ast.Constant) and p.value in texts_asked]
    return tuple(dict.fromkeys(found))


def nothing_is_unpickled(root: Path) -> list[str]:
    """Functions and models load ONNX, JSON and arrays; nothing that could run code."""
    problems = []
    for path, tree in files(root, "functions", "models"):
        problems += [
            f"{path}:{line}: functions may not import {name}"
            for line, name in imports(path, tree)
            if name.split(".")[0] in UNSAFE_MODULES
        ]
        problems += [
            f"{path}:{line}: functions may not use {name}" for line, name in _uses_of(path, tree, tuple(UNSAFE))
        ]
        problems += [f"{path}:{line}: functions may not allow_pickle" for line in _pickles_allowed(path, tree)]
    return problems


@lru_cache(maxsize=2048)
def _pickles_allowed(path: str, tree: ast.Module) -> tuple[int, ...]:
    """Return the lines at which a file lets numpy unpickle."""
    names = known(path, nodes(tree))
    return tuple(node.lineno for node in nodes(tree) if isinstance(node, ast.Call) and _allows_pickle(node, names))


def _allows_pickle(call: ast.Call, names: Mapping[str, list[str]]) -> bool:
    stated = [keyword.value for keyword in call.keywords if keyword.arg == "allow_pickle"]
    for name in dotted(call.func, names):
        head, _, function = name.rpartition(".")
        if head.split(".")[0] == "numpy" and function in ALLOW_PICKLE:
            stated += call.args[ALLOW_PICKLE[function] : ALLOW_PICKLE[function] + 1]
    return any(ast.unparse(value) != "False" for value in stated)


def requirements_name_no_host(root: Path) -> list[str]:
    """Nothing that says what is installed says where from."""
    found = [path for path in (root / "requirements/lock", root / "pyproject.toml") if path.is_file()]
    for folder in ("requirements", "functions/requirements", "localcloud/requirements"):
        found += [path for path in sorted((root / folder).rglob("*")) if path.suffix in (".txt", ".in", ".lock")]
    for folder in ("models", "examples/recipes"):
        found += sorted((root / folder).glob("*/requirements.*"))
    return [
        f"{path.relative_to(root).as_posix()}:{number}: names a host: {line}"
        for path in found
        for number, line in _hosts(path.read_text(encoding="utf-8"))
    ]


@lru_cache(maxsize=512)
def _hosts(text: str) -> tuple[tuple[int, str], ...]:
    """Return the lines of a text that name a host, with their numbers."""
    lines = [line.strip() for line in text.splitlines()]
    return tuple((number, line) for number, line in enumerate(lines, start=1) if HOST.search(line))


def only_places_are_refused_by_a_cloud(root: Path) -> list[str]:
    """A component is made after others: what a cloud cannot do is a row of infra/limits.py, and a place it cannot be
    deployed into is refused in its regions.py. Both are looked at before the first resource.
    """
    return [
        f"{path}:{line}: only {REFUSING} refuses a stack, not {name}"
        for cloud in clouds(root)
        for path, tree in files(root, f"infra/{cloud}")
        if not path.endswith(f"/{REFUSING}") and path not in STILL_REFUSING
        for line, name in _uses_of(path, tree, ("pulumi.RunError",))
    ]


def no_partition_is_written(root: Path) -> list[str]:
    """AWS has several partitions: an ARN is taken from an ARN of the stack, and never begun in the code."""
    return [
        f"{path}:{line}: writes the partition of {text}"
        for path, tree in files(root, "infra", "functions", "doctor", "interface")
        for line, text in texts(tree)
        if re.search(r"\barn:aws", text)
    ]


RULES: Final[tuple[Rule, ...]] = (
    directions,
    rooms_in_order,
    imports_make_no_circle,
    the_embedded_clouds_stand_alone,
    modules_are_imported_by_a_written_name,
    one_reader_of_settings,
    only_adapters_read_the_environment,
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
    only_places_are_refused_by_a_cloud,
    no_partition_is_written,
)
