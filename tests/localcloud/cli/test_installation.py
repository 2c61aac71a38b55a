"""Which Pulumi CLI runs here: the one on PATH, or one that Go builds, or none with the reason."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from localcloud.cli import installation
from localcloud.cli.installation import Installation, NotAvailable, install
from tests.root import ROOT

pytestmark = pytest.mark.integration
HOST = "pulumi-language-python"
BUILDS = """\
case "$1" in
env) echo go1.26.8 ;;
list) echo "$SDK" ;;
build) echo built >> "$SDK/builds"; while [ "$1" != -o ]; do shift; done; echo '#!/bin/sh' > "$2"; chmod +x "$2" ;;
esac
"""


@pytest.fixture(autouse=True)
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder is all that PATH has, besides the shell's commands."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin")
    monkeypatch.setattr(installation.shutil, "which", _only_in(folder))
    return folder


def _only_in(folder: Path):  # noqa: ANN202 - the signature of shutil.which
    def which(name: str, path: str | None = None) -> str | None:
        found = folder / name
        return str(found) if found.is_file() else None

    return which


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What Go has downloaded of Pulumi's SDK."""
    folder = tmp_path / "sdk"
    (folder / "python" / "cmd").mkdir(parents=True)
    (folder / "python" / "cmd" / "pulumi-language-python-exec").write_text("run the program")
    monkeypatch.setenv("SDK", str(folder))
    return folder


def test_a_cli_on_path_is_taken_with_its_own_host(on_path: Path, tmp_path: Path) -> None:
    put(on_path, "pulumi", "echo v3.281.0")
    put(on_path, HOST, "")
    found = install(tmp_path, print)
    assert found == Installation(command=on_path / "pulumi", version="3.281.0", executor=None)
    environment = found.environment(tmp_path / "state", "secret")
    plugins = Path(environment["PATH"].split(os.pathsep)[0])
    assert {path.name for path in plugins.iterdir()} == {"pulumi-resource-aws", "pulumi-resource-gcp"}


def test_without_a_cli_go_builds_one_once_and_says_so_before(on_path: Path, tmp_path: Path, sdk: Path) -> None:
    put(on_path, "go", BUILDS)
    said: list[str] = []
    first, second = install(tmp_path, said.append), install(tmp_path, said.append)
    assert first == second
    assert first.executor is not None
    assert first.executor.read_text() == "run the program"
    assert said == [f"building the Pulumi CLI {first.version} with Go, once: about four minutes on two cores"]
    assert (sdk / "builds").read_text() == "built\n"
    plugins = Path(first.environment(tmp_path / "state", "secret")["PATH"].split(os.pathsep)[0])
    assert HOST in {path.name for path in plugins.iterdir()}


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        ({}, "there is no Pulumi CLI on PATH, and no Go to build it"),
        (
            {"pulumi": "true"},
            "the Pulumi CLI on PATH does not tell its version, and no Go to build it",
        ),
        (
            {"pulumi": "echo warning: 9.9.9; echo v3.60.1"},
            "the Pulumi CLI on PATH is 3.60.1, older than 3.200.0, and no Go to build it",
        ),
        (
            {"pulumi": "echo v3.60.1"},
            "the Pulumi CLI on PATH is 3.60.1, older than 3.200.0, and no Go to build it",
        ),
        (
            {"pulumi": "echo v3.281.0"},
            "the Pulumi CLI on PATH has no host for Python beside it, and no Go to build it",
        ),
        (
            {"go": "echo go1.21.3"},
            "there is no Pulumi CLI on PATH, and Go is 1.21.3: 1.26.6 or newer builds it",
        ),
        (
            {"go": 'test "$1" = env && echo go1.26.8 || { echo "module not found" >&2; exit 1; }'},
            "there is no Pulumi CLI on PATH, and Go does not build it: module not found",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(
    on_path: Path, tmp_path: Path, commands: dict[str, str], reason: str
) -> None:
    for name, script in commands.items():
        put(on_path, name, script)
    with pytest.raises(NotAvailable) as raised:
        install(tmp_path / "built", print)
    assert str(raised.value) == reason


def test_a_build_that_fails_leaves_nothing_that_the_next_one_takes_for_a_cli(
    on_path: Path, tmp_path: Path, sdk: Path
) -> None:
    put(on_path, "go", 'test "$1" = env && echo go1.26.8 || exit 1')
    with pytest.raises(NotAvailable):
        install(tmp_path, print)
    put(on_path, "go", BUILDS)
    assert install(tmp_path, print).command.is_file()


def test_a_build_ends_with_the_command_that_began_it(on_path: Path, tmp_path: Path, sdk: Path) -> None:
    put(on_path, "go", 'case "$1" in env) echo go1.26.8 ;; build) echo $$ > "$SDK/pid"; exec sleep 600 ;; esac')
    command = [sys.executable, "-m", "localcloud.cli.installation", str(tmp_path / "cli")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while not (sdk / "pid").exists() or not (sdk / "pid").read_text():
            assert time.monotonic() < until, "Go was not started"
            time.sleep(0.05)
        process.terminate()
    with pytest.raises(ProcessLookupError):
        os.kill(int((sdk / "pid").read_text()), 0)


def test_nothing_of_the_user_is_read_or_written(tmp_path: Path) -> None:
    environment = Installation(command=Path("/x/pulumi"), version="3.281.0").environment(tmp_path / "state", "secret")
    assert Path(environment["PULUMI_HOME"]).is_relative_to(tmp_path)
    assert environment["PULUMI_BACKEND_URL"].startswith(f"file://{tmp_path}")


def test_a_plugin_without_a_running_cloud_says_how_to_start_one(tmp_path: Path) -> None:
    state = tmp_path / "state"
    environment = Installation(command=Path("/x/pulumi"), version="3.281.0").environment(state, "secret")
    plugin = Path(environment["PATH"].split(os.pathsep)[0]) / "pulumi-resource-gcp"
    expected = "no embedded cloud serves gcp here: start one with `python -m localcloud engine --stack NAME`\n"
    for address in (None, "127.0.0.1:9", "", "{"):
        if address is not None:
            (state / installation.ADDRESS.format(package="gcp")).write_text(address)
        ended = subprocess.run([plugin, "127.0.0.1:1"], capture_output=True, text=True, check=False, timeout=60)
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", expected)
