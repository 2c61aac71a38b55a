"""A person's word: which versions wait for it, and how it is given."""

from __future__ import annotations

import getpass
import json
from typing import Any

import pytest

from functions.core.registry.pointer import Pointer, Turn, begin, leave, promote_first
from functions.core.release.approval import ask_approval
from functions.core.storage.objects import Forbidden
from sml.embedded_cloud import EmbeddedCloud
from sml.mistake import Unreachable
from tests.sml.staged import MODEL, Staged

RUN = "aa01aa01aa01aa01"


@pytest.fixture(autouse=True)
def logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")


def waiting(staged: Staged, *versions: str, pointer: Pointer | None = None) -> None:
    """Have versions wait for approval, each as the one of the same run."""
    pointer = pointer or promote_first(Pointer(), "v1", "first", 0.0)
    for version in versions:
        pointer = ask_approval(pointer, Turn(run=RUN, version=version, asked=1_790_000_000.0))
        pointer = pointer if version == versions[-1] else leave(pointer)
        staged.registry.put_json(f"{MODEL}/versions/{version}/card.json", {"version": version})
    staged.registry.put_json(f"{MODEL}/live.json", pointer.document())
    staged.run(RUN, status="awaiting_approval", version=versions[-1], execution="x0")


def decisions(staged: Staged, version: str) -> list[dict[str, Any]]:
    return json.loads(staged.registry.get(f"{MODEL}/approvals/{version}.json"))["decisions"]


def test_what_waits_is_listed_with_what_to_type(staged: Staged) -> None:
    assert staged.sml("approvals").out == "nothing waits for approval\n"
    waiting(staged, "v2")
    lines = staged.sml("approvals").out.splitlines()
    assert lines[1].split() == [MODEL, "v2", "2026-09-21", "14:13:20", RUN, "v1"]
    assert f"`sml approve {MODEL}@v2` or `sml reject {MODEL}@v2 --reason WHY`" in lines[2]
    listed = staged.sml("approvals", MODEL, "--json").document
    assert listed[0] | {"model": MODEL, "version": "v2", "run": RUN} == listed[0]
    assert staged.sml("status", "--json").document["awaiting_approval"] == {MODEL: ["v2"]}


@pytest.mark.parametrize("named", [MODEL, f"{MODEL}@v2", f"{MODEL}@v"], ids=["model", "version", "first letters"])
def test_an_approval_is_written_down_and_the_workflow_goes_on_with_the_run(named: str, staged: Staged) -> None:
    waiting(staged, "v2")
    said = staged.sml("approve", named, "--reason", "the report  is good")
    assert (said.code, said.out) == (0, f"{MODEL} @ v2 is approved, and its release has begun: `sml live {MODEL}`\n")
    [decision] = decisions(staged, "v2")
    assert decision["at"].endswith("+00:00")
    assert decision | {"decision": "approved", "by": "ann", "known_by": "login name"} == decision
    assert decision["reason"] == "the report is good"
    assert staged.started == [{"model": MODEL, "version": "v2", "run": RUN}]


def test_a_rejection_has_a_reason(staged: Staged) -> None:
    waiting(staged, "v2")
    said = staged.sml("reject", MODEL)
    assert (said.code, said.err) == (1, "sml: a rejection says why; accepted: --reason TEXT\n")
    assert staged.started == []
    assert staged.sml("reject", MODEL, "-m", "unfair", "--json").document["run"] == RUN
    assert decisions(staged, "v2")[0] | {"decision": "rejected", "reason": "unfair"} == decisions(staged, "v2")[0]
    assert staged.started == [{"model": MODEL, "version": "v2", "run": RUN}]


def test_a_version_that_does_not_wait_may_be_decided_on_before_somebody_asks_for_it(staged: Staged) -> None:
    waiting(staged, "v2")
    staged.registry.put_json(f"{MODEL}/versions/w3/card.json", {"version": "w3"})
    assert "`sml release penguins w3` releases it" in staged.sml("approve", f"{MODEL}@w3").out
    assert staged.sml("reject", f"{MODEL}@w3", "-m", "no").code == 0
    assert [one["decision"] for one in decisions(staged, "w3")] == ["approved", "rejected"]
    assert staged.started == []


