"""What the tables hold is what the stores hold: each request once, whatever is compacted, cut off or older."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from arro3.core import Table
from arro3.io import read_parquet, write_parquet

from functions.core.storage.objects import Conflict
from models.light import replace
from sml.mistake import Mistake
from sml.query import mirror
from tests.functions.core.watching.rows import CARD, FEATURES, MODEL, VERSION, Service, named
from tests.functions.core.watching.test_compaction import CHANGING, Failing, filled
from tests.sml.query.stocked import REJECTED, RUN, Stocked, compaction, of, whole

REQUESTS = "select request, version, row_count, agreed, champion_ms, error, epoch_ms(time) from captures order by all"
ROWS = "select * from predictions order by request, place, version"


@pytest.fixture(scope="module")
def stack() -> Stocked:
    return whole()


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_each_request_is_there_once_wherever_compaction_is_cut_off(*, late: bool) -> None:
    service = filled()
    requests, rows = of(service).rows(REQUESTS), of(service).rows(ROWS)
    assert (len(requests), len(rows)) == (45, 75)
    for at in range(1, 40):
        service = filled()
        failing = Failing(service.captures, at, late=late)
        try:
            compaction(service, failing).compact(named(0))
            cut_off = False
        except (OSError, Conflict):
            cut_off = True
        assert of(service).rows(REQUESTS) == requests
        if not cut_off:
            break
    assert at > 8
    assert of(service).rows(ROWS) == rows


def test_each_request_is_there_once_whenever_one_looks() -> None:
    service, seen = filled(), []

    class Looking:
        """A store in which somebody asks after each change."""

        def __getattr__(self, name: str) -> Any:
            operation = getattr(service.captures, name)
            if name not in CHANGING:
                return operation

            def looked(*arguments: Any) -> Any:
                result = operation(*arguments)
                seen.append(of(service).rows(REQUESTS))
                return result

            return looked

    requests = of(service).rows(REQUESTS)
    compaction(service, Looking()).compact(named(0))
    assert len(seen) > 8
    assert all(rows == requests for rows in seen)


def test_a_day_that_is_compacted_while_it_is_read_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    service = filled()
    requests = of(service).rows(REQUESTS)
    plain, stack = mirror.fetched, of(service)

    def slowly(*about: Any) -> Any:
        compaction(service).compact(named(0))
        return plain(*about)

    monkeypatch.setattr(mirror, "fetched", slowly)
    assert stack.rows(REQUESTS) == requests
    assert [reading.objects for [reading] in stack.told] == [12, 5]


def test_a_row_has_its_inputs_and_answers_by_name_and_what_was_answered(stack: Stocked) -> None:
    asked = stack.ask("select * from predictions where version not like 'c%' order by time, request").found
    assert asked.columns[-6:] == ["in_size", "in_visits", "in_colour", "in_age", "out_no", "out_yes"]
    answers = stack.rows("select predicted, count(*) from predictions group by all order by all")
    assert answers == [("no", 13), ("yes", 2)]


def test_a_threshold_decides_what_was_answered() -> None:
    service = Service()
    service.models.put_json(
        f"{MODEL}/versions/{VERSION}/card.json", {**CARD, "threshold": {"positive": 1, "value": 0.2}}
    )
    service.ask(0, 50)
    rows = of(service).rows("select predicted, out_yes >= 0.2, count(*) > 0 from predictions group by all order by all")
    assert rows == [("no", False, True), ("yes", True, True)]


def test_of_a_regression_the_number_is_what_was_answered() -> None:
    service = Service()
    card = {"task": "regression", "features": [FEATURES[0].document()], "target": {}, "outputs": {"value": "v"}}
    service.models.put_json(f"{MODEL}/versions/{VERSION}/card.json", card)
    service.write(0, [{"version": VERSION, "request": "r", "inputs": [[1.0]], "outputs": [[2.5]]}])
    assert of(service).rows("select predicted, predicted_number, in_size from predictions") == [(None, 2.5, 1.0)]


def test_a_finished_model_has_columns_of_its_tensors_and_the_likeliest_class() -> None:
    service = Service()
    service.finish("0" * 16)
    service.ask_finished(0, 20)
    rows = of(service).rows("select predicted, out_yes > out_no, count(*) > 0 from predictions group by all order by 1")
    assert rows == [("no", False, True), ("yes", True, True)]
    assert of(service).rows("select distinct typeof(in_said), typeof(in_x_0) from predictions") == [
        ("VARCHAR", "DOUBLE")
    ]


def test_features_that_sql_takes_for_one_are_told_apart() -> None:
    service = Service()
    features = [replace(FEATURES[0], name=name).document() for name in ("Age", "age", "model", "day", "__x")]
    service.models.put_json(f"{MODEL}/versions/{VERSION}/card.json", {**CARD, "features": features})
    service.write(0, [{"version": VERSION, "request": "r", "inputs": [[1.0, 2.0, 3.0, 4.0, 5.0]], "outputs": [[1, 0]]}])
    compaction(service).compact(named(0))
    found = of(service).rows(
        "select in_age, in_age_2, in_model, in_day, in_x, model, cast(day as varchar) from predictions"
    )
    assert found == [(1.0, 2.0, 3.0, 4.0, 5.0, MODEL, named(0))]


def test_files_of_an_older_release_are_read_and_what_they_lack_is_empty_and_told() -> None:
    service = Service()
    service.ask(0, 3)
    service.ask(1, 2)
    for day in (0, 1):
        compaction(service).compact(named(day))
    [older] = service.captures.keys(f"{MODEL}/files/version={VERSION}/day={named(0)}")
    table = read_parquet(io.BytesIO(service.captures.get(older))).read_all()
    kept = [name for name in table.schema.names if name not in ("_key", "_champion_ms")]
    written = io.BytesIO()
    write_parquet(Table.from_arrays([table.column(name) for name in kept], names=kept), written)
    service.captures.put(older, written.getvalue())
    asked = of(service).ask(
        "select day, count(*), count(key), count(champion_ms) from captures group by day order by day"
    )
    assert asked.remarks == ["captures: 1 file is of an older release, and empty in key, champion_ms"]
    assert [tuple(row)[1:] for row in asked.found.rows] == [(3, 0, 0), (2, 0, 0)]


def test_days_without_files_are_a_sentence_and_no_rows() -> None:
    for table in ("captures", "predictions", "truths", "runs", "experiments", "rejections", "jobs", "drift"):
        asked = Stocked().ask(f"select * from {table}")  # noqa: S608 - the names of tables
        which = "captures and predictions" if table in ("captures", "predictions") else table
        assert (asked.found.rows, asked.remarks) == ([], [f"{which}: nothing from {named(-1)} to {named(3)}"])


def test_a_run_has_its_state_its_experiments_and_the_reasons_of_its_rejected_rows(stack: Stocked) -> None:
    day = date.fromisoformat(named(1))
    assert stack.rows(
        "select day, run, status, row_count, rejected_rows, seconds, usd, created from runs order by run"
    ) == [
        (day, RUN, "promoted", 90, 7, 4.5, 0.5, datetime(2026, 11, 3, 4, 44, 2)),
        (day, REJECTED, "rejected", 50, 40, None, None, datetime(2026, 11, 3, 4, 44, 2)),
    ]
    assert stack.rows("select experiment, chosen, params, mean, bytes, error from experiments order by 1") == [
        ("e1", False, '{"C": 9}', None, None, "ValueError"),
        ("e2", True, '{"C": 1}', 0.9, 1000, None),
    ]
    assert stack.rows("select run, field, row_count from rejections order by run, row_count") == [
        (RUN, "", 2),
        (RUN, "age", 5),
        (REJECTED, "age", 40),
    ]


def test_a_job_is_on_the_day_on_which_it_ended(stack: Stocked) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    asked = stack.ask("select * from jobs")
    assert asked.remarks == [f"jobs: nothing from {named(-1)} to {named(3)}"]
    now = replace_days(stack, today)
    assert now == [
        ("a.csv", "done", 9, 2, None),
        ("b", "failed", None, None, "no rows"),
        ("c", "cancelled", None, None, None),
    ]


def replace_days(stack: Stocked, day: str) -> list[tuple[object, ...]]:
    from sml.query.source import Days

    asked = stack.ask("select job, status, row_count, refused, error from jobs order by job", days=Days(all=[day]))
    return [tuple(row) for row in asked.found.rows]


def test_costs_are_the_stored_sums_and_of_other_days_what_the_records_say(stack: Stocked) -> None:
    rows = stack.rows("select cast(day as varchar), kind, version, run, step, calls, grams from costs order by all")
    assert rows == [
        (named(0), "predictions", VERSION, None, None, 10, 4.0),
        (named(0), "training", None, RUN, "train", 10, 4.0),
        (named(1), "jobs", VERSION, None, None, 10, 4.0),
    ]


def test_what_is_damaged_is_told_and_hides_nothing_else() -> None:
    stack = whole()
    key = f"{MODEL}/runs/{RUN}/leaderboard.json"
    stack.registry.put(key, b"{cut off")
    asked = stack.ask("select run from experiments")
    assert (asked.found.rows, asked.remarks) == ([], [f"experiments: 1 object is damaged, and not read whole: {key}"])
    stack.registry.put_json(
        f"{MODEL}/runs/{RUN}/run.json", {"created": f"{named(1)}T00:00:00", "rows": "many", "run": 7}
    )
    assert stack.rows("select run, row_count, status from runs order by run") == [
        (RUN, None, None),
        (REJECTED, 50, "rejected"),
    ]


def test_a_question_that_would_read_too_much_is_refused_before_it_reads(stack: Stocked) -> None:
    stack.told.clear()
    with pytest.raises(
        Mistake, match=r"would read [0-9.]+ kB, more than the 0\.01 MB that --most allows: ask for fewer"
    ):
        stack.ask("select count(*) from captures join truths using (version)", most_mb=0.01)
    [readings] = stack.told
    assert [reading.table for reading in readings] == ["captures", "truths"]
