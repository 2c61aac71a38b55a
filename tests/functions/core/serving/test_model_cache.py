from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from functions.core.http.problem import Problem
from functions.core.registry.pointer import Pointer, advance, begin, promote, withdraw
from functions.core.runtime.background import Background
from functions.core.serving.model_cache import LONGEST_PAUSE_SECONDS, ModelCache
from functions.core.storage.objects import Missing
from tests.functions.serving import MODEL, Bench, model_bytes

SECOND = model_bytes(slope=2.0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def background(bench: Bench) -> list[Callable[[], None]]:
    """What goes on in the background of the requests: done when the test says so."""
    found: list[Callable[[], None]] = []
    bench.model_cache._background = found.append
    return found


def promote_second(bench: Bench) -> str:
    version = bench.challenger(SECOND)
    bench.live.change(lambda pointer: promote(pointer, bench.clock(), "well"))
    return version


def served(bench: Bench) -> str:
    return bench.predict().headers["x-model-version"]


def test_the_pointer_is_read_again_within_its_seconds_and_not_before(
    bench: Bench, background: list[Callable[[], None]]
) -> None:
    first = bench.champion()
    assert served(bench) == first
    second = promote_second(bench)
    bench.clock.forward(2.4)
    assert served(bench) == first
    assert background == []
    bench.clock.forward(2.6)
    assert served(bench) == second
    bench.live.roll_back(bench.clock(), "complaints")
    bench.clock.forward(5)
    assert served(bench) == first


def test_from_half_of_its_seconds_on_the_pointer_is_read_in_the_background_of_requests(
    bench: Bench, background: list[Callable[[], None]]
) -> None:
    first = bench.champion()
    assert served(bench) == first
    second = promote_second(bench)
    bench.clock.forward(2.5)
    fetched: list[str] = []
    bench.away.broken = lambda operation, key: fetched.append(key) is not None
    assert [served(bench) for _ in range(3)] == [first] * 3
    assert (fetched, len(background)) == ([], 1)
    background.pop()()
    assert f"{MODEL}/live.json" in fetched
    fetched.clear()
    assert [served(bench) for _ in range(3)] == [second] * 3
    assert (fetched, background) == ([], [])


def test_a_request_waits_for_what_was_begun_in_the_background_once_its_seconds_are_over(
    bench: Bench, background: list[Callable[[], None]]
) -> None:
    """As in a copy that stands still between its requests: the work goes on while somebody is answered."""
    first = bench.champion()
    assert served(bench) == first
    second = promote_second(bench)
    bench.clock.forward(2.5)
    assert served(bench) == first
    bench.clock.forward(2.5)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served, bench)
        while not bench.model_cache._waiting.locked():
            time.sleep(0.001)
        assert not waiting.done()
        background.pop()()
        assert waiting.result(timeout=10) == second


def test_where_there_can_be_no_thread_the_request_does_it_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first = bench.champion()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    bench.model_cache._background = Background
    assert served(bench) == first
    second = promote_second(bench)
    bench.clock.forward(2.5)
    assert served(bench) == first
    assert served(bench) == second


def test_a_thread_refreshes_while_requests_are_answered() -> None:
    bench = Bench()
    first = bench.champion()
    model_cache = ModelCache(bench.registry, bench.live, bench.log, seconds=0.02)
    assert model_cache.current().champion.version == first
    second = promote_second(bench)
    while model_cache.current().champion.version == first:
        time.sleep(0.001)
    assert model_cache.current().champion.version == second


def test_the_weight_is_refreshed_too(bench: Bench) -> None:
    bench.champion()
    version = bench.challenger(SECOND, weight=1)
    assert bench.model_cache.current().weight == 1
    bench.live.change(lambda pointer: advance(pointer, 70, bench.clock(), "well"))
    bench.clock.forward(5)
    assert (bench.model_cache.current().contender, bench.model_cache.current().weight) == (version, 70)
    bench.live.change(lambda pointer: withdraw(pointer, bench.clock(), "badly"))
    bench.clock.forward(5)
    assert (bench.model_cache.current().contender, bench.model_cache.current().weight) == (None, 0)


def test_a_version_is_fetched_once(bench: Bench) -> None:
    bench.champion()
    fetched = []
    bench.away.broken = lambda operation, key: fetched.append(key) is not None
    for _ in range(10):
        bench.predict()
        bench.clock.forward(5)
    assert len([key for key in fetched if key.endswith("model.onnx")]) == 1
    assert len([key for key in fetched if key.endswith("live.json")]) == 10


