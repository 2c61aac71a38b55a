from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from functions.core.registry.versions import Corrupt, Registry, digest_of, features_of, version_of
from functions.core.storage.objects import Missing, Objects
from tests.functions.serving import FEATURES, MODEL, TARGET, Away, card_of, golden_of, model_bytes

GOLDEN = golden_of(model_bytes())
SECOND = model_bytes(slope=2.0)


@pytest.fixture
def objects() -> Objects:
    return Objects.in_memory()


@pytest.fixture
def registry(objects: Objects) -> Registry:
    return Registry(objects, MODEL)


def register(registry: Registry, **card: Any) -> str:
    onnx = model_bytes()
    return registry.register(onnx, {**card_of(), **card}, golden_of(onnx), {"report.html": b"<html>"})


def test_what_is_registered_is_loaded(registry: Registry, objects: Objects) -> None:
    version = register(registry, metrics={"roc_auc": 0.99})
    loaded = registry.load(version)
    assert (loaded.version, loaded.onnx, loaded.golden) == (version, model_bytes(), golden_of(model_bytes()))
    assert loaded.card["metrics"] == {"roc_auc": 0.99}
    assert loaded.card["bytes"] == len(model_bytes())
    assert objects.get(f"{MODEL}/versions/{version}/report.html") == b"<html>"
    assert [feature.name for feature in features_of(loaded.card)] == ["mean_radius", "mean_texture"]


def test_a_version_is_named_by_its_content() -> None:
    name = version_of(b"model", card_of(), GOLDEN)
    assert name == version_of(b"model", card_of([dict(reversed(feature.items())) for feature in FEATURES]), GOLDEN)
    assert name == version_of(b"model", {**card_of(), "created": "monday", "metrics": {}}, GOLDEN)
    for other in (
        version_of(b"other", card_of(), GOLDEN),
        version_of(b"model", card_of(FEATURES[::-1]), GOLDEN),
        version_of(b"model", {**card_of(), "target": {**TARGET, "classes": ["malignant", "benign"]}}, GOLDEN),
        version_of(b"model", {**card_of(), "outputs": {"label": "label", "probabilities": "raw"}}, GOLDEN),
        version_of(b"model", card_of(), {**GOLDEN, "tolerance": 1.0}),
    ):
        assert name != other


def test_a_digest_depends_on_where_one_part_ends() -> None:
    assert digest_of(b"ab", b"c") != digest_of(b"a", b"bc")
    assert digest_of(b"ab", b"c") == digest_of(b"ab", b"c")


def test_registering_again_changes_nothing(registry: Registry, objects: Objects) -> None:
    version = register(registry, created="monday")
    before = {key: objects.get(key) for key in objects.keys(MODEL)}
    again = registry.register(model_bytes(), card_of(), GOLDEN, {"report.html": b"another"})
    assert again == version
    assert {key: objects.get(key) for key in objects.keys(MODEL)} == before
    assert register(registry, created="tuesday") == version
    assert {key: objects.get(key) for key in objects.keys(MODEL)} == before


@pytest.mark.parametrize("killed_at", range(4))
def test_a_registration_killed_anywhere_leaves_no_version_and_is_made_good_by_the_next(
    killed_at: int, objects: Objects
) -> None:
    writes = []

    def broken(operation: str, key: str) -> bool:
        writes.extend([key] if operation.startswith(("put", "create")) else [])
        return len(writes) == killed_at + 1

    away: Any = Away(objects, broken)
    with pytest.raises(OSError, match="away"):
        register(Registry(away, MODEL))
    whole = Registry(objects, MODEL)
    version = version_of(model_bytes(), card_of(), GOLDEN)
    with pytest.raises(Missing):
        whole.load(version)
    assert register(whole) == version
    assert whole.load(version).onnx == model_bytes()


def test_a_store_that_gives_back_something_else_is_noticed_before_the_card(objects: Objects) -> None:
    class Forgetful(Objects):
        """It loses the last byte of whatever is read."""

        def get(self, key: str, *, at_most: int | None = None) -> bytes:
            return super().get(key, at_most=at_most)[:-1]

    registry = Registry(Forgetful(objects._store), MODEL)
    with pytest.raises(Corrupt, match="SHA-256"):
        register(registry)
    assert registry.card(version_of(model_bytes(), card_of(), GOLDEN)) is None


def test_a_version_whose_bytes_were_changed_is_corrupt(registry: Registry, objects: Objects) -> None:
    version = register(registry)
    objects.put(registry.key(version, "model.onnx"), model_bytes()[:-1] + b"x")
    with pytest.raises(Corrupt, match="SHA-256"):
        registry.load(version)


