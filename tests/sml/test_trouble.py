"""Every command in every trouble: one sentence, the exit code of its kind, and nothing half done."""

from __future__ import annotations

import errno
import inspect
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from functions.core.registry.pointer import Pointer, begin, promote, promote_first
from functions.core.storage.objects import Forbidden, Objects
from sml.app import APP
from tests.sml.called import Said, called
from tests.sml.staged import MODEL, OUTPUTS, Staged

FILE = "FILE"
"""Stands for a table in the arguments."""
COMMANDS: dict[str, list[str]] = {
    "upload": [MODEL, FILE],
    "retrain": [MODEL],
    "runs": [],
    "show": [MODEL, "aa01"],
    "leaderboard": [MODEL],
    "compare": [MODEL, "aa01", "bb02"],
    "report": [MODEL, "-o", FILE],
    "models": [],
    "versions": [MODEL],
    "live": [MODEL],
    "history": [MODEL],
    "diff": [MODEL, "v1", "v2"],
    "approvals": [],
    "approve": [MODEL],
    "reject": [MODEL, "-m", "no"],
    "release": [MODEL, "v2"],
    "promote": [MODEL],
    "withdraw": [MODEL],
    "rollback": [MODEL],
    "predict": [MODEL, FILE],
    "console": ["--no-browser"],
    "alarms": [],
    "status": [],
    "stop": ["--timeout", "1"],
    "resume": ["--timeout", "1"],
    "cost": [MODEL],
    "drift": [MODEL],
    "feedback": [MODEL, FILE],
    "quality": [MODEL],
    "query": ["select run from runs"],
    "rehearse": [f"{MODEL}@1"],
    "tune": [MODEL],
    "put": ["data", f"{MODEL}/incoming/a.csv", FILE],
    "logs": ["predict"],
    "trace": ["4bf92f3577b34da6a3ce929d0e0e4736"],
    "redrive": [],
    "send": ["labels", "{}"],
    "job submit": [MODEL, FILE],
    "job list": [MODEL],
    "job get": [MODEL, "j"],
    "job cancel": [MODEL, "j"],
    "job wait": [MODEL, "j"],
    "export mlflow": ["FOLDER"],
    "export csv": [],
    "registry verify": [],
}
"""Every command that works with a stack, with arguments that it takes."""
STORE = frozenset({"upload", "retrain", "runs", "show", "leaderboard", "compare", "report", "versions", "live"}) | {
    *(
        "history",
        "diff",
        "approvals",
        "approve",
        "reject",
        "release",
        "promote",
        "withdraw",
        "rollback",
        "put",
        "models",
        "query",
        "export mlflow",
        "export csv",
    )
}
"""Those that first of all ask a store."""
CLOUD = frozenset({"retrain", "rollback", "release", "logs", "redrive", "send"})
"""Those that ask the cloud itself for something."""
every = pytest.mark.parametrize("name", COMMANDS)


def arguments(name: str, folder: Path) -> list[str]:
    table = folder / "table.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    return [*name.split(), *({FILE: str(table), "FOLDER": str(folder / "out")}.get(one, one) for one in COMMANDS[name])]


def test_every_command_that_works_with_a_stack_is_in_the_table() -> None:
    named = {command.name or getattr(command.callback, "__name__", "") for command in APP.registered_commands}
    within = {
        f"{group.name} {command.name or getattr(command.callback, '__name__', '')}"
        for group in APP.registered_groups
        for command in (group.typer_instance.registered_commands if group.typer_instance else ())
    }
    assert named | within == {*COMMANDS, "init", "check", "lock", "review"}


def told(said: Said, code: int, *words: str) -> None:
    """Check that a command said one sentence, and ended with this code."""
    assert (said.code, said.out) == (code, "")
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("sml: ")
    assert all(word in lines[0] for word in words), lines[0]


@every
def test_without_a_stack(name: str, tmp_path: Path) -> None:
    told(called(*arguments(name, tmp_path), state=tmp_path), 3, "no stack is up here", "`make up`", "--stack")


@every
def test_a_stack_of_another_version_is_told(name: str, staged: Staged, tmp_path: Path) -> None:
    staged.outputs["api_version"] = "2"
    told(staged.sml(*arguments(name, tmp_path)), 1, "of version 2; this release reads version 1")


@every
def test_an_output_that_lacks_a_key_is_told(name: str, staged: Staged, tmp_path: Path) -> None:
    del staged.outputs["models_url"]
    told(staged.sml(*arguments(name, tmp_path)), 1, "models_url missing", "docs/outputs.schema.json")


