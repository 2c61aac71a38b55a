from __future__ import annotations

import pytest

from functions.core.registry import usage_records
from functions.core.registry.runs import RunUsage
from functions.core.registry.versions import Registry
from functions.core.runtime.usage import Usage
from functions.core.storage.objects import Objects
from tests.functions.serving import Clock

USED = Usage(2, 0.0123456, 1.5e-05, 2.5e-07, 3e-12, 4e-09, 5e-10)
RUN = "0123456789abcdef"


def test_the_key_of_a_record_holds_all_of_its_numbers() -> None:
    key = f"tumour/2026-11-24/10/1320-{'0' * 32}{usage_records.written({'a1': USED, 'none': USED})}.jsonl"
    assert dict(usage_records.read(key)) == {"a1": pytest.approx(USED), "none": pytest.approx(USED)}


@pytest.mark.parametrize(
    "name",
    ["1320-00.jsonl", "part-000001-000000010-000000000", "1320-00~v1_2.jsonl", "1320-00~v1_a_1_1_1_1_1_1.jsonl"],
)
def test_other_keys_hold_no_usage(name: str) -> None:
    assert list(usage_records.read(f"tumour/{name}")) == []


def test_a_record_lies_on_its_day() -> None:
    objects = Objects.in_memory()
    usage_records.note(objects, "tumour/runs/r", {"train": USED}, 1_790_000_000.0)
    [key] = objects.keys("tumour")
    assert usage_records.day_of(key) == "2026-09-21"
    assert usage_records.day_of("tumour/runs/r/run.json") == ""


def test_a_run_sums_the_calls_of_its_steps_and_its_record_tells_it() -> None:
    objects = Objects.in_memory()
    registry, usage = Registry(objects, "tumour"), RunUsage(objects, Clock())
    registry.write_run(RUN, {"run": RUN, "status": "registered"})
    train = usage.noting("train")
    for _ in range(3):
        train({"model": "tumour", "run": RUN}, USED)
    usage.noting("select", settles=True)({"model": "tumour", "run": RUN}, USED)
    record = registry.read_run(RUN) or {}
    by_step = record["usage"].pop("by_step")
    assert {step: used["calls"] for step, used in by_step.items()} == {"select": 2, "train": 6}
    assert Usage.of(record["usage"]) == pytest.approx(Usage.total([USED] * 4), rel=1e-5)
    assert record["status"] == "registered"


@pytest.mark.parametrize("about", [{}, {"model": "tumour"}, {"model": "tumour", "run": ""}, {"model": 1, "run": RUN}])
def test_a_call_that_names_no_run_is_recorded_for_none(about: dict[str, object]) -> None:
    objects = Objects.in_memory()
    RunUsage(objects).noting("prepare", settles=True)(about, USED)
    assert list(objects.keys("")) == []


def test_a_run_without_a_record_gets_none_by_its_usage() -> None:
    objects = Objects.in_memory()
    RunUsage(objects).noting("rollout", settles=True)({"model": "tumour", "run": RUN}, USED)
    assert Registry(objects, "tumour").read_run(RUN) is None
