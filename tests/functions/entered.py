"""Which files of the project a piece of work enters: those that hold a function it calls."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from tests.root import ROOT

FOLDERS = tuple(f"{ROOT}/{folder}/" for folder in ("functions", "interface", "models"))


@dataclass
class Way:
    """The files in which a piece of work was, in order; the same one stands there again after a return to it."""

    stations: list[str] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Every file once, sorted."""
        return sorted(set(self.stations))

    @property
    def changes(self) -> int:
        """How often the work went on in another file."""
        return max(0, len(self.stations) - 1)

    def __str__(self) -> str:
        return "\n".join([f"{len(self.files)} files, {self.changes} changes from one to another:", *self.files])


@contextmanager
def entered() -> Generator[Way]:
    """Follow the calls and returns of this thread. What an import executes does not count."""
    way, before = Way(), sys.getprofile()

    def follow(frame: FrameType, event: str, _: object) -> None:
        # What is not ours enters no file of ours, and returns to the one that called it.
        if event not in ("call", "return") or not frame.f_code.co_filename.startswith(FOLDERS) or _of_an_import(frame):
            return
        inner: FrameType | None = frame if event == "call" else frame.f_back
        while inner is not None and not inner.f_code.co_filename.startswith(FOLDERS):
            inner = inner.f_back
        if inner is None:
            return
        file = inner.f_code.co_filename.removeprefix(f"{ROOT}/")
        if way.stations[-1:] != [file]:
            way.stations.append(file)

    sys.setprofile(follow)
    try:
        yield way
    finally:
        sys.setprofile(before)


def _of_an_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "<module>" or frame.f_code.co_filename.startswith("<frozen importlib"):
            return frame.f_code.co_filename.startswith((*FOLDERS, "<frozen importlib"))
        frame = frame.f_back
    return False
