"""A small project with a history: its program writes the graph that a stack's file asks for, and takes no time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAM = """
import json, pathlib, sys
command, arguments = sys.argv[1], sys.argv[2:]
if command == "estimate":
    graph, tariff = (json.loads(pathlib.Path(path).read_text()) for path in (arguments[0], "tariff.json"))
    if "refused" in tariff:
        sys.exit(tariff["refused"])
    found = tariff["document"]
    found["figures"]["month"]["usd"] = tariff["price"] * sum(not one["component"] for one in graph["resources"])
    found["assumptions"] = [json.dumps(graph["outputs"]["estimate"], sort_keys=True)]
    print(json.dumps(found))
    sys.exit()
stack, state = arguments[1], pathlib.Path(arguments[3])
stated = json.loads(pathlib.Path(f"Pulumi.{stack}.yaml").read_text())
if "refused" in stated:
    sys.exit(f"{pathlib.Path.cwd()}/Pulumi.{stack}.yaml: {stated['refused']}")
if "raises" in stated:
    raise ValueError(stated["raises"])
if "slow" in stated:
    import os, time
    pathlib.Path(stated["slow"]).write_text(str(os.getpid()))
    time.sleep(60)
component = {"urn": "urn:c", "type": "ours:x:Function", "name": "predict", "component": True, "parent": "",
             "inputs": {}}
resources = [
    {"urn": f"urn:{name}", "type": f"cloud:x/y:{kind}", "name": name, "parent": "urn:c", "component": False,
     "inputs": inputs}
    for name, (kind, inputs) in stated["resources"].items()
]
graph = {"format": 1, "project": "small", "stack": stack, "resources": [component, *resources],
         "outputs": stated.get("outputs", {})}
(state / f"graph-{stack}.json").write_text(json.dumps(graph))
if "preview" in stated:
    (state / f"preview-{stack}.json").write_text(json.dumps({"format": 1, **stated["preview"]}))
"""


class Project:
    """A project in a folder. A stack is what its file says: resources by name, each with its kind and its inputs."""

    def __init__(self, root: Path, *, made: bool = False, within: Path | None = None) -> None:
        """`made` says that the folder has a program already; the history is that of the folder `within`."""
        self.root = root
        if not made:
            self.write("localcloud/__main__.py", PROGRAM)
        self.write(".gitignore", ".local\n__pycache__/\n")
        self.git("init", "--quiet", "--initial-branch=main", str(within or root))

    def stack(self, name: str, resources: Mapping[str, tuple[str, Mapping[str, Any]]], **more: Any) -> None:
        self.write(f"Pulumi.{name}.yaml", json.dumps({"resources": resources, **more}))

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def prices(self, **tariff: Any) -> None:
        """Have the program estimate: `price` USD for each resource, in a `document` of which the rest is taken."""
        self.write("localcloud/commands/estimate.py", "")
        self.write("tariff.json", json.dumps(tariff))

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=a reader", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *who, *arguments],  # noqa: S607
            cwd=self.root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
