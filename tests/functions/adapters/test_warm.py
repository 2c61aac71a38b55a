"""Copies that open their models before the first request: they answer although the files are gone by then."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.adapters.aws import environment, warm
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import begin, promote, promote_first
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects
from functions.core.storage.store_url import open_store
from functions.entries.predict import predict
from tests.functions.mains import handle
from tests.functions.pushed import framework
from tests.functions.serving import MODEL, card_of, event, golden_of, model_bytes

CONTEXT = SimpleNamespace(aws_request_id="8f5b2c1e")


def variables(workspace: Path) -> dict[str, str]:
    urls = {name: f"file://{workspace}/{name}" for name in ("MODELS_URL", "JOBS_URL", "CAPTURES_URL")}
    numbers = {"POINTER_SECONDS": "300", "TIMEOUT_SECONDS": "15", "CAPTURE_INPUTS": "0.0"}
    return {**urls, **numbers, "MODELS": MODEL, "WARM_UP": "yes"}


def register(models: Objects, slope: float = 1.0) -> str:
    onnx = model_bytes(slope=slope)
    return Registry(models, MODEL).register(onnx, card_of(), golden_of(onnx), {})


def champion(models: Objects, slope: float = 1.0) -> str:
    version = register(models, slope)
    Live(models, MODEL).change(lambda pointer: promote_first(pointer, version, "first", 0.0))
    return version


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    for name, value in variables(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    environment._composed.cache_clear()
    yield open_store(f"file://{tmp_path}/MODELS_URL")
    environment._composed.cache_clear()


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Replace AWS's library, which its own runtimes alone have; return what was registered for after a restore."""
    registered: list[Callable[[], object]] = []

    def register_after_restore(function: Callable[..., object], *args: object) -> None:
        registered.append(lambda: function(*args))

    monkeypatch.setitem(
        sys.modules, "snapshot_restore_py", SimpleNamespace(register_after_restore=register_after_restore)
    )
    return registered


def ask() -> tuple[int, str | None]:
    answer: dict[str, Any] = handle("predict")(event("api_predict"), CONTEXT)
    return answer["statusCode"], answer["headers"].get("x-model-version")


def test_a_copy_that_warms_up_opens_its_models_before_the_first_request(models: Objects, tmp_path: Path) -> None:
    version = champion(models)
    warm.warm(predict)
    shutil.rmtree(tmp_path / "MODELS_URL")
    assert ask() == (200, version)


@pytest.mark.parametrize(
    ("name", "value"), [("WARM_UP", "no"), ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")], ids=["eco", "on demand"]
)
def test_any_other_copy_waits_for_the_first_request(
    models: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    champion(models)
    monkeypatch.setenv(name, value)
    warm.warm(predict)
    shutil.rmtree(tmp_path / "MODELS_URL")
    (tmp_path / "MODELS_URL").mkdir()
    assert ask() == (503, None)


def test_before_the_first_release_there_is_nothing_to_open_and_nothing_fails(
    models: Objects, capsys: pytest.CaptureFixture[str]
) -> None:
    warm.warm(predict)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["model"]) for line in lines if line["event"] != "started"] == [("not warmed", MODEL)]
    version = champion(models)
    assert ask() == (200, version)


def test_a_copy_that_cannot_be_made_says_so_when_it_is_asked(models: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELS_URL")
    warm.warm(predict)
    with pytest.raises(KeyError, match="MODELS_URL"):
        ask()


def test_after_a_snapshot_the_version_of_the_moment_answers_and_not_that_of_the_snapshot(
    models: Objects, hooks: list[Callable[[], object]]
) -> None:
    champion(models)
    warm.warm(predict)
    version = register(models, slope=2.0)
    live = Live(models, MODEL)
    released = promote(begin(live.read(), version, "second", 50, 0.0), 0.0, "better")
    models.put_json(live.key, released.document())
    (restore,) = hooks
    restore()
    assert ask() == (200, version)


def test_after_a_snapshot_no_copy_draws_the_numbers_of_another(
    models: Objects, hooks: list[Callable[[], object]]
) -> None:
    champion(models)
    warm.warm(predict)
    (restore,) = hooks
    drawn = set()
    for _ in range(3):
        random.seed(1)  # the state that every copy of the snapshot begins with
        restore()
        drawn.add(random.getstate())
    assert len(drawn) == 3


@pytest.mark.integration
def test_an_instance_on_gcp_opens_its_models_in_the_process_that_answers(tmp_path: Path) -> None:
    models = open_store(f"file://{tmp_path}/MODELS_URL")
    version = champion(models)
    with framework("predict", tmp_path / "predict", variables(tmp_path)) as served:
        assert [line["event"] for line in served.logged()] == ["started", "serving"]
        shutil.rmtree(tmp_path / "MODELS_URL")
        status, headers, _ = served.replay("gateway_predict")
    assert (status, headers["x-model-version"]) == (200, version)
