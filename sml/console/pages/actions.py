"""Actions: a dialog says what will happen, and the command of `sml` then does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sml.commands import approvals, jobs, releases, upload
from sml.console.asked import ask as call
from sml.console.site import Page
from sml.console.source import sentence
from sml.mistake import Mistake

if TYPE_CHECKING:
    from sml.console.source import Source
    from sml.console.web import Request

ROLLBACK_SECONDS = 45.0
MUTED = 1_000
"""Letters of a reason."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a button does."""

    command: Callable[..., None]
    title: str
    words: Callable[[Source, str, str], str]
    """Says what will happen, of a model and of what is named. Raises `Mistake` where it is not possible."""
    names: str | None = None
    """The command's argument that the button fills in; `model` gets MODEL@VERSION."""
    reason: bool = False
    """Whether it is noted why."""
    unsaid: str = releases.BY_HAND
    """The reason where none is given; empty where one has to be."""
    grave: bool = False
    """Whether callers get other answers at once."""
    more: tuple[tuple[str, Any], ...] = ()


def _promote(source: Source, model: str, named: str) -> str:
    del named
    pointer = source.records(model).live()
    if pointer.release is None:
        raise Mistake(f"{model}: no release is under way")
    return (
        f"Version {pointer.challenger} answers every caller of {model} from now on, without a further judgement. "
        f"{pointer.champion} stays as the previous version, to which it can be rolled back."
    )


def _withdraw(source: Source, model: str, named: str) -> str:
    del named
    pointer = source.records(model).live()
    if pointer.release is None:
        raise Mistake(f"{model}: no release is under way")
    return f"The release of {pointer.challenger} ends, and {pointer.champion} answers every caller of {model} again."


def _rollback(source: Source, model: str, named: str) -> str:
    del named
    pointer = source.records(model).live()
    if pointer.previous is None:
        raise Mistake(f"{model}: there is no earlier version to go back to")
    also = f" The release of {pointer.challenger} ends, too." if pointer.challenger else ""
    return (
        f"Version {pointer.previous} answers every caller of {model} again, in place of {pointer.champion}.{also} "
        "Only this one step back is possible."
    )


def _release(source: Source, model: str, named: str) -> str:
    records = source.records(model)
    version, champion = records.version(named)["version"], records.live().champion
    if champion == version:
        raise Mistake(f"version {version} of {model} is live already")
    if champion is None:
        return f"Version {version} of {model} goes live at once: there is no other to compare it with."
    return (
        f"The workflow releases version {version} of {model} as it releases any: by the stack's canary steps, each of "
        f"them judged. {champion} answers the other callers meanwhile."
    )


def _approve(source: Source, model: str, named: str) -> str:
    champion = source.records(model).live().champion
    if champion is None:
        return f"Version {named} of {model} goes live at once: there is no other to compare it with."
    return (
        f"The workflow releases version {named} of {model} by the stack's canary steps, each of them judged, in place "
        f"of {champion}. Who approved it, when and why is kept with its run."
    )


def _reject(source: Source, model: str, named: str) -> str:
    source.stack.model(model)
    return (
        f"The run of version {named} ends as refused, and the version is not released by its name either, unless "
        "somebody approves it later."
    )


def _retrain(source: Source, model: str, named: str) -> str:
    del named
    newest = source.stack.data.newest(f"{source.stack.model(model)}/incoming")
    if newest is None:
        raise Mistake(f"{model} has no dataset yet: `{source.typed('upload', model, 'FILE')}`")
    return (
        f"The workflow trains {model} on its newest dataset, {newest}, and releases what passes the gate. "
        "What was trained on already is not trained again."
    )


def _cancel(source: Source, model: str, named: str) -> str:
    source.stack.model(model)
    return f"No further part of job {named} is worked on. It cannot be taken up again."


ACTIONS = {
    "promote": Action(command=releases.promote, title="Promote", words=_promote, reason=True, grave=True),
    "withdraw": Action(command=releases.withdraw, title="Withdraw", words=_withdraw, reason=True, grave=True),
    "rollback": Action(
        command=releases.rollback,
        title="Roll back",
        words=_rollback,
        reason=True,
        grave=True,
        more=(("timeout", ROLLBACK_SECONDS),),
    ),
    "release": Action(command=releases.release, title="Release", words=_release, names="version"),
    "approve": Action(command=approvals.approve, title="Approve", words=_approve, names="model", reason=True),
    "reject": Action(
        command=approvals.reject, title="Reject", words=_reject, names="model", reason=True, unsaid="", grave=True
    ),
    "retrain": Action(command=upload.retrain, title="Retrain", words=_retrain),
    "cancel": Action(command=jobs.cancel, title="Cancel the job", words=_cancel, names="job", grave=True),
}


def ask(source: Source, request: Request, model: str, action: str) -> Page:
    """The dialog: what will happen."""
    found, named = _found(action), request.asked("of")
    facts: dict[str, Any] = {"action": found, "name": action, "of": named}
    try:
        facts["words"] = found.words(source, model, named)
    except Exception as problem:
        facts["problem"] = sentence(problem, source.typed)[1]
    return Page(template="ask.html", title=found.title, model=model, facts=facts)


def do(source: Source, request: Request, model: str, action: str) -> Page:
    """Do it, and say what came of it."""
    found, named = _found(action), request.given("of")
    arguments: dict[str, Any] = {"model": model, **dict(found.more)}
    if found.names is not None:
        arguments[found.names] = f"{model}@{named}" if found.names == "model" else named
    if found.reason:
        arguments["reason"] = " ".join(request.given("reason").split())[:MUTED] or found.unsaid
    facts: dict[str, Any] = {"action": found, "name": action, "of": named, "done": True}
    try:
        told = call(source.stack, found.command, **arguments)
        facts["lines"] = told.lines or [f"job {named} is {told.document.get('status')}"]
        status = 200
    except Exception as problem:
        status, facts["problem"] = sentence(problem, source.typed)
    return Page(template="ask.html", title=found.title, model=model, facts=facts, status=min(status, 409))


def _found(action: str) -> Action:
    if action not in ACTIONS:
        raise Mistake(f"there is no action {action}; there are: {', '.join(ACTIONS)}")
    return ACTIONS[action]
