"""Releases: which version answers callers, and how that is changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sml.clouds import name_of
from sml.commands.upload import WAIT_SECONDS, Wait
from sml.mistake import FAILED, Mistake, TooLate
from sml.options import Model, Seconds
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.registry.pointer import Pointer
    from sml.stack import Stack

Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; the history keeps it.")]
BY_HAND = "by hand"
LOOK_SECONDS = 0.3
ROLLBACK_SECONDS = 120.0


@on_stack
def release(
    session: Session,
    model: Model,
    version: Annotated[str, typer.Argument(help="By the first letters of its name.", metavar="VERSION")],
    wait: Wait = False,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Release a registered version, also an older one: by canary, as its stack releases any."""
    from sml.following import Following  # noqa: PLC0415 - the store's client takes long to import

    out, found = session.out, session.stack
    records = found.records(model)
    name = str(records.version(version)["version"])
    if records.live().champion == name:
        raise Mistake(f"version {name} of {model} is live already")
    following = Following(found, model, out.say, seconds=timeout)
    execution = found.cloud.start(found.outputs["workflow"], {"model": model, "version": name})
    if not wait:
        document = {"execution": execution, "version": name}
        out.result(document, f"the release of {model} @ {name} has begun: `sml live {model}`")
        return
    record = following.to_the_end(following.run_of(execution))
    if out.as_json:
        out.fields(record)
    if record.get("status") != "promoted":
        raise typer.Exit(FAILED)


@on_stack
def promote(
    session: Session,
    model: Model,
    reason: Reason = BY_HAND,
) -> None:
    """End the canary that is under way: its version answers every caller from now on."""
    from functions.core.registry import pointer  # noqa: PLC0415

    out, found = session.out, session.stack
    after = _changed(found, model, lambda before: pointer.promote(before, time.time(), reason))
    text = f"{model} @ {after.champion} is live (before: {after.previous})"
    out.result({"champion": after.champion, "previous": after.previous}, text)


@on_stack
def withdraw(
    session: Session,
    model: Model,
    reason: Reason = BY_HAND,
) -> None:
    """End the canary that is under way: the champion answers every caller again."""
    from functions.core.registry import pointer  # noqa: PLC0415

    out, found = session.out, session.stack
    after = _changed(found, model, lambda before: pointer.withdraw(before, time.time(), reason))
    out.result({"champion": after.champion}, f"{model} @ {after.champion} answers every caller")


@on_stack
def rollback(
    session: Session,
    model: Model,
    reason: Reason = BY_HAND,
    timeout: Seconds = ROLLBACK_SECONDS,
) -> None:
    """Make the previous version live again, and wait until it is."""
    out, found = session.out, session.stack
    records = found.records(model)
    before, began = records.live(), time.monotonic()
    if before.previous is None:
        raise Mistake(f"{model}: there is no earlier version to go back to")
    asked = {"model": model, "action": "rollback", "reason": reason}
    execution = found.cloud.start(found.outputs["workflow"], asked)
    run = name_of(execution)
    after = before
    while not any(entry.run == run for entry in after.history):
        if time.monotonic() - began > timeout:
            raise TooLate(f"{model}: the rollback is not in the history after {timeout:.0f} s: `sml history {model}`")
        time.sleep(LOOK_SECONDS)
        after = records.live()
    seconds = time.monotonic() - began
    text = f"{model} @ {after.champion} is live (before: {before.champion}), after {seconds:.1f} s"
    out.result({"champion": after.champion, "before": before.champion, "seconds": round(seconds, 2)}, text)


def _changed(stack: Stack, model: str, transition: Callable[[Pointer], Pointer]) -> Pointer:
    from functions.core.registry.live_pointer import Live  # noqa: PLC0415
    from functions.core.registry.pointer import NotPossible  # noqa: PLC0415

    try:
        return Live(stack.registry, stack.model(model)).change(transition)
    except NotPossible as impossible:
        raise Mistake(f"{model}: {impossible}") from None
