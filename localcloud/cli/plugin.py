"""`pulumi-resource-aws` and `pulumi-resource-gcp`, where the cloud is an embedded one.

The CLI starts a provider's plugin anew for each command, and ends it. The embedded cloud outlives
them all, in the process of `python -m localcloud engine`; so this passes every call on to that
process, and knows nothing of any resource.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from localcloud.cli.serving import UNLIMITED, wait_for_the_end

THREADS = 64
CONNECT_SECONDS = 2
NONE = "no embedded cloud serves {package} here: start one with `python -m localcloud engine --stack NAME`"


class Relay(grpc.GenericRpcHandler):
    """Passes each call on as it comes, in bytes, and returns the answer or the error."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Return the handler of a method, whatever it is called.

        Cancel is answered here: the CLI takes a plugin that does not for one that has crashed.
        """
        if handler_call_details.method.endswith("/Cancel"):
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")
        call = self._channel.unary_unary(handler_call_details.method)
        return grpc.unary_unary_rpc_method_handler(_passing_on(call))


def _passing_on(call: Callable[[bytes], bytes]) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            return call(request)
        except grpc.RpcError as problem:
            error: Any = problem
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the embedded cloud has ended")
            context.abort(error.code(), error.details())
            raise

    return answer


def main(package: str, address: Path) -> int:
    """Serve until the CLI ends this process. `address` is the file in which a running cloud says where it is."""
    with contextlib.ExitStack() as until_the_end:
        try:
            channel = until_the_end.enter_context(grpc.insecure_channel(_read(address), options=UNLIMITED))
            grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
        except (OSError, ValueError, grpc.FutureTimeoutError):
            print(NONE.format(package=package), file=sys.stderr)
            return 1
        server = grpc.server(ThreadPoolExecutor(THREADS), handlers=[Relay(channel)], options=UNLIMITED)
        print(server.add_insecure_port("127.0.0.1:0"), flush=True)
        server.start()
        wait_for_the_end()
        server.stop(grace=None).wait()
    return 0


def _read(address: Path) -> str:
    """Return the address in a file. Raises `ValueError` when it holds none."""
    text = address.read_text(encoding="utf-8").strip()
    if not re.fullmatch(r"127\.0\.0\.1:\d+", text):
        raise ValueError(f"{address.name} holds no address")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
