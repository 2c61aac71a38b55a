"""An embedded cloud for the Pulumi CLI, in place of an account."""

from __future__ import annotations

import os
import shlex
import threading
from contextlib import ExitStack
from pathlib import Path

from localcloud.cli.installation import NotAvailable, install
from localcloud.cli.provider import Symbols, serve
from localcloud.commands.control import FILE, Command, Control
from localcloud.commands.embedded import require_embedded
from localcloud.commands.progress import Progress
from localcloud.commands.up import facts
from localcloud.engine.cloud import CloudFailed, Provider, start
from localcloud.engine.stack import PORT
from localcloud.engine.stack_file import StackFile
from localcloud.support.workspace import clear, take

PASSPHRASE = "local"  # noqa: S105 - what it encrypts never leaves this machine
"""Encrypts the secrets of stacks that last no longer than the embedded cloud."""


def main(progress: Progress, stack: str, state: Path, recorded: bool) -> int:
    """Run an empty embedded cloud until interrupted, and print how the Pulumi CLI deploys into it.

    With `recorded` nothing is created: what a cloud would answer are symbols. Raises `CloudFailed` when
    there is no CLI and none can be built.
    """
    file = StackFile.read(stack)
    if not recorded:
        require_embedded(stack)
    folder = state / "engine" / str(file.cloud)
    # What the CLI knew of an earlier cloud went with it.
    clear(folder)
    with ExitStack() as until_the_end:
        provider: Provider = Symbols()
        if not recorded:
            workspace = take(state)
            until_the_end.callback(clear, workspace)
            with progress.step("start") as step:
                cloud = start(file, workspace, port=PORT, progress=step.say)
                step.text = f"the embedded {cloud.title}, empty"
            until_the_end.callback(cloud.stop)
            provider = cloud
            commands: dict[str, Command] = {
                "facts": lambda _: facts(stack, cloud.entrance, {}),
                "start": lambda fields: {"execution": cloud.execute(fields["workflow"], fields["argument"])},
            }
            until_the_end.enter_context(Control(state / FILE, commands))
        try:
            installation = install(state / "pulumi", progress.plain)
        except NotAvailable as reason:
            raise CloudFailed(f"the Pulumi CLI cannot run here: {reason}") from None
        environment = installation.environment(folder, PASSPHRASE)
        until_the_end.enter_context(serve(str(file.cloud), provider, folder))
        progress.plain(f"pulumi {installation.version} deploys into it from another terminal, after")
        for name, value in environment.items():
            progress.plain(f"  export {name}={_quoted(value)}")
        progress.plain(f"  pulumi stack select --create {stack} && pulumi up")
        progress.plain(f"do not commit the line encryptionsalt that this adds to Pulumi.{stack}.yaml")
        progress.plain("Ctrl-C takes everything down, and the next start knows nothing of it")
        threading.Event().wait()
    return 0


def _quoted(value: str) -> str:
    """Return a value as a shell reads it; a PATH that ends with the present one goes on with `$PATH`."""
    now = os.environ.get("PATH", "")
    if now and value.endswith(now):
        return f'{shlex.quote(value.removesuffix(now))}"$PATH"'
    return shlex.quote(value)
