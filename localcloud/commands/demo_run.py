"""One run of the demonstration: its steps, printed and measured, and its summary."""

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
from localcloud.engine.cloud import SHOWN_BYTES, CloudFailed
from localcloud.engine.stack import LocalStack

PATIENCE_SECONDS = 180


class DemoFailed(CloudFailed):
    """A step did not do what it is for; the message names the step and the cloud's log."""


class DemoRun:
    """The stack, the steps that ran on it, and the summary that they fill."""

    def __init__(self, stack: LocalStack, progress: Progress) -> None:
        self.stack = stack
        self.progress = progress
        self.steps: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {"cloud": stack.cloud.title, "steps": self.steps}

    def watching(self, model: str) -> Watch:
        """Return a watch of the runs of a model, from now on."""
        return Watch(self.stack.store(self.stack.outputs["models_url"]), model)

    def expect(self, record: dict[str, Any], *states: str) -> None:
        """Raise `DemoFailed` if a run is in none of the states."""
        if record.get("status") not in states:
            reason = record.get("cause") or record.get("report") or record.get("reason")
            raise self.failed(f"run {record.get('run')} is {record.get('status')}: {reason}")

    def failed(self, problem: str) -> DemoFailed:
        """Return a `DemoFailed` whose message also names the cloud's log."""
        return DemoFailed(f"{problem}\n  the cloud's log: {self.stack.log}")

    @contextmanager
    def step(self, name: str) -> Generator[Step]:
        """Print and measure a step, as `Progress.step` and `timed` do."""
        with self.timed(name), self.progress.step(name) as step:
            yield step

    @contextmanager
    def timed(self, name: str) -> Generator[None]:
        """Add the duration of the block to the summary, under the step's name."""
        began = time.monotonic()
        with self.errors_of(name):
            yield
        self.steps.append({"step": name, "seconds": round(time.monotonic() - began, 2)})

    @contextmanager
    def errors_of(self, name: str) -> Generator[None]:
        """Raise `DemoFailed`, which names the step, for a refusal, a timeout or a lost connection in the block.

        Raises `CloudFailed` when the cloud has ended. Any other exception is a mistake of the program
        and keeps its trace.
        """
        try:
            yield
        except (pulumi.RunError, CloudFailed):
            raise
        except urllib.error.HTTPError as refused:
            with refused:
                body = refused.read(SHOWN_BYTES).decode(errors="replace").strip()
            raise self.failed(f"{name}: {refused.url} answered {refused.code} {refused.reason}: {body}") from None
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as problem:
            self.stack.cloud.check()
            raise self.failed(f"{name}: {str(problem) or type(problem).__name__}") from None
        except Exception:
            self.stack.cloud.check()
            raise
