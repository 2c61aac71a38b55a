"""Tells what happens in a running stack: uploads, runs, releases, failed functions, dead letters, errors of the API."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from infra.function_table import FUNCTIONS
from interface import layout
from localcloud.commands.progress import Progress
from localcloud.commands.story import Facts, Story
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.dead_letters import DeadLetters
from localcloud.engine.events import Answered, Event, Failed, Logged, Written
from localcloud.engine.stack import LocalStack
from localcloud.support.while_inside import WhileInside
from models.bring_your_own import BringYourOwn
from models.catalogue import by_kind, load
from models.section import ContractError
from sml import sentences
from sml.typed import Typed

LOOK_SECONDS = 0.25
AGAIN_SECONDS = 60.0
"""After which the same sentence is told once more."""
FRAME = re.compile(r'File "(?:[^"]*/)?((?:functions|models|interface)/[^"]+|main\.py)", line (\d+)')
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
QUALIFIED = re.compile(r"^(?:[a-z_]\w*\.)+(?=[A-Z]\w*(?::|$))")
MODEL = re.compile(r"/models/([^/]+)")


class Teller(WhileInside):
    """Prints a line for whatever happens in a stack, for as long as the `with` block lasts.

    It asks the cloud what happened, and the queues how many dead letters they hold, a few times a second.
    """

    def __init__(
        self, stack: LocalStack, progress: Progress, typed: Typed, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`typed` writes a command for the stack."""
        super().__init__()
        self._typed = typed
        self._stack = stack
        self._progress = progress
        self._clock = clock
        self._stories: dict[str, Story] = {}
        self._told: dict[str, float] = {}
        """When a sentence was told last."""
        self._letters: dict[str, DeadLetters] = {}
        self._dead: dict[str, int] = {}
        """How many dead letters a function's queue had."""
        self._reasons: list[str] = []
        """Why messages are about to become dead letters, as their workers wrote it down."""

    def work(self, number: int) -> None:
        while not self.over.wait(LOOK_SECONDS):
            try:
                self.tell()
            except (CloudFailed, OSError):
                # The cloud has ended, or does: whoever follows the edits says so.
                continue

    def tell(self) -> None:
        """Print what happened since the last call."""
        events = self._stack.cloud.events()
        for event in events:
            self._safely(self._happened, event)
        store = self._stack.outputs.get("models_url")
        written = [event.key for event in events if isinstance(event, Written) and event.url == store]
        for model in self._models:
            keys = dict.fromkeys(key for key in written if model in key.split("/")[:2])
            self._safely(self._story(model).written, keys)
        for event in events:
            if isinstance(event, Answered):
                self._safely(self._answered, event)
        self._count_dead_letters()

    def _safely(self, say: Callable[[Any], None], what: Any) -> None:
        """Say something; a record that is damaged is said to be, and is no reason to say nothing any more."""
        try:
            say(what)
        except (CloudFailed, OSError):
            raise
        except Exception as problem:
            said = f"{type(problem).__name__}: {problem}"
            verify = self._typed("registry", "verify")
            self._once("damaged", f"a record that was written is not one ({said}): `{verify}`")

    def _happened(self, event: Event) -> None:
        match event:
            case Written():
                self._arrived(event)
            case Failed():
                self._failed(event)
            case Logged():
                self._logged(event)
            case Answered():
                pass

    @property
    def _models(self) -> tuple[str, ...]:
        return tuple(self._stack.outputs.get("models") or ())

    def _story(self, model: str) -> Story:
        if model not in self._stories:
            store = self._stack.store(self._stack.outputs["models_url"])
            self._stories[model] = Story(
                model, store, self._progress.line, lambda: facts_of(model), self._typed, self._clock
            )
        return self._stories[model]

    def _arrived(self, event: Written) -> None:
        """Tell of a file in a store that people put files into."""
        output = next((name for name in sentences.READ if self._stack.outputs.get(name) == event.url), None)
        model, _, rest = event.key.partition("/")
        if output is None or event.key.startswith(".") or event.key.endswith("/"):
            return
        if model in self._models and rest.startswith(sentences.READ[output]):
            if output == "data_url":
                self._story(model).uploaded(event.key)
        elif model in self._models and rest.startswith(layout.JOB_FAILURES):
            self._note_reason(event)
        elif (told := sentences.misplaced(output, event.url, event.key, self._models)) is not None:
            self._once("misplaced", told)

    def _note_reason(self, event: Written) -> None:
        try:
            note = json.loads(self._stack.store(event.url).get(event.key))
        except (FileNotFoundError, ValueError):
            return
        self._reasons.append(f"{note.get('key')}: {note.get('reason')}")

    def _count_dead_letters(self) -> None:
        for name in (spec.name for spec in FUNCTIONS if spec.consumes):
            if name not in self._letters:
                try:
                    self._letters[name] = self._stack.letters(name)
                except LookupError:
                    continue
            count, before = self._letters[name].count(), self._dead.get(name, 0)
            self._dead[name] = count
            if count > before:
                again = f"`{self._typed('redrive', name)}` brings {'it' if count == 1 else 'them'} back"
                why = "".join(f"{reason}; " for reason in dict.fromkeys(self._reasons)) if name == "jobs" else ""
                self._progress.line("dead letter", f"{name}: {why}{count} in its queue, {again}")
                self._reasons.clear()

    def _failed(self, event: Failed) -> None:
        error, place = plain(event.error), place_of(event.trace)
        self._once("failed", f"{self._name(event.function)}: {error}{place}", same=message_of(error))

    def _logged(self, event: Logged) -> None:
        try:
            line = json.loads(event.line)
        except ValueError:
            return
        trace = str(line.get("trace") or "").strip()
        error = plain(trace.splitlines()[-1]) if trace else str(line.get("reason") or line.get("error") or "")
        text = ": ".join(part for part in (self._name(event.function), str(line.get("event")), error) if part)
        self._once("failed", f"{text}{place_of(trace)}", same=message_of(error) or text)

    def _answered(self, event: Answered) -> None:
        text = f"{event.method} {event.path}: {said(event.body)}"
        model = MODEL.search(event.path)
        if model and event.status == 503 and model[1] in self._models and (why := self._story(model[1]).refusal):
            text = f"{text}; its newest file was refused: {why}"
        self._once(f"API {event.status}", text, same=f"{event.status} {IDENTIFIER.sub('', text)}")

    def _once(self, name: str, text: str, *, same: str | None = None) -> None:
        """Print a line, unless the same was printed lately. `same` is what makes two lines the same."""
        now, key = self._clock(), same or text
        if now - self._told.get(key, -AGAIN_SECONDS) >= AGAIN_SECONDS:
            self._progress.line(name, text)
            self._told[key] = now

    def _name(self, function: str) -> str:
        """Return a function's name in the table, by its physical one."""
        for resource in self._stack.of(self._stack.cloud.function):
            if function in (resource.id, resource.outputs.get("name")):
                return resource.declared.name.removesuffix("-function")
        return function


def facts_of(model: str) -> Facts:
    """Return what a story takes from a model's contract; nothing while an edit has broken it."""
    try:
        contract = load(model)
    except (ContractError, OSError):
        return Facts()
    return by_kind(
        contract,
        trained=lambda one: Facts(metric=one.gate.measure, features=len(one.features)),
        bring_your_own=_nothing,
    )


def _nothing(_: BringYourOwn) -> Facts:
    return Facts()


def place_of(trace: str) -> str:
    """Return the last file of this project in a traceback, with the line: ` (models/fruit/training.py:12)`."""
    found = FRAME.findall(trace)
    return f" ({found[-1][0]}:{found[-1][1]})" if found else ""


def plain(error: str) -> str:
    """Return an error without the modules before its type: `NotAJob: why`."""
    return QUALIFIED.sub("", error)


def message_of(error: str) -> str:
    """Return what an error says, whatever its type: a cloud gives it another."""
    return error.partition(": ")[2] or error


def said(body: bytes) -> str:
    """Return what a response says, whichever protocol it follows."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        document = None
    if isinstance(document, dict):
        for name in ("error", "detail", "message"):
            if isinstance(document.get(name), str):
                return document[name]
    return body[:200].decode(errors="replace").strip() or "an empty answer"
