"""The progress that a command prints: one line for each step, with its duration."""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from rich.console import Console

NAME = 12
TEXT = 64
SECONDS = 8
"""Widths, in columns, of a step's name, of its text, and of its duration."""
QUIET_SECONDS = 1.0
"""The time after which a step's progress is shown."""
REPEAT_SECONDS = 5.0
"""The interval of progress lines where a line cannot be rewritten."""

NAMED = 3
"""Names of a long list that are shown."""


def few(names: Sequence[str]) -> str:
    """Return names as a text: of many the first ones, and how many more there are."""
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED + 1 else ", ".join(names)


class Step:
    """A step under way. Its code sets `text` for the end, and calls `say` meanwhile."""

    def __init__(self) -> None:
        self.text = ""
        """The text of the final line."""
        self.progress = ""
        """The text that is shown until then."""

    def say(self, progress: str) -> None:
        """Set the text that is shown while the step lasts."""
        self.progress = progress


class Progress:
    """Prints steps to a console. On a terminal the line of a step under way is rewritten in place."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def line(self, name: str, text: str = "", seconds: float | None = None) -> None:
        """Print a name, a text and a duration in three columns."""
        duration = "" if seconds is None else f"{seconds:.1f} s"
        self.plain(f"  {name:<{NAME}} {text:<{TEXT}} {duration:>7}".rstrip())

    def paragraph(self, name: str, text: str) -> None:
        """Print a long text, wrapped within its column."""
        first, *others = textwrap.wrap(text, TEXT + SECONDS, break_long_words=False) or [""]
        self.line(name, first)
        for line in others:
            self.line("", line)

    def plain(self, text: str) -> None:
        """Print a text without columns or markup."""
        self.console.print(text, markup=False)

    @contextmanager
    def step(self, name: str) -> Generator[Step]:
        """Print progress while the block runs, and the step's line when it has ended without an error."""
        step, done, started = Step(), threading.Event(), time.monotonic()
        watcher = threading.Thread(target=self._watch, args=(name, step, done, started), daemon=True)
        watcher.start()
        try:
            yield step
        finally:
            done.set()
            watcher.join()
        self.line(name, step.text, time.monotonic() - started)

    def _watch(self, name: str, step: Step, done: threading.Event, started: float) -> None:
        if done.wait(QUIET_SECONDS):
            return
        if not self.console.is_terminal:
            while not done.wait(REPEAT_SECONDS - QUIET_SECONDS):
                self.plain(f"  {name:<{NAME}} ... {step.progress} {time.monotonic() - started:.0f} s")
            return
        with self.console.status("") as status:
            while not done.wait(0.2):
                status.update(f"{name:<{NAME}} {step.progress} {time.monotonic() - started:.0f} s")