@pytest.mark.parametrize("damage", ["damaged", "golden", "gone", "away"])
def test_a_version_that_does_not_load_never_replaces_one_that_works(damage: str, bench: Bench) -> None:
    first = bench.champion()
    assert served(bench) == first
    second = promote_second(bench)
    key = bench.registry.key(second, "model.onnx")
    match damage:
        case "damaged":
            bench.models.put(key, b"damaged")
        case "golden":
            bench.models.put_json(bench.registry.key(second, "golden.json"), golden_of_another())
        case "gone":
            bench.away.broken = lambda _, asked: (_ for _ in ()).throw(Missing(asked)) if asked == key else False
        case _:
            bench.away.broken = lambda _, asked: asked == key
    bench.clock.forward(5)
    assert served(bench) == first
    assert bench.logged("version does not load")[0]["metric"] == "LoadFailed"
    bench.away.broken = lambda *_: False
    bench.models.put(key, SECOND)
    bench.models.put_json(bench.registry.key(second, "golden.json"), golden_of_second())
    bench.clock.forward(5)
    assert served(bench) == second


def golden_of_second() -> dict:
    from tests.functions.serving import golden_of

    return golden_of(SECOND)


def golden_of_another() -> dict:
    from tests.functions.serving import golden_of

    return golden_of(model_bytes(slope=-1.0))


def test_a_new_copy_falls_back_to_the_version_before(bench: Bench) -> None:
    first = bench.champion()
    second = promote_second(bench)
    bench.models.put(bench.registry.key(second, "model.onnx"), b"damaged")
    assert served(bench) == first


def ready(bench: Bench) -> tuple[int, int]:
    """Return the status of the model's readiness, and of the server's."""
    paths = (f"/v2/models/{MODEL}/ready", "/v2/health/ready")
    first, second = [bench.send("GET", path).status for path in paths]
    return first, second


@pytest.mark.parametrize("warm", [False, True])
def test_a_version_that_stands_in_for_the_champion_says_so_and_is_not_ready(warm: bool, bench: Bench) -> None:
    first = bench.champion()
    if warm:
        assert served(bench) == first
        assert ready(bench) == (200, 200)
    second = promote_second(bench)
    bench.models.put(bench.registry.key(second, "model.onnx"), b"damaged")
    bench.clock.forward(5)
    response = bench.predict()
    assert (response.status, response.headers["x-model-version"]) == (200, first)
    assert response.headers["x-model-variant"] == "previous"
    assert ready(bench) == (503, 503)
    body = bench.send("GET", f"/v2/models/{MODEL}/ready").body
    assert f"version {second} does not load, and {first} answers in its place".encode() in body
    assert bench.send("GET", f"/v2/models/{MODEL}/versions/{first}/ready").status == 200
    assert bench.captured()[-1]["variant"] == "previous"
    bench.clock.forward(5)
    bench.predict()
    assert [line["metric"] for line in bench.logged("champion not served")] == ["ChampionNotServed"]
    bench.models.put(bench.registry.key(second, "model.onnx"), SECOND)
    bench.clock.forward(LONGEST_PAUSE_SECONDS)
    assert bench.predict().headers["x-model-variant"] == "champion"
    assert ready(bench) == (200, 200)


def test_without_a_pointer_what_is_served_goes_on_and_is_not_ready(bench: Bench) -> None:
    first = bench.champion()
    assert served(bench) == first
    bench.models.put_json(f"{MODEL}/live.json", Pointer().document())
    bench.clock.forward(5)
    assert bench.predict().headers["x-model-variant"] == "previous"
    assert b"no version is live any more" in bench.send("GET", f"/v2/models/{MODEL}/ready").body


def test_a_challenger_is_compared_with_a_version_that_stands_in(bench: Bench) -> None:
    first = bench.champion()
    second = promote_second(bench)
    third = bench.challenger(model_bytes(slope=3.0), run="third")
    bench.models.put(bench.registry.key(second, "model.onnx"), b"damaged")
    variants = {bench.predict(caller=f"caller {n}").headers["x-model-variant"] for n in range(300)}
    assert variants == {"previous", "challenger"}
    bench.clock.forward(2)
    bench.predict()
    compared = [record["champion"]["version"] for record in bench.captured() if record["version"] == third]
    assert set(compared) == {first}


def test_without_any_version_that_works_the_next_request_looks_again(bench: Bench) -> None:
    first = bench.champion()
    bench.models.put(bench.registry.key(first, "model.onnx"), b"damaged")
    assert bench.predict().status == 503
    bench.models.put(bench.registry.key(first, "model.onnx"), model_bytes())
    assert bench.predict().status == 200


