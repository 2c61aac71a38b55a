"""Stands for a Python interpreter where a command asks for one: a fork of `interpreter.py` does what it is told.

It is started as `python -I -S relay.py ARGUMENT...`, with the interpreter's socket in the environment. What Python
would print is printed, signals are passed on, and the exit code is the fork's. It ends with whoever has started it,
and the fork with it.
"""

import marshal
import os
import select
import signal
import socket
import sys

ADDRESS = "WARM_INTERPRETER"
"""The variable that holds the socket's path."""
NUMBER = 8
LOOK_SECONDS = 1.0
KILLED = 137
PASSED_ON = (signal.SIGINT, signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Have the arguments run, and return the exit code."""
    parent = os.getppid()
    # A signal that comes before it is known whom it is for waits: what the fork prints may be read before.
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    with socket.socket(socket.AF_UNIX) as interpreter:
        interpreter.connect(os.environ[ADDRESS])
        order = marshal.dumps((arguments, os.getcwd(), dict(os.environ)))  # noqa: PTH109 - pathlib takes longer than all of this
        socket.send_fds(interpreter, [b"."], [0, 1, 2])
        interpreter.sendall(len(order).to_bytes(NUMBER) + order)
        fork = int.from_bytes(interpreter.recv(NUMBER, socket.MSG_WAITALL))
        for number in PASSED_ON:
            signal.signal(number, lambda number, _frame: os.kill(fork, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        while not select.select([interpreter], [], [], LOOK_SECONDS)[0]:
            if os.getppid() != parent:
                return KILLED
        code = interpreter.recv(NUMBER, socket.MSG_WAITALL)
    return int.from_bytes(code) if len(code) == NUMBER else KILLED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
