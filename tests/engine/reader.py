"""A reader who types README's first deployment, with an embedded cloud in place of an account."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema

from localcloud.__main__ import main as localcloud
from localcloud.commands.watch import Watch
from localcloud.engine.stack_file import StackFile
from models.breast_cancer import sample
from tests.docs.console import commands
from tests.docs.page import Block
from tests.engine.embedded import MODEL, SECONDS, STACKS, Embedded
from tests.engine.project import Ended
from tests.root import ROOT

SCHEMA = json.loads((ROOT / "docs" / "outputs.schema.json").read_text(encoding="utf-8"))
ASKED = 20


class Reader:
    """Types the commands of a block for the embedded stack, and keeps what came of them."""

    def __init__(self, stack: Embedded, folder: Path) -> None:
        self._stack = stack
        self._name = STACKS[stack.name]
        self._folder = folder
        self.up: Ended | None = None
        self.trained: Any = None
        self.right = 0
        """The number of right answers to `ASKED` cases, once a version was promoted."""
        self.destroyed: Ended | None = None

    def type(self, block: Block) -> None:
        """Type the commands of a block in order; `pulumi up` leaves nothing to do, and outputs as the schema says."""
        for command in commands(block.text):
            self._run(shlex.split(command.text, comments=True))

    def _run(self, words: list[str]) -> None:
        match words:
            case ["make", "preview", _]:
                assert localcloud(["preview", "--stack", self._name, "--state", str(self._folder)]) == 0
            case ["make", "doctor", _]:
                assert localcloud(["doctor", "--stack", self._name, "--state", str(self._folder)]) == 0
            case ["make", "wdbc.csv"]:
                sample.main([str(self._folder / "wdbc.csv")])
            case ["pulumi", *rest]:
                self._pulumi(rest)
            case ["aws" | "gcloud", _, "cp", file, address]:
                self._upload(self._folder / file, address)
            case ["gcloud", "auth" | "services", *_]:
                pass  # of an account alone: an embedded project has no login, and its services are always on
            case _:
                raise AssertionError(f"no reader here knows how to type: {shlex.join(words)}")

    def _pulumi(self, words: list[str]) -> None:
        project = self._stack.project
        match words:
            case ["install"]:
                project.pulumi("install")
            case ["stack", "init", _]:
                project.pulumi("stack", "init", self._name)
            case ["config", "set", key, value]:
                project.pulumi("config", "set", key, StackFile.read(self._name).get(key, value))
            case ["up"]:
                self.up = self._stack.deploy()
                project.deploying("preview", "--expect-no-changes")
                project.deploying("refresh", "--expect-no-changes")
                jsonschema.validate(dict(self._stack.outputs()), SCHEMA)
            case ["stack", "output", name]:
                assert self._stack.outputs()[name]
            case ["destroy"]:
                self.destroyed = project.deploying("destroy")
            case _:
                raise AssertionError(f"no reader here knows how to type: pulumi {shlex.join(words)}")

    def _upload(self, file: Path, address: str) -> None:
        """Upload a file to an address such as `$(pulumi stack output data_url)/folder/`, and wait for its run."""
        outputs = self._stack.outputs()
        output, folder = address.removeprefix("$(pulumi stack output ").split(")/")
        watch = Watch(self._stack.cloud.store(outputs["models_url"]), MODEL)
        self._stack.cloud.store(outputs[output]).put(f"{folder}{file.name}", file)
        self.trained = watch.reached(watch.new_run(SECONDS), seconds=SECONDS)
        cases, labels = sample.instances()
        predicted = [one["label"] for one in self._stack.predict(cases[:ASKED])]
        self.right = sum(label == one for label, one in zip(labels[:ASKED], predicted, strict=True))
