"""The Pulumi CLI on this machine, and the backend that keeps its state."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from doctor.finding import Finding, fails, ready, unknown

INSTALL = "https://www.pulumi.com/docs/install/"
OLDEST = (3, 200, 0)
"""The oldest version that deploys the program."""
SECONDS = 20
"""The time that one call of the CLI may take."""


@dataclass(frozen=True, kw_only=True)
class Cli:
    """What the CLI says of itself. `whoami` is None where it is logged in nowhere."""

    version: str
    whoami: str | None


def ask(environment: Mapping[str, str] = os.environ) -> Cli | None:
    """Return what the CLI on PATH answers; None without one. Raises `subprocess.SubprocessError`."""
    if (path := shutil.which("pulumi", path=environment.get("PATH", ""))) is None:
        return None
    quiet = {**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    said = _run(path, quiet, "version")
    who = _run(path, quiet, "whoami", "--non-interactive")
    return Cli(version=said.stdout.strip(), whoami=who.stdout.strip() if who.returncode == 0 else None)


def judge(cli: Cli | None) -> list[Finding]:
    """Return whether the CLI is there, is new enough, and has a backend."""
    if cli is None:
        return [fails("the Pulumi CLI is not on PATH", INSTALL)]
    found = [_age(cli.version)]
    if cli.whoami is None:
        found.append(fails("the Pulumi CLI is logged in to no backend for its state", "pulumi login"))
    else:
        found.append(ready(f"its state is kept for {cli.whoami}"))
    return found


def check() -> list[Finding]:
    """Ask the CLI, and return what its answers mean."""
    try:
        return judge(ask())
    except (subprocess.SubprocessError, OSError):
        return [unknown(f"the Pulumi CLI does not answer within {SECONDS} s", "pulumi version")]


def _age(cli: str) -> Finding:
    oldest = ".".join(str(part) for part in OLDEST)
    if not (own := _numbers(cli)):
        return unknown(f"the Pulumi CLI does not tell its version; {oldest} or newer is needed", INSTALL)
    if own < OLDEST or own[0] > OLDEST[0]:
        return fails(f"the Pulumi CLI is {cli}; {oldest} or newer is needed, and no other than {OLDEST[0]}.x", INSTALL)
    return ready(f"the Pulumi CLI is {cli}")


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


def _run(path: str, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [path, *arguments],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
