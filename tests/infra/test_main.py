"""The program as the Pulumi CLI's own host for Python starts it, which no other test does: a process of its own,
in infra/, where the root of the checkout is not on the path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from localcloud.engine.stack_file import ROOT, StackFile

pytestmark = pytest.mark.integration

HOST = """
import asyncio, json, os, runpy, sys
sys.path.insert(0, os.getcwd())
import pulumi
from pulumi.runtime import config, mocks, stack

class Recorder(mocks.Mocks):
    types = []
    def new_resource(self, args):
        self.types.append(args.typ)
        arn = f"arn:aws:x:eu-west-1:000000000000:{args.name}"
        of_aws = ("arn", "bucket", "url", "version", "apiEndpoint", "executionArn", "invokeArn")
        of_gcp = ("email", "member", "accountId", "project", "apiId", "gatewayId", "defaultHostname", "outputName")
        made_up = {**dict.fromkeys(of_aws, arn), **dict.fromkeys(of_gcp, args.name), "name": args.name}
        inputs = dict(args.inputs)
        if "serviceConfig" in inputs:
            inputs["serviceConfig"] = {**inputs["serviceConfig"], "uri": f"https://{args.name}.example.org"}
        return f"{args.name}-id", {**made_up, **inputs}
    def call(self, args):
        one = {"accountId": "000000000000", "id": "000000000000", "name": "eu-west-1", "region": "eu-west-1"}
        return {**one, "member": "serviceAccount:agent", "emailAddress": "agent"}

request = json.load(sys.stdin)
mocks.set_mocks(Recorder(), project=request["project"], stack=request["stack"])
pulumi.runtime.settings.set_root_resource(None)
config.set_all_config(request["config"])
program = stack.run_in_stack(lambda: runpy.run_path(request["program"], run_name="__main__"))
asyncio.get_event_loop().run_until_complete(program)
print(json.dumps(sorted(set(Recorder.types))))
"""


def run(stack: StackFile, cwd: Path, python: str | Path = sys.executable) -> subprocess.CompletedProcess[str]:
    request = {
        "project": stack.project,
        "stack": stack.name,
        "config": dict(stack.config),
        "program": str(ROOT / "infra"),
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PULUMI"))}
    return subprocess.run(
        [python, "-P", "-c", HOST],
        input=json.dumps(request),
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )


TYPES = {
    "local": {"aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"},
    "dev": {"aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"},
    "gcp-dev": {"gcp:cloudfunctionsv2/function:Function", "gcp:workflows/workflow:Workflow"},
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds what `pulumi install` installs, and nothing else."""
    folder = tmp_path_factory.mktemp("installed") / ".venv"
    python, uv = folder / "bin" / "python", find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    lock = ROOT / "infra" / "requirements.txt"
    subprocess.run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock], check=True)
    return python


def test_the_program_runs_in_its_own_folder_without_the_root_on_the_path() -> None:
    process = run(StackFile.read("local"), ROOT / "infra")
    assert process.returncode == 0, process.stderr
    assert TYPES["local"] <= set(json.loads(process.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["dev", "gcp-dev"])
def test_what_pulumi_install_installs_is_all_that_the_program_needs_in_its_own_folder(
    installed: Path, name: str
) -> None:
    process = run(StackFile.read(name), ROOT / "infra", installed)
    assert process.returncode == 0, process.stderr
    declared = json.loads(process.stdout.splitlines()[-1])
    assert len(declared) > 20
    assert TYPES[name] <= set(declared)


def test_a_mistake_in_the_settings_stops_it_before_any_resource() -> None:
    process = run(StackFile.read("dev", override={"serverless-ml:settings": {"modles": []}}), ROOT / "infra")
    assert process.returncode != 0
    assert (
        "Pulumi.dev.yaml: serverless-ml:settings -> modles: there is no such setting; did you mean models?"
        in process.stderr
    )
