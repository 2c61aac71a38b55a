"""Releases: which version answers callers, and how that is changed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sml.clouds import name_of
from sml.commands.upload import WAIT_SECONDS, Wait
from sml.mistake import FAILED, Mistake, TooLate
from sml.named import ModelVersion, parted
from sml.options import Model, Seconds
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.registry.pointer import Pointer
    from sml.output import Output
    from sml.stack import Stack
    from sml.transfer import Transfer

Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; the history keeps it.")]
BY_HAND = "by hand"
LOOK_SECONDS = 0.3
ROLLBACK_SECONDS = 120.0


@on_stack
def release(
    session: Session,
    model: ModelVersion,
    version: Annotated[
        str | None, typer.Argument(help="By the first letters of its name, unless MODEL@VERSION.", metavar="VERSION")
    ] = None,
    wait: Wait = False,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Release a registered version, also an older one: by canary, as its stack releases any."""
    found = session.stack
    model, named = parted(model)
    beginning = version or named
    if beginning is None:
        raise Mistake(f"which version of {model}? `{found.typed('versions', model)}` lists them")
    records = found.records(model)
    name = str(records.version(beginning)["version"])
    if records.live().champion == name:
        raise Mistake(f"version {name} of {model} is live already")
    _begin(session.out, found, model, name, seconds=timeout if wait else None)


@on_stack
def promote(  # noqa: PLR0913, PLR0917 - an argument for each option
    session: Session,
    model: ModelVersion,
    source: Annotated[
        str | None, typer.Option("--from", help="With --to: the stack that has it; by default that of --stack.")
    ] = None,
    source_outputs: Annotated[Path | None, typer.Option("--from-outputs", help="A file with its outputs.")] = None,
    target: Annotated[
        str | None, typer.Option("--to", help="Another stack: it gets the version, and releases it.")
    ] = None,
    target_outputs: Annotated[Path | None, typer.Option("--to-outputs", help="A file with its outputs.")] = None,
    target_state: Annotated[
        Path | None, typer.Option("--to-state", help="Its folder, if it is up on this machine.")
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="With --to: though clients there have to send something else.")
    ] = False,
    reason: Reason = BY_HAND,
    wait: Wait = False,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """End the canary: its version answers every caller. With --to, release a version in another stack."""
    model, version = parted(model)
    if target or target_outputs or target_state:
        found = session.other(source, source_outputs) if source or source_outputs else session.stack
        other = session.other(target, target_outputs, target_state)
        transfer = _transfer(found, other, model, version)
        transfer.check(accept_changes=accept_changes)
        came = "copied" if transfer.copy("" if reason == BY_HAND else reason) else "there already"
        session.out.say(f"  {'transfer':<12} {model} @ {transfer.version}: {found.name} -> {other.name}, {came}")
        _begin(session.out, other, model, transfer.version, seconds=timeout if wait else None)
        return
    if source or source_outputs or accept_changes or version or wait:
        ends, to = (
            session.typed("promote", *words)
            for words in ((model,), (f"{model}@VERSION", "--from", "STACK", "--to", "STACK"))
        )
        raise Mistake(
            f"`{ends}` ends the canary that is under way; accepted for a version that another stack is to release:"
            f" `{to}`"
        )
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
            history = found.typed("history", model)
            raise TooLate(f"{model}: the rollback is not in the history after {timeout:.0f} s: `{history}`")
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


def _begin(out: Output, stack: Stack, model: str, version: str, *, seconds: float | None) -> None:
    """Start the release of a version, and follow it for so many seconds at most; not at all for None."""
    from sml.following import Following  # noqa: PLC0415 - the store's client takes long to import

    following = Following(stack, model, out.say, seconds=seconds or 0.0)
    execution = stack.cloud.start(stack.outputs["workflow"], {"model": model, "version": version})
    if seconds is None:
        document = {"execution": execution, "version": version}
        said = f"the release of {model} @ {version} has begun: `{stack.typed('live', model)}`"
        out.result(document, said)
        return
    record = following.to_the_end(following.run_of(execution))
    if out.as_json:
        out.fields(record)
    if record.get("status") != "promoted":
        raise typer.Exit(FAILED)


def _transfer(source: Stack, target: Stack, model: str, version: str | None) -> Transfer:
    """Return the transfer of a version, by default the live one, to another stack. Raise `Mistake`."""
    from sml.transfer import Transfer  # noqa: PLC0415 - the store's client takes long to import

    if source.outputs["models_url"] == target.outputs["models_url"]:
        release = source.typed("release", f"{model}@VERSION")
        raise Mistake(f"{source.name} and {target.name} are the same stack: `{release}` releases a version there")
    records = source.records(model)
    target.model(model)
    champion = records.live().champion
    if version is None and champion is None:
        raise Mistake(f"no version of {model} is live in the stack {source.name}; name one: {model}@VERSION")
    name = str(records.version(version or str(champion))["version"])
    return Transfer(source=source, target=target, model=model, version=name)