@pytest.mark.parametrize("name", ["model.onnx", "golden.json"])
def test_a_version_that_lost_a_part_is_corrupt(name: str, registry: Registry) -> None:
    version = register(registry)
    whole = registry._objects
    partial: Any = Away(whole, lambda _, key: False)
    partial.get = lambda key, **_: (_ for _ in ()).throw(Missing(key)) if key.endswith(name) else whole.get(key)
    partial.lend = partial.get
    with pytest.raises(Corrupt, match=name):
        Registry(partial, MODEL).load(version)


def test_a_card_of_another_format_is_refused(registry: Registry, objects: Objects) -> None:
    version = register(registry)
    card = registry.card(version)
    assert card is not None
    objects.put_json(registry.key(version, "card.json"), {**card, "format": 3})
    with pytest.raises(Corrupt, match="formats 1, 2"):
        registry.load(version)


def swapped(card: dict[str, Any]) -> dict[str, Any]:
    return {**card, "target": {**card["target"], "classes": card["target"]["classes"][::-1]}}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("card.json", swapped),
        ("card.json", lambda card: {**card, "format": 1}),
        ("card.json", lambda card: {**card, "task": "finished"}),
        ("card.json", lambda card: {**card, "sha256": "0" * 64}),
        ("card.json", lambda card: {key: value for key, value in card.items() if key != "target"}),
        ("card.json", lambda card: {**card, "outputs": {"label": "probabilities", "probabilities": "label"}}),
        ("card.json", lambda card: [card]),
        ("golden.json", lambda golden: {**golden, "inputs": [], "probabilities": []}),
        ("golden.json", lambda golden: {**golden, "tolerance": 1.0}),
        ("golden.json", lambda golden: "golden"),
    ],
)
def test_a_version_that_means_something_else_than_its_name_says_is_corrupt(
    name: str, change: Callable[[Any], Any], registry: Registry, objects: Objects
) -> None:
    version = register(registry)
    key = registry.key(version, name)
    objects.put_json(key, change(objects.get_json(key)))
    with pytest.raises(Corrupt, match=f"{MODEL}/versions/{version}/"):
        registry.load(version)


@pytest.mark.parametrize("name", ["card.json", "golden.json"])
def test_an_object_of_a_version_that_is_no_json_is_corrupt_and_named(
    name: str, registry: Registry, objects: Objects
) -> None:
    version = register(registry)
    objects.put(registry.key(version, name), b"{not json")
    with pytest.raises(Corrupt, match=name):
        registry.load(version)


def test_the_objects_of_another_version_are_not_served_under_this_name(registry: Registry, objects: Objects) -> None:
    version, other = register(registry), registry.register(SECOND, card_of(), golden_of(SECOND), {})
    for name in ("model.onnx", "golden.json", "card.json"):
        objects.put(registry.key(version, name), objects.get(registry.key(other, name)))
    with pytest.raises(Corrupt, match=f"its content is named {other}"):
        registry.load(version)


@pytest.mark.parametrize("name", ["model.onnx", "golden.json", "card.json"])
def test_what_is_registered_again_mends_a_damaged_version(name: str, registry: Registry, objects: Objects) -> None:
    version = register(registry)
    objects.put(registry.key(version, name), b"damaged")
    assert register(registry) == version
    assert registry.load(version).onnx == model_bytes()


@pytest.mark.parametrize("name", ["", "Big", "../other", "a/b", "9lives", "a" * 49])
def test_a_model_that_could_leave_its_folder_has_no_registry(name: str, objects: Objects) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Registry(objects, name)


def test_no_writer_of_a_run_loses_what_another_wrote(registry: Registry) -> None:
    everyone_has_read = Barrier(8)

    def note(name: int) -> None:
        attempts = []

        def change(record: dict[str, Any]) -> dict[str, Any]:
            if not attempts:
                everyone_has_read.wait()
            attempts.append(record)
            return {**record, str(name): True}

        registry.update_run("r", change)

    for first in (0, 8):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(note, range(first, first + 8)))
    assert registry.read_run("r") == {str(name): True for name in range(16)}


def test_a_run_is_written_and_read(registry: Registry) -> None:
    assert registry.read_run("r") is None
    registry.write_run("r", {"status": "training"})
    assert registry.read_run("r") == {"status": "training"}
    assert registry.update_run("r", lambda record: record) == {"status": "training"}


def test_the_parts_of_a_version_are_fetched_at_once(registry: Registry) -> None:
    """Each waits for the others: one after the other, none would ever come."""
    version = register(registry)
    whole, together = registry._objects, Barrier(3, timeout=20)

    def waiting(read: Callable[..., Any]) -> Callable[..., Any]:
        def read_together(*given: Any, **named: Any) -> Any:
            together.wait()
            return read(*given, **named)

        return read_together

    slow: Any = Away(whole, lambda _, key: False)
    for name in ("lend", "get", "find"):
        setattr(slow, name, waiting(getattr(whole, name)))
    assert Registry(slow, MODEL).load(version).version == version
