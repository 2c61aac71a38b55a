"""The console: the stack in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from sml.mistake import Mistake
from sml.session import Session, on_stack


@on_stack
def console(
    session: Session,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="By default any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address alone.")] = False,
) -> None:
    """Show the stack in a browser, for you alone, until Ctrl-C."""
    import webbrowser  # noqa: PLC0415 - only this command needs them

    from sml.console.routes import ROUTES  # noqa: PLC0415
    from sml.console.server import Server  # noqa: PLC0415
    from sml.console.site import Site  # noqa: PLC0415
    from sml.console.source import Source  # noqa: PLC0415

    source = Source(session.find, session.typed)
    name = source.stack.name
    try:
        server = Server(Site(source, ROUTES).answer, port)
    except OSError as problem:
        raise Mistake(f"port {port} cannot be used: {problem.strerror}; without --port a free one is taken") from None
    try:
        said = f"the stack {name} is at {server.address}"
        session.out.result(
            {"address": server.address}, said, "whoever has the address may do what you may; Ctrl-C ends it"
        )
        if not no_browser:
            webbrowser.open(server.address_once)
        server.wait()
    finally:
        server.close()
