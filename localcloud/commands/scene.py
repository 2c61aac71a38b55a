"""What every part of the demonstration does: steps that are told and measured, and what is to be expected."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pulumi

from localcloud.commands.progress import Progress, Step
from localcloud.commands.watch import Watch
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack import LocalStack

PATIENCE_SECONDS = 180
MOST_SAID = 500
"""Bytes of a refusal that are shown."""


class DemoFailed(CloudFailed):
    """A step did not do what it is for; the message says which, and where to look."""


class Scene:
    """The steps, each measured, and the summary that they fill."""

    def __init__(self, stack: LocalStack, progress: Progress) -> None:
        self.stack = stack
        self.progress = progress
        self.steps: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {"cloud": stack.cloud.title, "steps": self.steps}

    def watching(self, model: str) -> Watch:
        return Watch(self.stack.store(self.stack.outputs["models_url"]), model)

    def expect(self, record: dict[str, Any], *states: str) -> None:
        """Raises `DemoFailed` for a run that is in none of the states."""
        if record.get("status") not in states:
            why = record.get("cause") or record.get("report") or record.get("reason")
            raise self.failed(f"run {record.get('run')} is {record.get('status')}: {why}")

    def failed(self, what: str) -> DemoFailed:
        """The same, with where to look."""
        return DemoFailed(f"{what}\n  the cloud's log: {self.stack.log}")

    @contextmanager
    def step(self, name: str) -> Generator[Step]:
        with self.timed(name), self.progress.step(name) as step:
            yield step

    @contextmanager
    def timed(self, name: str) -> Generator[None]:
        began = time.monotonic()
        with self.told(name):
            yield
        self.steps.append({"step": name, "seconds": round(time.monotonic() - began, 2)})

    @contextmanager
    def told(self, name: str) -> Generator[None]:
        """What the block waits for in vain, or is refused, is a `DemoFailed`; a dead cloud is a `CloudFailed`."""
        try:
            yield
        except (pulumi.RunError, CloudFailed):
            raise
        except urllib.error.HTTPError as refused:
            with refused:
                said = refused.read(MOST_SAID).decode(errors="replace").strip()
            raise self.failed(f"{name}: {refused.url} answered {refused.code} {refused.reason}: {said}") from None
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as problem:
            self.stack.cloud.check()
            raise self.failed(f"{name}: {str(problem) or type(problem).__name__}") from None
        except Exception:
            self.stack.cloud.check()
            raise
