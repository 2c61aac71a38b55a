"""Archives are a function of the commit: two environments that differ in everything else build the same bytes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.locked_modules import LINE
from infra.sources import ROOT

pytestmark = pytest.mark.integration

PARTS = ("functions", "infra", "interface", "models")
TEXT = {".py", ".yaml", ".json", ".txt", ".in", ".md"}
BUILD = """
import json, sys
from pathlib import Path
from infra import bundle, clouds
from infra.archive import Platform
from infra.function_table import FUNCTIONS
from infra.settings import Runtime
from infra.target import WHEELS, target

def build(cloud, platform):
    built = bundle.archives(
        FUNCTIONS, cloud=clouds.find(cloud), platform=platform, models=["breast_cancer", "file_type"],
        cache=Path(sys.argv[1]),
    )
    return {f"{cloud} {name}": archive.digest for name, archive in built.items()}

bundle.REQUIREMENTS = Path(sys.argv[2])
deployed = Platform(python="3.13", architecture="x86_64", wheels=WHEELS["x86_64"])
digests = {"deployed": build("aws", deployed) | build("gcp", deployed)}
if sys.argv[3] == "compiled":
    digests["compiled"] = build("aws", target(Runtime(python="host", architecture="host")))
print(json.dumps(digests))
"""


@pytest.fixture(scope="module")
def requirements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the locks of all functions, each with one small package that is installed and what the real one brings."""
    folder = tmp_path_factory.mktemp("locks") / "requirements"
    whole = (ROOT / "functions" / "requirements" / "train.txt").read_text(encoding="utf-8")
    [small] = re.findall(r"^threadpoolctl==.*(?:\n .*)*", whole, re.MULTILINE)
    for lock in (ROOT / "functions" / "requirements").rglob("*.txt"):
        modules = next(line for line in lock.read_text(encoding="utf-8").splitlines() if line.startswith(LINE))
        copy = folder / lock.relative_to(ROOT / "functions" / "requirements")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(f"{small}\n{modules}\n", encoding="utf-8")
    return folder


def checkout(target: Path, *, crlf: bool = False, date: int | None = None) -> Path:
    """Copy what archives are made of and by, with the dates and the ends of lines of another checkout."""
    for part in PARTS:
        shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in target.rglob("*"):
        if crlf and file.suffix in TEXT and b"\r" not in (content := file.read_bytes()):
            file.write_bytes(content.replace(b"\n", b"\r\n"))
        if date:
            os.utime(file, (date, date))
    return target


def built(
    folder: Path,
    requirements: Path,
    cache: Path,
    *,
    python: str = sys.executable,
    mask: int = 0o022,
    compiled: bool = True,
    **variables: str,
) -> dict[str, dict[str, str]]:
    """Build every archive of both clouds in a checkout, in a process with these variables alone; return digests.

    Another interpreter of this version, or one that is not to, compiles none.
    """
    packages = Path(os.__file__).parent if python != sys.executable else None
    environment = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_"))}
    environment |= {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **variables}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), *([_site()] if packages else [])])
    form = "compiled" if compiled and not packages else "sources"
    command = [python, "-c", BUILD, str(cache), str(requirements), form]
    done = subprocess.run(command, cwd=folder, env=environment, umask=mask, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _site() -> str:
    return str(next(Path(path) for path in sys.path if path.endswith("site-packages")))


def shim(folder: Path) -> Path:
    """Make commands of the names of interpreters, as a manager of versions does for those that are not active."""
    folder.mkdir(parents=True)
    for name in ("python3.11", "python3.12", "python3.13", "python3"):
        (folder / name).write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def first(requirements: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("first")
    return built(checkout(folder / "tree"), requirements, folder / "cache")


def test_another_machine_builds_the_same_bytes(
    first: dict[str, dict[str, str]], requirements: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home of änne"
    home.mkdir()
    other = built(
        checkout(tmp_path / "a path with spaces and ümläuts", crlf=True, date=1_000_000_000),
        requirements,
        tmp_path / "cache ö",
        mask=0o077,
        HOME=str(home),
        UV_CACHE_DIR=os.environ.get("UV_CACHE_DIR", str(Path(os.environ["HOME"]) / ".cache" / "uv")),
        TZ="Pacific/Chatham",
        LC_ALL="C",
        PYTHONHASHSEED="4242",
        PYTHONDONTWRITEBYTECODE="1",
        PATH=f"{shim(tmp_path / 'bin')}:/usr/bin:/bin",
    )
    assert other == first
    assert {len(digests) for digests in other.values()} == {20, 10}


def others() -> list[str]:
    """Return other interpreters of this minor version, which can import the packages that are installed for it."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = os.path.realpath(sys.executable)
    found = (Path(folder, name) for folder in (*os.environ["PATH"].split(os.pathsep), "/usr/bin", "/usr/local/bin"))
    usable = []
    for path in dict.fromkeys(str(path) for path in found if path.is_file()):
        asked = [path, "-c", "import sys; print(sys.executable)"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if not done.returncode and os.path.realpath(done.stdout.strip()) != ours:
            usable.append(path)
    return usable


def test_another_interpreter_builds_the_same_bytes(
    first: dict[str, dict[str, str]], requirements: Path, tmp_path: Path
) -> None:
    pythons = others()
    if not pythons:
        pytest.skip("there is one interpreter of this version on this machine")
    other = built(checkout(tmp_path / "tree"), requirements, tmp_path / "cache", python=pythons[0])
    assert other["deployed"] == first["deployed"]


def test_a_change_of_one_file_is_seen(first: dict[str, dict[str, str]], requirements: Path, tmp_path: Path) -> None:
    tree = checkout(tmp_path / "tree")
    file = tree / "models" / "breast_cancer" / "training.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# another commit\n", encoding="utf-8")
    other = built(tree, requirements, tmp_path / "cache", compiled=False)
    differ = {name for name, digest in other["deployed"].items() if digest != first["deployed"][name]}
    assert {"aws train", "gcp train"} <= differ
    assert not {"aws predict", "gcp predict"} & differ


def test_git_checks_out_the_same_lines_everywhere_and_leaves_models_alone() -> None:
    lines = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "* text=auto eol=lf" in lines
    assert "*.onnx binary" in lines
