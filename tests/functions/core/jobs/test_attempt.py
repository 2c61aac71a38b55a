from __future__ import annotations

import gzip
import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from arro3.core import DataType
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.jobs import attempt, source
from functions.core.jobs.checkpoints import Checkpoints, Plan
from functions.core.jobs.job import Format, Job
from functions.core.jobs.worker import Worker
from functions.core.onnx import deadline
from functions.core.registry.pointer import promote
from functions.core.runtime.consumer import Delivery
from tests.functions.core.dataset.tables import parquet_of
from tests.functions.jobbing import ATTEMPTS, Mortal, Queue, jsonl, worker
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, POISON, Bench, model_bytes, said


def saved(array: np.ndarray, name: str | None = None) -> bytes:
    """Return an array as numpy saves it: as .npy, or as .npz under a name."""
    file = io.BytesIO()
    if name is None:
        np.save(file, array)
    else:
        named: dict[str, Any] = {name: array}
        np.savez(file, **named)
    return file.getvalue()


ROWS = [[1 + n % 3, 9] if n % 2 else [9, n % 5] for n in range(40)]
FILES = {
    "rows": json.dumps({"instances": ROWS}).encode(),
    "rows.jsonl": jsonl(ROWS),
    "rows.csv": b"mean_radius,mean_texture\n" + b"".join(f"{a},{b}\n".encode() for a, b in ROWS),
}
FILES["rows.csv.gz"] = gzip.compress(FILES["rows.csv"])
FILES["rows.jsonl.gz"] = gzip.compress(FILES["rows.jsonl"])
FILES["rows.parquet"] = parquet_of(("mean_radius", "mean_texture"), ROWS, (DataType.float64(), DataType.int64()))
FILES["rows.npy"] = saved(np.array(ROWS, dtype=np.float32))
FILES["rows.npz"] = saved(np.array(ROWS, dtype=np.float32), "X")


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Make parts of about six rows, answered three at a time, and read blocks of a few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attempt, "FEW_ROWS", 3)
        patch.setattr(attempt, "MOST_BATCH_ROWS", 3)
        patch.setattr(attempt, "MOST_PART_ROWS", 6)
        patch.setattr(source, "BLOCK_BYTES", 50)
        yield


@pytest.fixture(scope="module")
def bench() -> Bench:
    bench = Bench()
    bench.champion()
    return bench


def worked(bench: Bench, name: str, content: bytes, store: Mortal | None = None, **options: Any) -> Queue:
    """Submit the job, and work on it until nothing is left to do."""
    store = store or Mortal(Bench().jobs)
    store.put(f"{MODEL}/in/{name}", content)
    queue = Queue(bench, store, **options)
    queue.run()
    return queue


def out(queue: Queue) -> dict[str, bytes]:
    """Return what lies in the results, without its compression."""
    found = {key: queue.store.objects.get(key) for key in queue.store.objects.keys(f"{MODEL}/out")}
    return {key: gzip.decompress(data) if key.endswith(".gz") else data for key, data in found.items()}


def predictions(queue: Queue, name: str) -> list[dict[str, Any]]:
    if name.endswith(".gz"):
        return [json.loads(line) for line in out(queue)[f"{MODEL}/out/{name}.jsonl.gz"].splitlines()]
    if "." in name:
        return [json.loads(line) for line in out(queue)[f"{MODEL}/out/{name}.jsonl"].splitlines()]
    return json.loads(out(queue)[f"{MODEL}/out/{name}.json"])["predictions"]


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("name", FILES)
def test_a_job_of_many_parts_is_answered_like_a_prediction_row_by_row_in_order(
    name: str, parallelism: int, bench: Bench
) -> None:
    queue = worked(bench, name, FILES[name], parallelism=parallelism)
    assert predictions(queue, name) == said(bench.predict(*ROWS))["predictions"]
    result = json.loads(out(queue)[f"{MODEL}/out/{name}.json"])
    assert (result["job"], result["model"], result["version"]) == (name, MODEL, bench.live.read().champion)
    done = Checkpoints(queue.store.objects, Job(model=MODEL, name=name)).done()
    assert (sorted(done), sum(part.rows for part in done.values())) == (list(range(1, len(done) + 1)), 40)
    assert len(done) > 4
    in_turn = name in ("rows.csv", "rows.jsonl")
    assert queue.deliveries == (parallelism if in_turn else 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows", json.dumps({"instances": ROWS[:3]}).encode()),
        ("rows.jsonl", jsonl(ROWS[:3])),
        ("rows.csv", b"\n".join(FILES["rows.csv"].split(b"\n")[:4])),
    ],
)
def test_a_job_that_ends_before_its_first_checkpoint_keeps_only_its_result(
    name: str, content: bytes, bench: Bench
) -> None:
    queue = worked(bench, name, content)
    assert not list(queue.store.objects.keys(f".work/{MODEL}"))
    assert predictions(queue, name) == said(bench.predict(*ROWS[:3]))["predictions"]


