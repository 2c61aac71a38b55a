"""A Python interpreter that has imported what every program imports, and forks for each command.

The Pulumi CLI starts four interpreters for one `pulumi preview`, and each imports the same packages. Here
`relay.py` asks this one for a fork. The fork takes the relay's arguments, folder, environment and streams, runs the
very file or code that they name, and ends with the relay, or the relay with it.

It is started as `python -I interpreter.py ADDRESS NAME...`, and imports nothing of this project.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import marshal
import os
import signal
import socket
import sys
import threading
import traceback
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NUMBER = 8
"""Bytes of a number that goes between relay and fork: the length of an order, a process, an exit code."""
STREAMS = 3
LOOK_SECONDS = 1.0


class Fork:
    """The process that runs one command."""

    def __init__(self, relay: socket.socket, streams: Sequence[int]) -> None:
        self._relay = relay
        self._code = 1
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)

    def run(self) -> None:
        """Run `FILE ARGUMENT...` or `-c CODE ARGUMENT...`, as Python does it."""
        order = self._received(int.from_bytes(self._received(NUMBER)))
        arguments, folder, environment = marshal.loads(order)  # noqa: S302 - of this user's own relay
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        self._relay.sendall(os.getpid().to_bytes(NUMBER))
        threading.Thread(target=self._end_with_the_relay, daemon=True).start()
        try:
            _execute(arguments)
            self._code = 0
        except SystemExit as end:
            self._code = _code(end)
        except BaseException:  # Python prints what nobody has caught, whatever it is
            traceback.print_exc()

    def end(self) -> None:
        """Tell the relay the exit code, and end: all that a command registers for its end has run."""
        sys.stdout.flush()
        sys.stderr.flush()
        self._relay.sendall(self._code.to_bytes(NUMBER))
        os._exit(self._code)

    def _end_with_the_relay(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._relay.recv(1)
        os.kill(os.getpid(), signal.SIGKILL)

    def _received(self, size: int) -> bytes:
        found = b""
        while len(found) < size and (more := self._relay.recv(size - len(found))):
            found += more
        return found


def _execute(arguments: Sequence[str]) -> None:
    main: Any = types.ModuleType("__main__")
    if arguments[0] == "-c":
        code = compile(arguments[1], "<string>", "exec", dont_inherit=True)
        sys.argv, folder = ["-c", *arguments[2:]], ""
    else:
        main.__file__ = arguments[0]
        code = compile(Path(arguments[0]).read_bytes(), arguments[0], "exec", dont_inherit=True)
        sys.argv, folder = list(arguments), str(Path(arguments[0]).resolve().parent)
    sys.path.insert(0, folder)
    sys.modules["__main__"] = main
    exec(code, main.__dict__)  # noqa: S102 - what Python does with a command


def _code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return (end.code or 0) & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _reap() -> None:
    """Take note of the forks that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _wait(listener: socket.socket, parent: int) -> Fork | None:
    """Fork for each relay that connects. Returns the fork in its own process, None when the parent has ended."""
    while os.getppid() == parent:
        _reap()
        try:
            relay, _ = listener.accept()
        except TimeoutError:
            continue
        with relay:
            _, streams, *_ = socket.recv_fds(relay, 1, STREAMS)
            if os.fork() == 0:
                return Fork(relay.dup(), streams)
            for stream in streams:
                os.close(stream)
    return None


def main(address: str, names: Sequence[str]) -> None:
    """Import what is named, say so in one line, and wait at the socket `address` until whoever started this ends.

    A name is `module`, or `module:attribute`: a part of an SDK is loaded when something of it is first asked for.
    """
    forks: list[Fork] = []
    # Python calls last what was registered first.
    atexit.register(lambda: [fork.end() for fork in forks])
    parent = os.getppid()
    for name in names:
        module, _, attribute = name.partition(":")
        getattr(importlib.import_module(module), attribute or "__name__")
    # A command is over before its garbage matters.
    gc.collect()
    gc.disable()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(LOOK_SECONDS)
        listener.bind(address)
        listener.listen()
        print(len(sys.modules), flush=True)
        fork = _wait(listener, parent)
    if fork is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        forks.append(fork)
        fork.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
