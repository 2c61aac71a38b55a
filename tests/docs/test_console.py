"""Command lines: those of the blocks, and those that stand in a sentence."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from functions.core.http.messages import Request
from tests.docs import served
from tests.docs.console import NEED_ACCOUNT, Command, commands, complaint, is_checked, no_shell
from tests.docs.page import PAGES, Block, blocks, every_block, name_of, prose
from tests.root import ROOT

pytestmark = pytest.mark.integration
CONSOLE = every_block("console")
OUTPUTS = json.loads((ROOT / "docs" / "outputs.schema.json").read_text(encoding="utf-8"))["properties"]
VARIABLES = {"ENDPOINT": "", "JOBS": f"/v2/models/{served.MODEL}/jobs"}
"""What the pages put into the environment, as paths of the service."""
INLINE = re.compile(
    r"`((?:make [a-z]|\.venv/bin/python -m |python -m (?:localcloud|models\.\S+) |(?:\.venv/bin/)?sml [a-z])[^`\n]*)`"
)


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_a_command_line_is_one_that_its_program_takes(block: Block) -> None:
    asked = [command.text for command in commands(block.text)]
    if block.not_run:
        assert no_shell(block.text) is None
        asked = [text for text in asked if is_checked(text)]
    else:
        assert asked
    assert [(text, wrong) for text in asked if (wrong := complaint(text))] == []


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_what_needs_an_account_says_so(block: Block) -> None:
    needs = NEED_ACCOUNT & set(re.findall(r"\b[a-z]+\b", block.text))
    assert bool(needs) == (block.not_run is not None)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_command_in_a_sentence_is_one_that_its_program_takes(page: Path) -> None:
    found = [re.sub(r"<\w+>", "", command) for command in INLINE.findall(prose(page.read_text(encoding="utf-8")))]
    assert [(command, wrong) for command in found if (wrong := complaint(command))] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_an_output_of_the_stack_is_one_that_it_has(page: Path) -> None:
    named = re.findall(r"pulumi stack output (?!--)([a-z_]+)", page.read_text(encoding="utf-8"))
    assert set(named) <= set(OUTPUTS)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_request_is_answered_as_the_page_says(page: Path) -> None:
    """Of one page after another to one service: the same Idempotency-Key is the same job."""
    service = served.service()
    for block in blocks(page):
        for command in commands(block.text) if block.language == "console" else ():
            asked = request_of(command)
            if asked is None:
                continue
            response = service.answer(asked)
            assert response.status < 300, (str(block), response.body)
            if command.output:
                assert shape(json.loads(command.output)) == shape(json.loads(response.body)), str(block)


def request_of(command: Command) -> Request | None:
    """What the curl of a command line sends to the API; None for another program or another address."""
    words = shlex.split(command.text.replace("$(cat token)", "token"), comments=True)
    if words[:1] != ["curl"]:
        return None
    url = next(
        re.sub(r"\$([A-Z]+)", lambda found: VARIABLES[found[1]], word)
        for word in words[1:]
        if "/" in word or "$" in word
    )
    if not url.startswith("/"):
        return None
    headers = dict(words[at + 1].lower().split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = next((words[at + 1] for at, word in enumerate(words) if word == "-d"), "")
    method = "POST" if body else "GET"
    return Request(method=method, path=url, headers=headers, body=body.encode(), caller="a reader", request_id="r")


def shape(value: Any) -> Any:
    """The names and kinds of a JSON value; of a list, of its first element."""
    match value:
        case dict():
            return {key: shape(inner) for key, inner in sorted(value.items())}
        case list():
            return [shape(inner) for inner in value[:1]]
        case _:
            return "number" if isinstance(value, (int, float)) else type(value).__name__


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("make nowhere", "make knows no nowhere"),
        ("make demo CLOUDS=gcp", "make knows no CLOUDS=gcp"),
        (".venv/bin/python -m localcloud nowhere", "its parser refuses nowhere"),
        (".venv/bin/sml rollback", "sml refuses rollback: Missing argument 'MODEL'"),
        (".venv/bin/sml nothing", "sml refuses nothing: No such command"),
        (".venv/bin/python -m pytest tests/nowhere.py", "there is no tests/nowhere.py"),
        (".venv/bin/python -m nowhere", "there is no module"),
        ("helm install", "nothing checks helm install"),
        ("pulumi config set aws:region 'eu", "is not shell"),
    ],
)
def test_a_mistake_in_a_command_line_is_seen(line: str, sentence: str) -> None:
    assert sentence in (complaint(line) or "")


def test_a_request_that_the_service_refuses_is_seen() -> None:
    wrong = Command(text="curl -s $ENDPOINT/models/breast_cancer/predict -d '{\"instances\": [[1.0]]}'")
    asked = request_of(wrong)
    assert asked is not None
    assert served.service().answer(asked).status == 400
    assert shape({"a": [1, 2], "b": None}) == {"a": ["number"], "b": "NoneType"}
    assert shape({"a": [1]}) != shape({"a": ["1"]})
