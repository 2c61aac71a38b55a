"""The commands of `python -m localcloud`, from up and demo to doctor, engine and soak; `--help` lists them."""

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
    """Run one command and return its exit code: 0 for success, 1 after printing an error, 130 when interrupted."""
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
    # Each command imports only what it needs: a preview needs no emulator, and the clients are slow to import.
    arguments = vars(options)
    return importlib.import_module(f"localcloud.commands.{arguments.pop('command')}").main(progress, **arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description="Run the stack on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        subparser = commands.add_parser(name, help=text, description=text)
        subparser.add_argument("--state", type=Path, default=STATE, help="the folder for its files (default: .local)")
        return subparser

    for name, text in (
        ("up", "deploy, keep running, and deploy again after each edit"),
        ("preview", "print what a stack would create, without an account"),
        ("doctor", "ask the account whether a stack can be deployed into it"),
        ("demo", "run the whole life of a model, start to finish"),
        ("engine", "run an empty cloud that the Pulumi CLI deploys into"),
        ("soak", "swap two versions under load and jobs, and watch what each process holds"),
    ):
        subparser = add(name, text)
        subparser.add_argument("--stack", default="local", help="the stack's name, as in Pulumi.<stack>.yaml")
        if name == "engine":
            subparser.add_argument("--recorded", action="store_true", help="create nothing, answer with symbols")
    subparser.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    subparser.add_argument("--clients", type=int, default=32, help="how many at once (default: 32)")
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of an interrupted deployment may still wait for a response that never comes.
    os._exit(code)
