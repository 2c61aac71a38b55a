"""`python -m bench.graph_ours`: draw the blueprint under Pulumi's mocks, with stand-ins for the archives.

`--bare FILE` writes a script that declares the same resources with the same inputs, and nothing else.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks

from infra import blueprint
from infra.archive import Archive, Platform
from infra.aws import CLOUD
from infra.function_table import FUNCTIONS
from infra.settings import Settings

PLATFORM = Platform(python="3.13", architecture="x86_64", wheels="x86_64-manylinux_2_28")
SETTINGS = {"cloud": "aws", "models": ["breast_cancer"]}


class Recorder(mocks.Mocks):
    """Mocks that answer with an ARN made of the resource's name, and record every resource."""

    def __init__(self) -> None:
        self.resources: list[tuple[str, str, dict[str, object]]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, object]]:
        self.resources.append((args.typ, args.name, dict(args.inputs)))
        arn = f"arn:aws:service:eu-west-1:000000000000:{args.name}"
        outputs = dict.fromkeys(("arn", "bucket", "url", "version", "apiEndpoint", "executionArn", "invokeArn"), arn)
        return f"{args.name}-id", {**outputs, "name": args.name, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> Any:
        return {"accountId": "000000000000", "id": "000000000000", "region": "eu-west-1", "name": "eu-west-1"}


def draw() -> None:
    digest = "0" * 64
    archive = Archive(path=Path(__file__), digest=digest, size=1_000_000, unpacked=3_000_000)
    settings = Settings.parse(SETTINGS, where="bench")
    blueprint.draw(CLOUD, settings, PLATFORM, {spec.name: archive for spec in FUNCTIONS})


def run() -> Recorder:
    recorder = Recorder()
    mocks.set_mocks(recorder, project="serverless-ml", stack="bench")
    pulumi.runtime.set_all_config({"aws:region": "eu-west-1"})
    pulumi.runtime.test(lambda: (draw(), None)[1])()
    return recorder


def bare(recorder: Recorder) -> str:
    """Return the script: one constructor call for each recorded resource."""
    lines = ["import pulumi", "import pulumi_aws as aws", "from pulumi.runtime import mocks", ""]
    lines += ["class Answers(mocks.Mocks):", "    def new_resource(self, args):"]
    lines += ['        arn = f"arn:aws:service:eu-west-1:000000000000:{args.name}"']
    lines += [
        '        outputs = dict.fromkeys(("arn", "bucket", "url", "version", "apiEndpoint", "executionArn"), arn)'
    ]
    lines += ['        return f"{args.name}-id", {**outputs, "name": args.name, **args.inputs}']
    lines += ["    def call(self, args):", "        return {}", "", "def program():"]
    for token, name, inputs in recorder.resources:
        if token.startswith("aws:"):
            module, kind = token.split(":")[1].split("/")[0], token.rsplit(":", 1)[-1]
            lines.append(f"    aws.{_module(module)}.{kind}({name!r}, **{_arguments(inputs)!r})")
    lines += ["", 'mocks.set_mocks(Answers(), project="serverless-ml", stack="bench")']
    lines += ["pulumi.runtime.test(lambda: (program(), None)[1])()"]
    return "\n".join(lines) + "\n"


def _module(module: str) -> str:
    return f"{module}_" if module == "lambda" else module


def _arguments(inputs: dict[str, object]) -> dict[str, object]:
    """Return the inputs under Python's names, as plain data, without assets, whose files would be read."""
    kept = {key: value for key, value in inputs.items() if not isinstance(value, (pulumi.Asset, pulumi.Archive))}
    return {re.sub(r"(?<!^)([A-Z])", r"_\1", key).lower(): value for key, value in kept.items()}


if __name__ == "__main__":
    recorded = run()
    if sys.argv[1:2] == ["--bare"]:
        Path(sys.argv[2]).write_text(bare(recorded), encoding="utf-8")
    else:
        print(len(recorded.resources))