def test_the_result_is_the_same_whatever_the_number_of_parts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [out(worked(bench, name, content)) for name, content in FILES.items()]
    monkeypatch.setattr(attempt, "MOST_PART_ROWS", 1000)
    assert [out(worked(bench, name, content)) for name, content in FILES.items()] == many


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(sorted(FILES)),
    deaths=st.sets(st.integers(0, 120), max_size=8),
    seconds=st.sampled_from([0.0, 1e9]),
    parallelism=st.sampled_from([1, 3]),
)
def test_workers_that_die_anywhere_and_run_out_of_time_leave_the_same_one_result(
    name: str, deaths: set[int], seconds: float, parallelism: int, bench: Bench
) -> None:
    undisturbed = out(worked(bench, name, FILES[name]))
    store, steps = Mortal(Bench().jobs), itertools.count()
    store.put(f"{MODEL}/in/{name}", FILES[name])
    store.dies = lambda operation, key: next(steps) in deaths
    queue = Queue(bench, store, seconds=lambda: seconds, parallelism=parallelism)
    queue.run()
    while queue.dead:  # brought back by a person
        store.announced.append(queue.dead.pop())
        queue.run()
    assert out(queue) == undisturbed


def test_a_worker_that_has_no_time_left_announces_a_continuation(bench: Bench) -> None:
    queue = worked(bench, "rows.jsonl", FILES["rows.jsonl"], seconds=lambda: 0.0)
    parts = len(Checkpoints(queue.store.objects, Job(model=MODEL, name="rows.jsonl")).done())
    assert queue.deliveries == parts > 6  # each does one part of three rows, and the last joins them
    assert not queue.dead
    assert sorted(queue.store.objects.keys(".again")) == [
        f".again/{MODEL}/rows.jsonl/{number:06}" for number in range(2, parts + 1)
    ]
    assert predictions(queue, "rows.jsonl") == said(bench.predict(*ROWS))["predictions"]


@pytest.mark.parametrize("name", FILES)
def test_no_row_is_lost_where_a_part_is_no_multiple_of_what_goes_through_the_model_at_once(
    name: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "MOST_BATCH_ROWS", 4)
    queue = worked(bench, name, FILES[name], seconds=lambda: 1.0)
    assert predictions(queue, name) == said(bench.predict(*ROWS))["predictions"]


def test_a_plan_of_an_earlier_release_whose_part_is_no_multiple_of_that_ends_its_parts_too(bench: Bench) -> None:
    store, job = Mortal(bench.jobs), Job(model=MODEL, name="rows")
    store.put(job.input, FILES["rows"])
    _, state = store.objects.look(job.input) or (0, "")
    checkpoints = Checkpoints(store.objects, job)
    checkpoints.begin(Plan(version=str(bench.live.read().champion), state=str(state), batch_rows=3, part_rows=5))
    queue = Queue(bench, store)
    queue.run()
    assert [part.rows for _, part in sorted(checkpoints.done().items())] == [6, 6, 6, 6, 6, 6, 4]
    assert predictions(queue, "rows") == said(bench.predict(*ROWS))["predictions"]


