"""What a command says while it works: one line for each step, with the time it took."""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console

NAME = 12
TEXT = 64
SECONDS = 8
"""Columns of a step's name, of what is said about it, and of the time that it took."""
QUIET_SECONDS = 1.0
"""How long a step may take before anything is said about it."""
REPEAT_SECONDS = 5.0
"""How often a step that goes on is mentioned where lines cannot be rewritten."""


class Step:
    """A step under way."""

    def __init__(self) -> None:
        self.text = ""
        """What the final line says."""
        self.progress = ""
        """What is shown until then."""

    def say(self, progress: str) -> None:
        self.progress = progress


class Progress:
    """Prints steps to a console; on a terminal the line of a step under way is rewritten in place."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def line(self, name: str, text: str = "", seconds: float | None = None) -> None:
        took = "" if seconds is None else f"{seconds:.1f} s"
        self.plain(f"  {name:<{NAME}} {text:<{TEXT}} {took:>7}".rstrip())

    def paragraph(self, name: str, text: str) -> None:
        """A line that may be long: it goes on below its own beginning."""
        first, *others = textwrap.wrap(text, TEXT + SECONDS, break_long_words=False) or [""]
        self.line(name, first)
        for line in others:
            self.line("", line)

    def plain(self, text: str) -> None:
        self.console.print(text, markup=False)

    @contextmanager
    def step(self, name: str) -> Generator[Step]:
        """A line when the block ends, and progress for as long as it does not."""
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
