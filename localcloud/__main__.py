"""The commands of `python -m localcloud`, from up and demo to doctor, engine and send; `--help` lists them."""

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
    subparser = add("send", "send a message to the queue of a function of the running stack")
    subparser.add_argument("function")
    subparser.add_argument("message", help="a JSON object")
    subparser = add("put", "put a file into a store of the running stack")
    subparser.add_argument("url", help="the store's URL, as data_url of .local/outputs.json")
    subparser.add_argument("key")
    subparser.add_argument("file", type=Path)
    subparser = add("logs", "print what a function of the running stack logged")
    subparser.add_argument("function")
    subparser.add_argument("--lines", type=int, default=50, help="the most lines (default: 50)")
    subparser = add("redrive", "put the dead letters of a function of the running stack back into its queue")
    subparser.add_argument("function", nargs="?", default="jobs", help="(default: jobs)")
    subparser = add("rollback", "make the previous champion live again in the running stack")
    subparser.add_argument("model")
    subparser.add_argument(
        "--reason", default="by hand", help="recorded in the history of live.json (default: by hand)"
    )
    subparser = add("registry", "check the model registry of the running stack, or of any stack by its store")
    subparser.add_argument("action", choices=["verify"], help="check every object, and print what is damaged")
    subparser.add_argument("model", nargs="?", help="one model (default: all)")
    subparser.add_argument("--url", help="the models store of another stack, as its output models_url")
    subparser.add_argument("--repair", action="store_true", help="mend what the rest of the store proves")
    subparser.add_argument(
        "--champion", metavar="VERSION", help="with --repair: what is to be live, if nothing proves it"
    )
    subparser = add("train", "train a model on its newest dataset in the running stack")
    subparser.add_argument("model")
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of an interrupted deployment may still wait for a response that never comes.
    os._exit(code)
