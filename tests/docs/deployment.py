"""README's command lines of a first deployment, read: what each needs must be there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final, NamedTuple

import yaml

from tests.docs.console import TARGETS, commands
from tests.docs.page import Block, blocks
from tests.root import ROOT

CLOUDS: Final = {"aws s3 cp": "aws", "gcloud storage cp": "gcp"}
"""The command that uploads a file, and the cloud that it uploads to."""
UPLOAD: Final = re.compile(rf'({"|".join(CLOUDS)}) (\S+) "\$\(pulumi stack output (\w+)\)/([\w/]+/)"')
PULUMI: Final = {"install", "stack init", "config set", "up", "stack output", "destroy"}
KEYS: Final = {
    key for path in ROOT.glob("Pulumi.*.yaml") for key in yaml.safe_load(path.read_text(encoding="utf-8"))["config"]
}
"""The keys of any stack's configuration."""


class Upload(NamedTuple):
    """A file that is uploaded: to which cloud, by which output of the stack, and into which folder of it."""

    cloud: str
    file: str
    output: str
    folder: str


def deployments() -> list[Block]:
    """Return the blocks of README that deploy to an account."""
    return [block for block in blocks(ROOT / "README.md") if "\npulumi up" in block.text]


def upload(block: Block) -> Upload:
    """Return the upload of a block. Raise `AssertionError` for none or several."""
    (found,) = UPLOAD.findall(block.text)
    return Upload(CLOUDS[found[0]], *found[1:])


def complaints(block: Block) -> Iterator[str]:
    """Yield what is wrong with the commands of a block, in order."""
    typed, made = [shlex.split(command.text, comments=True) for command in commands(block.text)], set()
    previewed = [words[2].removeprefix("STACK=") for words in typed if words[:2] == ["make", "preview"]]
    stack = previewed[0] if previewed else None
    for words in typed:
        match words:
            case ["make", target] if target in TARGETS:
                made.add(target)
            case ["pulumi", *rest]:
                yield from _of_pulumi(rest, stack)
            case ["aws" | "gcloud", _, "cp", file, *_] if not (file in made or _is_ours(file)):
                yield f"there is no {file}, and no command before it makes one"


def _is_ours(file: str) -> bool:
    """Return whether a file is part of the project: one that `make` writes may be there, and is not."""
    return file not in TARGETS and (ROOT / file).is_file()


def _of_pulumi(words: list[str], stack: str | None) -> Iterator[str]:
    if not {" ".join(words[:1]), " ".join(words[:2])} & PULUMI:
        yield f"pulumi {' '.join(words)} is not known"
    match words:
        case ["stack", "init", name] if name != stack or not (ROOT / f"Pulumi.{name}.yaml").is_file():
            yield f"{name} is not the stack that was previewed, or has no file"
        case ["config", "set", key, _] if key not in KEYS:
            yield f"{key} is no key of a stack's configuration"
