from __future__ import annotations

import json
from pathlib import Path

import pytest

from functions.core.runtime.environment import Environment
from functions.core.runtime.log import Log


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(KeyError, match="MODELS_URL"):
        Environment({}).store("MODELS_URL")


def test_variables_are_read_by_their_kind() -> None:
    environment = Environment({"MODELS": "a, b,", "SHARE": "0.5"})
    assert environment.names("MODELS") == ("a", "b")
    assert environment.number("SHARE") == 0.5


def test_a_log_says_only_what_its_level_lets_through(capsys: pytest.CaptureFixture[str]) -> None:
    log = Environment({"LOG_LEVEL": "WARNING"}).log()
    log.info("quiet")
    log.warning("loud", path=Path("a"))
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) | {"time": 0} == {"time": 0, "level": "WARNING", "event": "loud", "path": "a"}
    with pytest.raises(ValueError, match="accepted: DEBUG, INFO"):
        Log(level="LOUD")


def test_a_level_has_the_name_under_which_the_cloud_looks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    Environment({}, log_level_name="severity").log().error("lost")
    line = json.loads(capsys.readouterr().out)
    assert line["severity"] == "ERROR"
    assert "level" not in line
