"""The host that runs a Python program for the Pulumi CLI, called as the CLI calls it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from tests.root import ROOT

pytestmark = pytest.mark.integration
EXECUTOR = """
import json, os, sys
options = dict(one.removeprefix("--").split("=", 1) for one in sys.argv[1:] if one.startswith("--"))
json.dump({"options": options, "rest": sys.argv[1:][len(options):], "config": json.loads(os.environ["PULUMI_CONFIG"]),
    "secrets": json.loads(os.environ["PULUMI_CONFIG_SECRET_KEYS"]), "python": sys.executable}, open("seen.json", "w"))
sys.exit(int(os.environ.get("CODE", "0")))
"""


@pytest.fixture
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A host in a process of its own, as the CLI starts it, in the folder of a project."""
    (tmp_path / "executor.py").write_text(EXECUTOR, encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import runpy; "
    code += "runpy.run_module('localcloud.cli.language_host', run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "executor.py"), "-root=/x", "127.0.0.1:99"],
        cwd=tmp_path,
        env={"CODE": str(getattr(request, "param", 0)), "PATH": "/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")


def info(folder: Path, **options: str) -> Any:
    found = language_pb2.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=".")
    found.options.update(options)
    return found


def run(host: Any, folder: Path, **options: str) -> Any:
    request = language_pb2.RunRequest(
        info=info(folder, **options),
        project="shop",
        stack="dev",
        organization="organization",
        parallel=8,
        dryRun=True,
        monitor_address="127.0.0.1:98",
        config={"shop:key": "value"},
        configSecretKeys=["shop:key"],
    )
    return host.Run(request)


def test_a_program_is_told_what_the_cli_says(host: Any, tmp_path: Path) -> None:
    host.Handshake(language_pb2.LanguageHandshakeRequest(engine_address="127.0.0.1:97"))
    assert run(host, tmp_path) == language_pb2.RunResponse()
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["options"] == {
        "pwd": str(tmp_path),
        "project": "shop",
        "stack": "dev",
        "parallel": "8",
        "dry_run": "true",
        "monitor": "127.0.0.1:98",
        "engine": "127.0.0.1:97",
        "organization": "organization",
        "root_directory": str(tmp_path),
    }
    assert (seen["rest"], seen["config"], seen["secrets"]) == (["."], {"shop:key": "value"}, ["shop:key"])


@pytest.mark.parametrize("host", [32], indirect=True)
def test_an_error_that_was_shown_is_not_shown_twice(host: Any, tmp_path: Path) -> None:
    assert run(host, tmp_path) == language_pb2.RunResponse(bail=True)


@pytest.mark.parametrize("host", [3], indirect=True)
def test_a_program_that_fails_is_said_to_have_failed(host: Any, tmp_path: Path) -> None:
    assert run(host, tmp_path).error == "program exited with non-zero exit code: 3"


def test_a_program_runs_in_the_environment_that_the_project_names(host: Any, tmp_path: Path) -> None:
    answer = run(host, tmp_path, virtualenv=".venv")
    expected = f"{tmp_path}/.venv is not there: `pulumi install` makes it, as does every command of make"
    assert answer.error == expected
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert run(host, tmp_path, virtualenv=".venv") == language_pb2.RunResponse()
    assert json.loads((tmp_path / "seen.json").read_text())["python"] == f"{tmp_path}/.venv/bin/python"


def test_installing_makes_the_environment_and_fills_it_with_what_is_locked(host: Any, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    request = language_pb2.InstallDependenciesRequest(info=info(tmp_path, virtualenv=".venv"))
    list(host.InstallDependencies(request))
    assert (tmp_path / ".venv" / "bin" / "python").is_file()
    (tmp_path / "requirements.txt").write_text("no such\n")
    with pytest.raises(grpc.RpcError) as raised:
        list(host.InstallDependencies(request))
    error: Any = raised.value
    assert error.details() == "python ended with exit code 1"


def test_a_policy_pack_gets_its_arguments_and_its_output_arrives_line_by_line(host: Any, tmp_path: Path) -> None:
    pack = "import os, sys\nprint(sys.argv[1:], os.environ['COLOUR'])\nprint('bad', file=sys.stderr)\nsys.exit(7)\n"
    (tmp_path / "pack.py").write_text(pack)
    program = info(tmp_path)
    program.entry_point = "pack.py"
    request = language_pb2.RunPluginRequest(info=program, pwd=str(tmp_path), args=["a", "b"], env=["COLOUR=red"])
    answers = list(host.RunPlugin(request))
    assert b"".join(one.stdout for one in answers) == b"['a', 'b'] red\n"
    assert b"".join(one.stderr for one in answers) == b"bad\n"
    assert answers[-1].exitcode == 7


def test_it_says_which_python_it_is_and_which_packages_there_are(host: Any) -> None:
    about = host.About(language_pb2.AboutRequest())
    assert about.version == sys.version.split()[0]
    found = host.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest()).dependencies
    assert "pulumi" in {one.name for one in found}
    assert list(host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages) == []


def test_it_ends_with_a_cli_that_was_killed(tmp_path: Path) -> None:
    """Whoever is killed ends nothing; a host would stay for ever."""
    host = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import runpy; "
    host += "runpy.run_module('localcloud.cli.language_host', run_name='__main__')"
    cli = (
        "import os, subprocess, sys\n"
        "host = subprocess.Popen([sys.executable, '-c', sys.argv[1], 'x'], stdout=subprocess.PIPE)\n"
        "host.stdout.readline()\n"
        "print(host.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", cli, host], stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    pid = int(killed.stdout)
    deadline = time.monotonic() + 60
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    listed = subprocess.run(["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in ("", "Z")
