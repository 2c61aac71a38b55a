"""What `sml` says to type next: it works where it is pasted."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.core.registry.pointer import Pointer, Turn, promote_first
from functions.core.release.approval import ask_approval
from sml.here import ROOT
from sml.typed import Typed
from tests.sml.called import Said, called
from tests.sml.staged import MODEL, Staged

WITHOUT_STACK = ("init", "check", "lock", "review", "console")
"""Commands that take no stack, or are no command but a name."""
HINT = re.compile(r"`(sml [^`]*)`")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SML_STACK", "SML_OUTPUTS", "SML_STATE"):
        monkeypatch.delenv(name, raising=False)


def hints(said: Said) -> list[list[str]]:
    return [shlex.split(found) for found in HINT.findall(said.out + said.err)]


def waiting(staged: Staged) -> None:
    pointer = promote_first(Pointer(), "v1", "first", 0.0)
    staged.registry.put_json(
        f"{MODEL}/live.json", ask_approval(pointer, Turn(run="r2", version="v2", asked=0.0)).document()
    )
    for name in ("v1", "v2"):
        staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", {"version": name})
    staged.run("r2", status="awaiting_approval", version="v2", execution="x0")


@pytest.mark.usefixtures("plain")
def test_what_is_said_to_type_names_the_stack_as_it_was_named_and_works(staged: Staged) -> None:
    waiting(staged)
    where = ("--state", str(staged.state))
    approve, reject = hints(called("approvals", *where))
    assert approve == ["sml", "approve", f"{MODEL}@v2", *where]
    assert reject == ["sml", "reject", f"{MODEL}@v2", "--reason", "WHY", *where]
    said = called(*approve[1:])
    assert (said.code, hints(said)) == (0, [["sml", "live", MODEL, *where]])
    assert called(*hints(said)[0][1:]).code == 0


@pytest.mark.usefixtures("plain")
def test_outputs_and_a_stacks_name_are_kept_too(staged: Staged, tmp_path: Path) -> None:
    file = tmp_path / "the outputs.json"
    file.write_text(json.dumps(staged.outputs), encoding="utf-8")
    for where in (
        ("--outputs", str(file)),
        ("--stack", "dev", "--outputs", str(file)),
        ("--stack", "local", "--state", str(staged.state)),
    ):
        assert hints(called("runs", MODEL, *where)) == [["sml", "upload", MODEL, "FILE", *where]]


@pytest.mark.usefixtures("plain")
def test_a_mistake_and_a_damaged_store_name_the_stack_too(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    where = ("--state", str(staged.state))
    assert hints(called("show", MODEL, "zz", *where)) == [["sml", "runs", MODEL, *where]]
    assert hints(called("promote", MODEL, "--from", "dev", *where))[0] == ["sml", "promote", MODEL, *where]
    monkeypatch.setattr("sml.records.Records.runs", lambda _: [None])
    assert hints(called("runs", MODEL, *where)) == [["sml", "registry", "verify", *where]]


def test_what_the_environment_says_is_said_by_it_again(staged: Staged) -> None:
    assert hints(staged.sml("show", MODEL, "zz")) == [["sml", "runs", MODEL]]


def test_a_command_for_another_stack_leaves_out_what_the_environment_says_of_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SML_OUTPUTS", "dev.json")
    monkeypatch.delenv("SML_STATE", raising=False)
    monkeypatch.delenv("SML_STACK", raising=False)
    assert Typed(stack="prod")("live", "m") == "env -u SML_OUTPUTS sml live m --stack prod"
    assert Typed(outputs=Path("dev.json"))("live", "m") == "sml live m"
    assert Typed(outputs=Path("a b.json"))("live", "m") == "sml live m --outputs 'a b.json'"


def _sentences(tree: ast.Module) -> Iterator[str]:
    """Yield what is printed: each text that is no docstring."""
    texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
            yield node.value


def test_no_command_for_a_stack_is_written_anywhere_else() -> None:
    files = [*(ROOT / "sml").rglob("*.py"), *(ROOT / "sml").rglob("*.html")]
    found = [
        (file.name, command)
        for file in files
        for text in (
            [file.read_text(encoding="utf-8")]
            if file.suffix == ".html"
            else _sentences(ast.parse(file.read_text(encoding="utf-8")))
        )
        for command in re.findall(r"(?:`|<code>|: )sml ([a-z]+)", text)
        if command not in WITHOUT_STACK
    ]
    assert found == []