@pytest.mark.parametrize("name", FILES)
def test_rows_that_are_answered_are_not_answered_again_when_a_job_goes_on(
    name: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion, asked = bench.model_cache.current().champion, [0]
    answer = champion.answer

    def counted(inputs: Any) -> Any:
        asked[0] += next(iter(inputs.values())).shape[0]
        return answer(inputs)

    monkeypatch.setattr(champion, "answer", counted)
    queue = worked(bench, name, FILES[name], seconds=lambda: 0.0)
    assert queue.deliveries > 6
    assert asked[0] <= 40 + 2 * attempt.FEW_ROWS  # the first rows tell how fast it is


def test_a_job_of_few_rows_is_answered_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "FEW_ROWS", 100)
    champion, asked = bench.model_cache.current().champion, [0]
    answer = champion.answer

    def counted(inputs: Any) -> Any:
        asked[0] += next(iter(inputs.values())).shape[0]
        return answer(inputs)

    monkeypatch.setattr(champion, "answer", counted)
    worked(bench, "rows.csv", FILES["rows.csv"])
    assert asked == [40]


def test_the_version_of_the_beginning_answers_to_the_end() -> None:
    bench = Bench()
    first = bench.champion()
    expected = out(worked(bench, "rows.jsonl", FILES["rows.jsonl"]))
    store = Mortal(bench.jobs)
    store.put(f"{MODEL}/in/rows.jsonl", FILES["rows.jsonl"])
    queue = Queue(bench, store, seconds=lambda: 0.0)
    queue.worker.work(store.announced.pop(), Delivery(seconds_left=lambda: 0.0))
    second = bench.challenger(model_bytes(slope=-1.0))
    bench.live.change(lambda pointer: promote(pointer, bench.clock(), "well"))
    bench.clock.forward(60)
    assert bench.predict().headers["x-model-version"] == second != first
    queue.run()
    assert out(queue) == expected


def test_an_input_that_is_replaced_between_attempts_ends_the_job(bench: Bench) -> None:
    store = Mortal(Bench().jobs)
    store.put(f"{MODEL}/in/rows.csv", FILES["rows.csv"])
    queue = Queue(bench, store, seconds=lambda: 0.0)
    queue.worker.work(store.announced.pop(), Delivery(seconds_left=lambda: 0.0))
    store.put(f"{MODEL}/in/rows.csv", FILES["rows.csv"].replace(b"9", b"8"))
    queue.run()
    [result] = map(json.loads, out(queue).values())
    assert (result["error"]["status"], "replaced" in result["error"]["detail"]) == (409, True)


def test_an_input_that_is_replaced_while_it_is_read_ends_the_job(bench: Bench) -> None:
    store = Mortal(Bench().jobs)
    store.put(f"{MODEL}/in/rows.csv", FILES["rows.csv"])
    reads = itertools.count()

    def replace(operation: str, key: str) -> bool:
        if operation == "before block" and next(reads) == 3:
            store.objects.put(key, FILES["rows.csv"].replace(b"9", b"8"))
        return False

    store.dies = replace
    queue = Queue(bench, store)
    queue.run()
    [result] = map(json.loads, out(queue).values())
    assert result["error"]["status"] == 409


