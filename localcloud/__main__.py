"""The commands of `python -m localcloud`, from up and demo to doctor, engine and estimate; `--help` lists them."""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130

if __name__ == "__main__":
    # Before anything else is imported: a KeyboardInterrupt in the middle of an import is a traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))

import argparse
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from localcloud.support.parent import end_with_make

STATE = Path(__file__).resolve().parents[1] / ".local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 for success, 1 after printing an error, 130 when interrupted."""
    _on_interrupt(_leave)
    end_with_make()
    try:
        return _run(_parser().parse_args(arguments))
    except KeyboardInterrupt:
        print("everything is down")
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    # Each command imports only what it needs: a preview needs no emulator, and the clients are slow to import.
    import pulumi  # noqa: PLC0415 - slow too, and nothing is to be stopped until then

    from localcloud.commands.progress import Progress  # noqa: PLC0415
    from localcloud.engine.cloud import CloudFailed  # noqa: PLC0415

    arguments = vars(options)
    module = arguments.pop("command").replace("-", "_")
    run = importlib.import_module(f"localcloud.commands.{module}").main
    _on_interrupt(_interrupt)
    try:
        return run(Progress(), **arguments)
    except (pulumi.RunError, CloudFailed) as mistake:
        print(mistake, file=sys.stderr)
        return 1


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
        ("demo-watch", "tell the weeks after a promotion: drift, truths, retraining"),
        ("engine", "run an empty cloud that the Pulumi CLI deploys into"),
        ("soak", "swap two versions under load and jobs, and watch what each process holds"),
    ):
        subparser = add(name, text)
        subparser.add_argument("--stack", default="local", help="the stack's name, as in Pulumi.<stack>.yaml")
        if name == "engine":
            subparser.add_argument("--recorded", action="store_true", help="create nothing, answer with symbols")
        if name == "demo":
            subparser.add_argument("--model", default="", help="show this one alone, with the data of its sample.py")
    soak = subparser
    soak.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    soak.add_argument("--clients", type=int, default=32, help="how many at once (default: 32)")
    estimate = add("estimate", "print what a graph that preview wrote costs and emits, at today's tariffs")
    estimate.add_argument("graph", type=Path, help="the file: .local/graph-<stack>.json, of any commit")
    estimate.add_argument("--region", default="", help="price it there, and not where the graph says that it is")
    estimate.add_argument("--json", dest="as_json", action="store_true", help="print everything as JSON")
    return parser


def _on_interrupt(act: Callable[[int, FrameType | None], None]) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, act)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """End at once: while modules are imported there is nothing to stop, and an exception in one is not always told."""
    os.write(sys.stdout.fileno(), b"everything is down\n")
    os._exit(INTERRUPTED)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of an interrupted deployment may still wait for a response that never comes.
    os._exit(code)