def whole(staged: Staged) -> None:
    """Put runs, versions and a canary into the stack, so that every command gets as far as it can."""
    pointer = promote(begin(promote_first(Pointer(), "v0", "r", 0.0), "v1", "aa01", 10, 1.0), 2.0, "good")
    staged.registry.put_json(f"{MODEL}/live.json", begin(pointer, "v3", "bb02", 10, 60.0).document())
    for version, run in (("v1", "aa01"), ("v2", "bb02")):
        staged.registry.put_json(f"{MODEL}/versions/{version}/card.json", {"version": version, "run": run})
        staged.registry.put(f"{MODEL}/versions/{version}/report.html", b"<html>")
        staged.run(run, version=version)
    staged.data.put(f"{MODEL}/incoming/first.csv", b"x")


@pytest.mark.parametrize("name", sorted(STORE))
def test_a_store_that_refuses_is_told(
    name: str, staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole(staged)

    def refuse(*_: Any, **__: Any) -> Any:
        raise Forbidden("the token has expired")

    for store in staged.stores.values():
        for asked, method in vars(Objects).items():
            if inspect.isfunction(method) and not asked.startswith("_"):
                monkeypatch.setattr(store, asked, refuse)
    said = staged.sml(*arguments(name, tmp_path))
    told(said, 3, "the store cannot be used: the token has expired")
    assert staged.started == []


@pytest.fixture
def account(staged: Staged, tmp_path: Path) -> Callable[..., Said]:
    """Call `sml` on the staged stack as if it were one in an account."""
    whole(staged)
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS), encoding="utf-8")
    return lambda *asked: called(*asked, "--outputs", str(file), state=tmp_path / "none")


@pytest.mark.parametrize("name", sorted(CLOUD))
@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (NoCredentialsError(), 3, "AWS could not be asked to"),
        (ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "old"}}, "x"), 3, "ExpiredTokenException"),
        (ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "x"), 1, "AccessDeniedException"),
    ],
    ids=["no credentials", "expired", "no permission"],
)
def test_credentials_that_do_not_suffice_are_told(
    problem: Exception,
    code: int,
    words: str,
    name: str,
    account: Callable[..., Said],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def client(*_: Any, **__: Any) -> Any:
        raise problem

    monkeypatch.setattr(boto3, "client", client)
    told(account(*arguments(name, tmp_path)), code, words)


@pytest.mark.parametrize("name", ["predict", "status", "job submit", "job list", "job get", "job cancel", "job wait"])
def test_an_api_that_does_not_answer_is_told(name: str, staged: Staged, tmp_path: Path) -> None:
    whole(staged)
    said = staged.sml(*arguments(name, tmp_path))
    assert said.code == 3
    assert "http://127.0.0.1:9 does not answer" in said.err + said.out
    assert len(said.err.splitlines()) <= 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", ["runs", "models", "versions", "history", "show", "logs", "status", "compare"])
@pytest.mark.parametrize("columns", ["20", "40"])
def test_a_narrow_terminal_without_colours_gets_every_word(
    name: str, columns: str, staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole(staged)
    staged.logged = ["a line"]
    for variable, value in (("COLUMNS", columns), ("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr("tests.sml.called.io", SimpleNamespace(StringIO=Terminal))
    said = staged.sml(*arguments(name, tmp_path))
    assert (said.code, "\x1b" in said.out) == (3 if name == "status" else 0, False)
    words = {"logs": "a line", "status": "penguins", "models": "penguins", "versions": "v2"}
    assert words.get(name, "aa01") in said.out.replace("\n", "")


@every
def test_ctrl_c_ends_quietly(name: str, staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("sml.session.find_stack", interrupted)
    said = staged.sml(*arguments(name, tmp_path))
    assert (said.code, said.out, "Traceback" in said.err) == (130, "", False)
    assert list(staged.data.keys("")) == []


class Closed(io.StringIO):
    """A pipe whose reader has gone."""

    def fileno(self) -> int:
        return os.open(os.devnull, os.O_WRONLY)

    def write(self, _: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


@pytest.mark.parametrize("name", ["runs", "models", "logs", "export csv", "show"])
def test_a_pipe_that_closes_ends_quietly(name: str, staged: Staged, tmp_path: Path) -> None:
    whole(staged)
    staged.logged = ["a line"]
    errors = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sml", *arguments(name, tmp_path)])
        patch.setenv("SML_STATE", str(staged.state))
        patch.setattr(sys, "stdout", Closed())
        patch.setattr(sys, "stderr", errors)
        with pytest.raises(SystemExit) as end:
            APP(prog_name="sml")
    assert (end.value.code, errors.getvalue()) == (1, "")
