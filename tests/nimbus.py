"""A third cloud, as small as one can be: files by path, as docs/add-a-cloud.md names them.

It makes nothing anywhere; each of its components only states outputs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.locked_modules import LINE
from infra.tier import Tier
from tests.root import ROOT

FOLDERS = (
    "bench",
    "docs",
    "doctor",
    "examples",
    "functions",
    "infra",
    "interface",
    "localcloud",
    "models",
    "requirements",
    "sml",
    "tests",
)

COMPONENT = '''
import pulumi


class {thing}(pulumi.ComponentResource):
    """A {word} of nimbus."""

    def __init__(self, name: str, args: object, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:nimbus:{thing}", name, None, opts)
        self.outputs = {outputs}
        for key, value in self.outputs.items():
            named = value.replace("*", name) if isinstance(value, str) else value
            setattr(self, key, pulumi.Output.from_input(named))
        self.register_outputs({{key: getattr(self, key) for key in self.outputs}})
'''
OUTPUTS: Mapping[str, Mapping[str, object]] = {
    "store": {"ref": "nimbus/*", "name": "*", "url": "az://*"},
    "queue": {"ref": "nimbus/*", "url": "https://nimbus.example.org/*", "dead_letters": "nimbus/*/dead"},
    "function": {"ref": "https://*.nimbus.example.org", "name": "*", "logs": "nimbus/*/logs"},
    "api": {"endpoint": "https://*.nimbus.example.org", "callers": "nimbus/*"},
    "workflow": {"ref": "nimbus/*"},
    "arrival": {},
    "schedule": {},
    "upload": {},
    "budget": {},
    "monitor": {"alarms": {"errors": "nimbus/errors"}, "dashboard": "https://nimbus.example.org/*"},
}
"""The outputs of each word's component; * is its logical name."""


EMBEDDED = '''
"""The embedded nimbus: a cloud of nothing needs nothing of a machine."""

from localcloud.engine.alarms import Monitoring


class Nimbus:
    title, function, workflow = "Nimbus", "nimbus:index:Function", "nimbus:index:Workflow"
    session = certificate = None
    handlers = absent = {}

    def __init__(self, stack, workspace, *, port, progress):
        self.log = workspace / "log"

    def check(self):
        pass

    def outputs(self, found):
        return found

    def monitoring(self, resources):
        return Monitoring()

    def counted(self, resources):
        return ()

    def stop(self):
        pass


start = Nimbus
'''
QUOTAS = """
def wants(graph):
    return ()
"""
ADAPTER = """
from functions.core.runtime.environment import Environment


def handler(entry):
    return lambda event: entry(Environment({}))


def new_objects(entry):
    return handler(entry)


def messages(entry):
    return handler(entry)


def demands(entry):
    return handler(entry)
"""
STACK = """config:
  nimbus:region: nowhere
  serverless-ml:settings:
    cloud: nimbus
    models: [breast_cancer]
    protect: false
"""


def stated(words: Mapping[str, str], tier: Tier, *, packed: bool = False) -> dict[str, str]:
    """Return the one file that makes it a cloud: its `CLOUD`, with the tier that it promises."""
    imports = "\n".join(f"from infra.nimbus.{file} import {word.title()}" for word, file in words.items())
    components = ", ".join(f"{word}={word.title()}" for word in words)
    packing = "packing=Packing(built=True), quotas=wants, " if packed else ""
    imports += "\nfrom infra.nimbus.quotas import wants" if packed else ""
    text = (
        "from infra.archive import Packing\nfrom infra.tier import Tier\n"
        f"from infra.vocabulary import Cloud\n{imports}\n\n"
        f"CLOUD = Cloud(name='nimbus', tier={tier}, {packing}{components})\n"
    )
    return {"infra/nimbus/__init__.py": text}


def new_file(path: str, words: Mapping[str, str]) -> str:
    """Return what a new cloud's author writes into a file that a rule has named."""
    word_of = {f"infra/nimbus/{file}.py": word for word, file in words.items()}
    if path in word_of:
        word = word_of[path]
        return COMPONENT.format(thing=word.title(), word=word, outputs=dict(OUTPUTS[word]))
    if path == "localcloud/nimbus/__init__.py":
        return EMBEDDED
    if path == "infra/nimbus/quotas.py":
        return QUOTAS
    if path.endswith((".in", ".txt")):
        return "# Nothing, for nimbus.\n" + (_modules(path) if path.startswith("functions/requirements/") else "")
    if path.startswith("functions/adapters/") and not path.endswith("__init__.py"):
        return ADAPTER
    return '"""Of nimbus."""\n'


def _modules(path: str) -> str:
    """Return the line of modules of the same lock on a cloud that installs packages itself, as the new one does."""
    locks = sorted((ROOT / "functions" / "requirements").glob(f"*/{path.rpartition('/')[2]}"))
    text = locks[0].read_text(encoding="utf-8") if locks else ""
    return "".join(f"{line}\n" for line in text.splitlines() if line.startswith(LINE))


def copied(target: Path, folders: Iterable[str] = FOLDERS, *, compiled: bool = False) -> Path:
    """Copy this tree, without what is built, and return the copy.

    With `compiled`, what Python has compiled is copied, too: it holds as long as a file keeps its date and size.
    """
    # What is about to be written has a name of its own, and may be gone when it is copied.
    ignore = shutil.ignore_patterns("*.pyc.*" if compiled else "__pycache__")
    for folder in folders:
        shutil.copytree(ROOT / folder, target / folder, ignore=ignore)
    for file in [*ROOT.glob("Pulumi*.yaml"), *ROOT.glob("*.md"), ROOT / "Makefile"]:
        shutil.copyfile(file, target / file.name)
    return target


def plant(root: Path, tree: Mapping[str, str]) -> None:
    """Write files by path below a root."""
    for path, text in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def add_limits(root: Path) -> None:
    """Add a row of the cloud to the table of limits."""
    path = root / "infra" / "limits.py"
    text = path.read_text(encoding="utf-8")
    row = text[text.index('    "gcp": Limits(') : text.index("\n}\n", text.index('    "gcp": Limits('))]
    path.write_text(text.replace(row, f"{row}\n{row.replace('gcp', 'nimbus', 1)}"), encoding="utf-8")
