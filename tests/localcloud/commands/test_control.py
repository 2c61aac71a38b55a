from __future__ import annotations

import http.client
import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from localcloud.commands.control import Control
from localcloud.engine.cloud import CloudFailed
from sml.here import Here
from sml.mistake import Mistake, Unreachable


def refuse(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise CloudFailed("the queue is closed on Sundays")


def ask(path: Path, command: str, **fields: Any) -> dict[str, Any]:
    return Here(path.parent).ask(command, **fields)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    with Control(tmp_path / "control.json", {"double": lambda fields: {"is": fields["n"] * 2}, "refuse": refuse}):
        yield tmp_path / "control.json"


def test_a_command_is_answered(path: Path) -> None:
    assert ask(path, "double", n=21) == {"is": 42}


def test_a_refusal_is_shown_in_the_words_of_the_server(path: Path) -> None:
    with pytest.raises(Mistake, match="closed on Sundays"):
        ask(path, "refuse")
    with pytest.raises(Mistake, match=r"^double: the field 'n' is missing; given: none$"):
        ask(path, "double")
    with pytest.raises(Mistake, match=r"^double: the field 'n' is missing; given: m, o$"):
        ask(path, "double", o=1, m=2)
    with pytest.raises(Mistake, match="accepted: POST double, refuse"):
        ask(path, "triple")


def test_only_who_can_read_the_file_is_obeyed(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    address = urlsplit(json.loads(path.read_text(encoding="utf-8"))["url"])
    assert address.hostname == "127.0.0.1"
    for secret in ("", "Bearer ", "Bearer guessed"):
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        connection.request("POST", "/double", b'{"n": 1}', {"authorization": secret})
        assert connection.getresponse().status == 403
        connection.close()


def test_without_a_stack_there_is_a_word_on_how_to_have_one(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="make up"):
        ask(tmp_path / "control.json", "redrive")


def test_the_file_goes_with_the_stack_and_one_left_behind_leads_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    with Control(path, {}):
        left = path.read_text(encoding="utf-8")
    assert not path.exists()
    path.write_text(left, encoding="utf-8")
    with pytest.raises(Unreachable, match="make up"):
        ask(path, "redrive")
    with Control(path, {"x": lambda _: {}}):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert ask(path, "x") == {}