def test_while_the_store_is_away_what_is_served_goes_on(bench: Bench) -> None:
    first = bench.champion()
    assert served(bench) == first
    bench.away.broken = lambda operation, key: True
    bench.clock.forward(60)
    assert served(bench) == first
    assert bench.logged("pointer unreadable")[0]["metric"] == "PointerUnreadable"


def test_a_pointer_that_cannot_be_read_stops_nothing(bench: Bench) -> None:
    first = bench.champion()
    assert served(bench) == first
    bench.models.put(f"{MODEL}/live.json", b"{not json")
    bench.clock.forward(60)
    assert served(bench) == first


def test_a_copy_that_starts_while_the_store_is_away_asks_to_come_again(bench: Bench) -> None:
    bench.champion()
    bench.away.broken = lambda operation, key: True
    assert bench.predict().status == 503
    bench.away.broken = lambda operation, key: False
    assert bench.predict().status == 200


def test_versions_that_answer_nobody_are_closed(bench: Bench) -> None:
    bench.champion()
    bench.predict()
    pinned = [bench.register(model_bytes(slope=float(slope))) for slope in range(2, 8)]
    for version in pinned:
        bench.model_cache.pinned(version)
    assert set(bench.model_cache._open) == {bench.live.read().champion, *pinned[-2:]}
    bench.clock.forward(5)
    bench.predict()
    assert set(bench.model_cache._open) == {bench.live.read().champion, *pinned[-2:]}


def test_while_one_request_opens_a_version_the_others_are_served(bench: Bench) -> None:
    first = bench.champion()
    assert served(bench) == first
    promote_second(bench)
    bench.clock.forward(5)
    with ThreadPoolExecutor(1) as pool, bench.model_cache._waiting:
        assert pool.submit(bench.model_cache.current).result(timeout=10).champion.version == first


def test_a_version_that_does_not_load_is_tried_again_ever_more_seldom(bench: Bench) -> None:
    first = bench.champion()
    assert served(bench) == first
    second = promote_second(bench)
    key = bench.registry.key(second, "model.onnx")
    bench.models.put(key, b"damaged")
    tries = []
    for look in range(40):
        bench.clock.forward(5)
        assert served(bench) == first
        if len(bench.logged("version does not load")) > len(tries):
            tries.append(look)
    assert [after - before for before, after in pairwise(tries)] == [1, 2, 4, 8, 16]
    bench.models.put(key, SECOND)
    bench.clock.forward(LONGEST_PAUSE_SECONDS)
    assert served(bench) == second


def test_a_version_that_was_broken_is_tried_at_once_when_it_comes_again(bench: Bench) -> None:
    first = bench.champion()
    assert served(bench) == first
    second = promote_second(bench)
    key = bench.registry.key(second, "model.onnx")
    bench.models.put(key, b"damaged")
    for _ in range(4):
        bench.clock.forward(5)
        assert served(bench) == first
    bench.live.roll_back(bench.clock(), "it does not load")
    bench.clock.forward(5)
    assert served(bench) == first
    bench.models.put(key, SECOND)
    bench.live.change(lambda pointer: begin(pointer, second, "again", 10, bench.clock()))
    bench.clock.forward(5)
    assert served(bench) == first
    challenger = bench.model_cache.current().challenger
    assert challenger is not None
    assert challenger.version == second


def test_a_version_that_is_no_version_is_404(bench: Bench) -> None:
    bench.champion()
    for version in ("0" * 16, "../../etc", "A" * 16, ""):
        with pytest.raises(Problem) as caught:
            bench.model_cache.pinned(version)
        assert caught.value.status == 404


def test_a_challenger_put_up_later_is_opened_next_to_the_champion(bench: Bench) -> None:
    bench.champion()
    bench.predict()
    version = bench.register(SECOND)
    bench.live.change(lambda pointer: begin(pointer, version, "r", 10, bench.clock()))
    bench.clock.forward(5)
    serving = bench.model_cache.current()
    assert serving.challenger is not None
    assert serving.challenger.version == version


def test_a_model_without_a_version_says_where_its_first_one_comes_from(bench: Bench) -> None:
    response = bench.predict()
    assert response.status == 503
    assert (
        f"{MODEL} has no version yet: a file at {MODEL}/incoming/ in the stack's data store".encode() in response.body
    )
    assert f"`sml runs {MODEL}` says why".encode() in response.body
    assert response.headers["retry-after"] == "5"


def test_a_model_whose_version_does_not_load_does_not_ask_for_another(bench: Bench) -> None:
    version = bench.champion()
    bench.models.put(bench.registry.key(version, "model.onnx"), b"damaged")
    response = bench.predict()
    assert (response.status, b"has no version that is ready" in response.body) == (503, True)
