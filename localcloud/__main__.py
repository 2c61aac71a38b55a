"""`python -m localcloud up | preview | demo | soak | redrive | rollback`."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import pulumi

from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack_file import STATE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0: all of it worked; 1: it did not, and the reason was printed; 130: interrupted."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    progress = Progress()
    try:
        return _run(_parser().parse_args(arguments), progress)
    except (pulumi.RunError, CloudFailed) as mistake:
        print(mistake, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.plain("everything is down")
        return 130


def _run(options: argparse.Namespace, progress: Progress) -> int:
    # Each command imports its own: a preview needs no emulator, and its packages take a while.
    given = vars(options)
    return importlib.import_module(f"localcloud.commands.{given.pop('command')}").main(progress, **given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description="The stack on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--state", type=Path, default=STATE, help="where it writes (default: .local)")
        return made

    for name, text in (
        ("up", "deploy and stay up, following edits"),
        ("preview", "what a stack would create, without an account"),
        ("demo", "the whole loop, start to finish"),
        ("soak", "two versions that swap under load, with a worker killed"),
    ):
        made = command(name, text)
        made.add_argument("--stack", default="local", help="the stack's name, as in Pulumi.<stack>.yaml")
    made.add_argument("--seconds", type=int, default=60)
    made.add_argument("--clients", type=int, default=32)
    command("redrive", "have the stack that is up try again what it gave up")
    made = command("rollback", "have the champion before this one back, in the stack that is up")
    made.add_argument("model")
    made.add_argument("--reason", default="by hand", help="for the history of live.json")
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of an interrupted deployment may still wait for an answer that never comes.
    os._exit(code)