def test_what_cannot_be_decided_is_a_sentence_and_nothing_is_written(staged: Staged) -> None:
    pointer = begin(promote_first(Pointer(), "v1", "first", 0.0), "c1", "canary", 10, 60.0)
    waiting(staged, "v2", pointer=pointer)
    for name in ("v1", "c1"):
        staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", {"version": name})
    for named, sentence in (
        (f"{MODEL}@v1", f"version v1 of {MODEL} is live already: there is nothing to decide"),
        (f"{MODEL}@c1", f"version c1 of {MODEL} is being released: `sml withdraw {MODEL}` ends that"),
        (f"{MODEL}@zz", f"{MODEL} has no version zz: `sml versions {MODEL}` lists them"),
        (f"{MODEL}@", f"'{MODEL}@' names no version; accepted: MODEL or MODEL@VERSION"),
        ("whales", "no version of whales waits for approval; name one: whales@VERSION"),
        ("nobody", "there is no model nobody in the stack local; there are: penguins, whales"),
    ):
        said = staged.sml("approve", named)
        assert (said.code, said.err) == (1, f"sml: {sentence}\n")
    turns = [Turn(run=f"r{number}", version=f"v{number}", asked=0.0) for number in (2, 3)]
    for turn in turns:
        pointer = ask_approval(pointer, turn)
    staged.registry.put_json(f"{MODEL}/live.json", pointer.document())
    assert (
        f"2 versions of {MODEL} wait for approval; name one: {MODEL}@v2, {MODEL}@v3" in staged.sml("approve", MODEL).err
    )
    assert (staged.started, list(staged.registry.keys(f"{MODEL}/approvals"))) == ([], [])


def test_who_may_not_write_decisions_is_told_which_permission_is_missing(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(staged, "v2")

    def refuse(key: str, _: bytes) -> bool:
        raise Forbidden(key)

    monkeypatch.setattr(staged.registry, "create", refuse)
    said = staged.sml("approve", MODEL)
    where = f"arn:aws:s3:::models-1/{MODEL}/approvals/v2.json"
    sentence = f"ann may not decide about {MODEL}: s3:PutObject on {where} is missing"
    assert (said.code, said.err, staged.started) == (1, f"sml: {sentence}\n", [])


def test_an_approval_that_starts_nothing_is_given_again(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(staged, "v2")

    def refused(*_: object) -> str:
        raise Unreachable("AWS refused")

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedCloud, "start", refused)
        said = staged.sml("approve", MODEL)
    assert (said.code, "the same command once more has the workflow act on it: AWS refused" in said.err) == (3, True)
    assert staged.sml("approve", MODEL).code == 0
    assert len(staged.started) == 1


def test_an_approved_release_is_followed_to_its_end(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(staged, "v2")
    staged.registry.put_json(f".executions/{MODEL}/id-7.json", {"execution": "id-7", "run": RUN})
    looks = iter([{"execution": "id-7", "status": "canary"}, {"execution": "id-7", "status": "promoted"}])
    monkeypatch.setattr("sml.following.Following._pause", lambda *_: staged.run(RUN, version="v2", **next(looks)))
    said = staged.sml("approve", MODEL, "--wait", "--json")
    assert (said.code, said.document["status"]) == (0, "promoted")
    assert "judged before" not in said.err


def test_an_upload_that_ends_waiting_says_what_to_type(staged: Staged) -> None:
    waiting(staged, "v2")
    staged.registry.put_json(f".executions/{MODEL}/id-7.json", {"execution": "id-7", "run": RUN})
    staged.run(RUN, status="awaiting_approval", version="v2", execution="id-7")
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    said = staged.sml("retrain", MODEL, "--wait")
    assert (said.code, f"`sml approve {MODEL}@v2`" in said.err) == (1, True)


def test_a_run_shows_who_decided_when_and_why(staged: Staged) -> None:
    approval = {"decision": "approved", "by": "ann", "known_by": "login name", "at": "2026-11-30T10:00:00+00:00"}
    staged.run(RUN, status="promoted", version="v2", approval={**approval, "reason": "seen"})
    assert "approved 2026-11-30 10:00 UTC by ann (login name): seen" in staged.sml("show", MODEL, RUN).out
