"""A function at several sizes: what is counted, what is passed over, and what is always taken away."""

from __future__ import annotations

import os

import pytest

from sml.mistake import Mistake, Unreachable
from sml.tune.run import WARMING, Plan, copy, run
from sml.tune.trial import Asked, Call, beginning, in_use, name_of_copy, proven, variables_of_copy
from tests.sml.tune.samples import Copies, size

ROW, ROWS = Asked(path="/p", body=b"1"), Asked(path="/p", body=b"2", rows=100)
PLAN = Plan(calls=10, colds=2)


def test_starts_warm_calls_and_batches_are_counted_apart() -> None:
    copies = Copies()
    [found] = run(copies, copies.name(), [size(512)], ([ROW], ROWS), PLAN, lambda _: None)
    assert (len(found.cold), len(found.warm), len(found.batch), found.batch_rows) == (2, 10, 3, 100)
    assert copies.opened == [512, 512]
    assert len(copies.asked) == 2 + WARMING + 10 + 3


def test_golden_rows_take_turns() -> None:
    copies, others = Copies(), [Asked(path="/p", body=bytes([at])) for at in range(4)]
    run(copies, copies.name(), [size(512)], (others, None), PLAN, lambda _: None)
    assert {one.body for one in copies.asked} == {one.body for one in others}


def test_a_size_that_is_too_small_or_refused_is_told_and_the_next_one_is_tried() -> None:
    copies = Copies(
        refusals={256: Mistake("AWS refused to give the copy 256 MB")},
        answers={128: Call(status=0, ms=1, problem="signal: killed", out_of_memory=True)},
    )
    told: list[str] = []
    found = run(copies, copies.name(), [size(128), size(256), size(512)], ([ROW], None), PLAN, told.append)
    assert [one.problem for one in found] == ["out of memory", "AWS refused to give the copy 256 MB", ""]
    assert "128 MB: out of memory" in told


def test_a_size_that_is_too_small_for_a_batch_keeps_its_other_figures() -> None:
    copies = Copies(batch=Call(status=0, ms=1, problem="killed", out_of_memory=True))
    [found] = run(copies, copies.name(), [size(512)], ([ROW], ROWS), PLAN, lambda _: None)
    assert (found.problem, found.batch_problem, found.p95) == ("", "out of memory", 10.0)


def test_what_the_function_refuses_it_would_refuse_at_any_size() -> None:
    copies = Copies(answers={512: Call(status=404, ms=1)})
    with pytest.raises(Mistake, match="answers its golden rows with 404"):
        run(copies, copies.name(), [size(512), size(1024)], ([ROW], None), PLAN, lambda _: None)


def test_without_credentials_no_other_size_is_tried() -> None:
    copies = Copies(refusals={512: Unreachable("there are no credentials")})
    with pytest.raises(Unreachable):
        run(copies, copies.name(), [size(512), size(1024)], ([ROW], None), PLAN, lambda _: None)


def test_the_copy_is_deleted_however_it_ends() -> None:
    copies, told = Copies(), []
    with pytest.raises(KeyboardInterrupt), copy(copies, "mine", told.append):
        raise KeyboardInterrupt
    assert (copies.removed, told) == (["mine"], ["stopped; removing mine"])
    with pytest.raises(Mistake), copy(copies, "next", told.append):
        raise Mistake("x")
    assert copies.removed == ["mine", "next"]


def test_what_an_earlier_call_left_behind_is_removed_with_a_line() -> None:
    left = name_of_copy("predict-function", 64, now=0)
    copies, told = Copies(there=[left]), []
    with copy(copies, "mine", told.append):
        assert copies.removed == [left]
    assert told == [f"removed {left}, which an earlier call left behind"]


def test_two_do_not_tune_one_function_at_once() -> None:
    copies = Copies(there=[name_of_copy("predict-function", 64)])
    with pytest.raises(Mistake, match="is being tuned already"), copy(copies, "mine", lambda _: None):
        pass
    assert copies.removed == []


@pytest.mark.parametrize("longest", [49, 64])
def test_the_name_of_a_copy_fits_says_whose_it_is_and_until_when(longest: int) -> None:
    for function in ("predict-function-1a2b3c4", "p" * 60, "predict-a-very-long-name-of-a-model-1a2b3c4"):
        name = name_of_copy(function, longest, now=1_790_000_000)
        assert len(name) <= longest
        assert name.startswith(beginning(function, longest))
        assert in_use(name, now=1_790_000_000)
        assert not in_use(name, now=1_790_000_000 + 3601)


def test_a_copy_of_a_process_that_is_gone_is_not_in_use() -> None:
    name = name_of_copy("predict", 64)
    machine = name.split("-")[2]
    ended = next(pid for pid in range(4_000_000, 5_000_000) if not os.path.exists(f"/proc/{pid}"))  # noqa: PTH110
    until = name.rpartition("-")[2]
    assert in_use(name)
    assert not in_use(f"predict-tune-{machine}-{ended}-{until}")
    assert in_use(f"predict-tune-ffffff-{ended}-{until}")
    assert not in_use("predict-tune-of-somebody-else")


def test_a_copy_writes_no_captures_and_meters_nothing() -> None:
    values = {"CAPTURES_URL": "s3://captures", "METER": "{}", "MODELS": "m"}
    embedded = variables_of_copy(values, embedded=True, start="7")
    assert embedded == {"CAPTURES_URL": "memory://", "MODELS": "m", "ENFORCE_SIZE": "yes", "TUNE_START": "7"}
    assert "ENFORCE_SIZE" not in variables_of_copy(values, embedded=False, start="7")


def test_a_busy_machine_is_said_and_no_account_is_asked_for_its_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (9.0, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert "a load of 9 on 2 processors" in proven("of a cloud", embedded=True)
    assert proven("of a cloud", embedded=False) == "of a cloud"
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 0.0, 0.0))
    assert "busy" not in proven("of a cloud", embedded=True)