def test_two_that_begin_at_once_agree_on_one_plan(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Mortal(Bench().jobs)
    store.put(f"{MODEL}/in/rows.jsonl", FILES["rows.jsonl"])
    other = worker(bench, store.objects)

    def first(operation: str, key: str) -> bool:
        if operation == "before create_json":  # somebody begins at this very moment, and is cut off
            monkeypatch.setattr(attempt, "MOST_PART_ROWS", 3)
            other.work(f"{MODEL}/in/rows.jsonl", Delivery(seconds_left=lambda: 0.0))
            monkeypatch.setattr(attempt, "MOST_PART_ROWS", 6)
        return False

    store.dies = first
    queue = Queue(bench, store)
    queue.run()
    assert len(Checkpoints(store.objects, Job(model=MODEL, name="rows.jsonl")).done()) > 9
    assert predictions(queue, "rows.jsonl") == said(bench.predict(*ROWS))["predictions"]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_row_of_a_file_that_is_refused_gets_its_reason_and_the_rest_is_answered(ending: str, bench: Bench) -> None:
    rows = [BENIGN, {**BENIGN, "mean_radius": -1}, MALIGNANT, {**BENIGN, "mean_radius": "x"}, MALIGNANT]
    cells = b"".join(f"{row['mean_radius']},{row['mean_texture']}\n".encode() for row in rows)
    content = jsonl(rows) if ending == "jsonl" else b"mean_radius,mean_texture\n" + cells
    queue = worked(bench, f"rows.{ending}", content)
    rows_out = predictions(queue, f"rows.{ending}")
    assert [prediction.get("label") for prediction in rows_out] == ["benign", None, "malignant", None, "malignant"]
    [fault] = rows_out[1]["error"]["errors"]
    assert (fault["field"], rows_out[1]["error"]["status"]) == ("mean_radius", 400)
    assert "0 to 1000" in fault["message"]
    result = json.loads(out(queue)[f"{MODEL}/out/rows.{ending}.json"])
    assert (result["rows"], result["refused"]) == (5, 2)


def test_a_row_of_a_file_on_which_the_model_fails_gets_an_error_and_the_rest_is_answered() -> None:
    bench = Bench()
    bench.champion(model_bytes(fails=True))
    queue = worked(bench, "rows.jsonl", jsonl([BENIGN, POISON, MALIGNANT, POISON]))
    rows_out = predictions(queue, "rows.jsonl")
    assert [prediction.get("label") for prediction in rows_out] == ["benign", None, "malignant", None]
    assert rows_out[1]["error"]["detail"] == "the model fails on this row"


@pytest.mark.parametrize(
    ("name", "content", "status", "detail"),
    [
        ("x", b"not json", 400, "not JSON"),
        ("x", b"\xff", 400, "not UTF-8"),
        ("x", b"", 400, "not JSON"),
        ("x", b'{"instances": []}', 400, "one row or more"),
        ("x", json.dumps({"instances": [*ROWS, {"mean_radius": 1.0}]}).encode(), 400, "do not fit"),
        ("x.csv", b"", 400, "the file is empty"),
        ("x.csv", b"mean_radius,mean_texture\n", 400, "no rows"),
        ("x.csv", b"mean_radius,mean_textures\n1,2\n", 400, "the header does not fit the model"),
        ("x.jsonl", b"\n\n", 400, "the file is empty"),
        (
            "x.csv.gz",
            gzip.compress(b"mean_radius,mean_texture\n1,2\n", mtime=0)[:-9],
            400,
            "compressed with gzip, and cut short",
        ),
        ("x.csv.gz", b"mean_radius,mean_texture\n", 400, "compressed with gzip, and damaged"),
        ("x.parquet", b"PAR1", 400, "the Parquet file is cut short"),
        ("x.npy", b"mean_radius", 400, "the file is no .npy file of numbers, as numpy saves it"),
        ("x.npy", saved(np.array([[1, 2]])), 400, "do not fit"),
        ("x.npy", saved(np.array([["a", "b"]], dtype=object)), 400, "no .npy file of numbers"),
        ("x.npz", saved(np.zeros((1, 2), dtype=np.float32), "rows"), 400, "the arrays are not the inputs"),
        ("x.npz", b"PK\x03\x04", 400, "no .npz file"),
    ],
)
def test_a_job_that_is_at_fault_gets_its_error_as_the_one_result(
    name: str, content: bytes, status: int, detail: str, bench: Bench
) -> None:
    queue = worked(bench, name, content)
    [result] = map(json.loads, out(queue).values())
    assert result["error"]["status"] == status
    assert detail in result["error"]["detail"]
    assert (queue.deliveries, queue.dead) == (1, [])


def test_the_row_of_a_request_that_is_refused_is_named_by_its_place_in_the_request(bench: Bench) -> None:
    queue = worked(bench, "x", json.dumps({"instances": [*ROWS, {**BENIGN, "mean_radius": -1}, [1]]}).encode())
    [result] = map(json.loads, out(queue).values())
    assert [fault["field"] for fault in result["error"]["errors"]] == ["instances[40].mean_radius", "instances[41]"]


def test_a_header_that_does_not_fit_is_refused_column_by_column(bench: Bench) -> None:
    queue = worked(bench, "x.csv", b"mean_radius,diagnosis\n1,2\n")
    [result] = map(json.loads, out(queue).values())
    faults = {fault["field"]: fault["message"] for fault in result["error"]["errors"]}
    assert faults == {"mean_texture": "is missing"}


def test_columns_that_the_model_does_not_use_are_passed_over_and_told(bench: Bench) -> None:
    queue = worked(bench, "x.csv", b"note,mean_radius,mean_texture,diagnosis\nx,1,2,benign\n,9,1,\n")
    assert predictions(queue, "x.csv") == said(bench.predict([1, 2], [9, 1]))["predictions"]
    result = json.loads(out(queue)[f"{MODEL}/out/x.csv.json"])
    assert (result["ignored_columns"], result["rows"], result["refused"]) == (["note", "diagnosis"], 2, 0)


def test_identifiers_come_back_beside_their_answers() -> None:
    bench = Bench()
    bench.champion(id=["case"])
    queue = worked(bench, "x.csv", b"case,mean_radius,mean_texture\nA 1,1,2\n,x,1\nB,9,1\n")
    assert [(row["id"], "error" in row) for row in predictions(queue, "x.csv")] == [
        ({"case": "A 1"}, False),
        ({"case": None}, True),
        ({"case": "B"}, False),
    ]


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
def test_every_row_has_its_own_answer_whatever_ends_its_line(end: bytes, bench: Bench) -> None:
    rows = [b"mean_radius;mean_texture", b"1;2", b"9;1", b"1;2"]
    queue = worked(bench, "x.csv", end.join(rows).replace(end, b"\r", 1))
    assert predictions(queue, "x.csv") == said(bench.predict([1, 2], [9, 1], [1, 2]))["predictions"]


@pytest.mark.integration
def test_a_table_is_read_in_a_process_with_bounds(bench: Bench) -> None:
    store = Mortal(Bench().jobs)
    store.put(f"{MODEL}/in/rows.csv", FILES["rows.csv"])
    reachable: Any = store
    Worker(reachable, {MODEL: bench.model_cache}, bench.log, attempts=ATTEMPTS).work(f"{MODEL}/in/rows.csv")
    lines = store.objects.get(f"{MODEL}/out/rows.csv.jsonl").splitlines()
    assert list(map(json.loads, lines)) == said(bench.predict(*ROWS))["predictions"]


def test_a_job_too_large_is_answered_without_being_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Format, "largest", 10)
    store = Mortal(Bench().jobs)
    read: list[str] = []

    def watch(operation: str, key: str) -> bool:
        read.extend([key] if operation == "before block" else [])
        return False

    store.dies = watch
    queue = worked(bench, "x.csv", b"x" * 11, store)
    [result] = map(json.loads, out(queue).values())
    assert (result["error"]["status"], read) == (413, [])


def test_a_job_of_too_many_rows_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "MOST_ROWS", 39)
    [result] = map(json.loads, out(worked(bench, "x.jsonl", FILES["rows.jsonl"])).values())
    assert result["error"]["status"] == 413


def test_a_row_on_which_the_model_does_not_end_gets_an_error_and_the_rest_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadline, "LONGEST_SECONDS", 1.0)
    bench = Bench()
    bench.champion(model_bytes(loops=True))
    answers = predictions(worked(bench, "j.jsonl", jsonl([BENIGN, POISON, MALIGNANT])), "j.jsonl")
    assert [answer.get("label") for answer in answers] == ["benign", None, "malignant"]
    assert answers[1]["error"]["detail"] == "the model fails on this row"
