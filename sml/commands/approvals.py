"""Approvals: which versions wait for a person's word, and the word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml import sentences
from sml.clouds import name_of, write_permission
from sml.commands.upload import WAIT_SECONDS, Wait
from sml.mistake import FAILED, Mistake
from sml.named import ModelVersion, parted
from sml.options import Seconds
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from functions.core.registry.approvals import Word
    from functions.core.registry.pointer import Pointer, Turn
    from sml.stack import Stack

COLUMNS = {"model": "model", "version": "version", "since": "since (UTC)", "run": "run", "champion": "live"}
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; the run and the history keep it.")]


@on_stack
def approvals(
    session: Session,
    model: Annotated[str | None, typer.Argument(help="One model alone.", metavar="MODEL")] = None,
) -> None:
    """List the versions that passed the gate and wait for a person's word."""
    from sml.records import at_once  # noqa: PLC0415 - the stores' client takes long to import

    out, found = session.out, session.stack
    names = [found.model(model)] if model else found.models
    waiting = [row for rows in at_once(lambda name: _waiting(found, name), names) for row in rows]
    rows = [{**row, "since": row["since"][:19].replace("T", " ")} for row in waiting]
    out.table(rows, COLUMNS, empty="nothing waits for approval", documents=waiting)
    for row in rows:
        out.line(sentences.awaiting(found.typed, row["model"], row["version"]))


@on_stack
def approve(
    session: Session,
    model: ModelVersion,
    reason: Reason = "",
    wait: Wait = False,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Approve a version that waits for a person's word: its release begins."""
    from sml.following import Following  # noqa: PLC0415 - the stores' client takes long to import

    out, found = session.out, session.stack
    name, version, turn = _chosen(found, model)
    following = Following(found, name, out.say, seconds=timeout)
    document = _decide(found, name, version, "approved", reason)
    if turn is None:
        out.result(document, f"{name} @ {version} is approved: `{found.typed('release', name, version)}` releases it")
        return
    execution = _start(found, name, turn)
    if not wait:
        said = f"{name} @ {version} is approved, and its release has begun: `{found.typed('live', name)}`"
        out.result({**document, "run": turn.run, "execution": execution}, said)
        return
    record = following.to_the_end(following.run_of(execution), name_of(execution))
    if out.as_json:
        out.fields(record)
    if record.get("status") != "promoted":
        raise typer.Exit(FAILED)


@on_stack
def reject(
    session: Session,
    model: ModelVersion,
    reason: Reason = "",
) -> None:
    """Reject a version that waits for a person's word: its run ends, and it is not released by its name either."""
    out, found = session.out, session.stack
    if not reason.strip():
        raise Mistake("a rejection says why; accepted: --reason TEXT")
    name, version, turn = _chosen(found, model)
    document = _decide(found, name, version, "rejected", reason)
    if turn is None:
        said = f"{name} @ {version} is rejected: where the settings ask for a person's word, it is not released"
        out.result(document, said)
        return
    document |= {"run": turn.run, "execution": _start(found, name, turn)}
    out.result(document, f"{name} @ {version} is rejected, and no caller gets it")


def _waiting(stack: Stack, model: str) -> list[dict[str, Any]]:
    pointer = stack.records(model).live()
    return [
        {
            "model": model,
            "version": turn.version,
            "run": turn.run,
            "since": datetime.fromtimestamp(turn.asked, UTC).isoformat(timespec="seconds"),
            "champion": pointer.champion,
        }
        for turn in pointer.awaiting
    ]


def _chosen(stack: Stack, text: str) -> tuple[str, str, Turn | None]:
    """Return the model and the version that are meant, and as what it waits. Raise `Mistake`."""
    model, beginning = parted(text)
    records = stack.records(model)
    pointer = records.live()
    if beginning is None:
        turn = _only(pointer, model)
        return model, turn.version, turn
    version = str(records.version(beginning)["version"])
    if pointer.champion == version:
        raise Mistake(f"version {version} of {model} is live already: there is nothing to decide")
    if pointer.release is not None and pointer.release.version == version:
        withdraw = stack.typed("withdraw", model)
        raise Mistake(f"version {version} of {model} is being released: `{withdraw}` ends that")
    return model, version, next((turn for turn in pointer.awaiting if turn.version == version), None)


def _only(pointer: Pointer, model: str) -> Turn:
    if not pointer.awaiting:
        raise Mistake(f"no version of {model} waits for approval; name one: {model}@VERSION")
    if len(pointer.awaiting) > 1:
        names = ", ".join(f"{model}@{turn.version}" for turn in pointer.awaiting)
        raise Mistake(f"{len(pointer.awaiting)} versions of {model} wait for approval; name one: {names}")
    return pointer.awaiting[0]


def _decide(stack: Stack, model: str, version: str, word: Word, reason: str) -> dict[str, Any]:
    """Write what was decided, and return it. Raise `Mistake` where that is not allowed."""
    from functions.core.registry.approvals import Approvals, Decision  # noqa: PLC0415
    from functions.core.storage.objects import Forbidden  # noqa: PLC0415
    from sml.person import person  # noqa: PLC0415

    who, kept = person(stack), Approvals(stack.registry, model)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    why = " ".join(reason.split())
    decision = Decision(decision=word, by=who.by, known_by=who.known_by, at=at, reason=why)
    try:
        kept.note(version, decision)
    except Forbidden:
        needed = write_permission(stack.scheme, str(stack.outputs["models_url"]), kept.key(version))
        raise Mistake(f"{who.by} may not decide about {model}: {needed} is missing") from None
    return {"model": model, "version": version, **decision.document()}


def _start(stack: Stack, model: str, turn: Turn) -> str:
    """Have the workflow go on with the run, by what was decided. Raise `Mistake` where it cannot be started."""
    asked = {"model": model, "version": turn.version, "run": turn.run}
    try:
        return stack.cloud.start(stack.outputs["workflow"], asked)
    except Mistake as problem:
        again = f"it is written down, and the same command once more has the workflow act on it: {problem}"
        raise type(problem)(again) from None
