"""Builds a function from its archive as Cloud Build does: unpacks it and installs its locked requirements."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from localcloud.engine.cloud import CloudFailed
from localcloud.engine.environment import environment, run
from localcloud.engine.stack_file import ROOT
from localcloud.support.ports import LOOPBACK

CACHE = ROOT / ".local" / "gcp"
REQUIREMENTS = "requirements.txt"
TARGET = "handle"
"""The name of the function in `main.py`."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """A function that is ready to run."""

    source: Path
    """The folder that the archive was unpacked into."""
    python: Path
    """The interpreter of an environment that holds the archive's requirements and nothing else."""

    def command(self, port: int) -> list[str]:
        """Return the command that serves the function under functions-framework on a loopback port.

        The framework takes its other settings from environment variables, as in the cloud.
        """
        start = [str(self.python), "-m", "functions_framework", "--target", TARGET, "--signature-type", "http"]
        return [*start, "--source", str(self.source / "main.py"), "--host", LOOPBACK, "--port", str(port)]


def build(archive: Path, folder: Path, *, cache: Path = CACHE) -> Build:
    """Unpack an archive into `folder`, and find or create the environment of its requirements.

    Archives with the same lock share one environment, `<cache>/<digest of the lock>`, which is
    created once. Raises `CloudFailed` for an archive without `main.py` or requirements, and for
    a lock that cannot be installed, with the installer's output.
    """
    with zipfile.ZipFile(archive) as packed:
        for name in ("main.py", REQUIREMENTS):
            if name not in packed.namelist():
                raise CloudFailed(f"{archive.name}: holds no {name}, which the build looks for")
        packed.extractall(folder)
    python = environment(archive.name, folder / REQUIREMENTS, cache)
    run([str(python), "-I", "-m", "compileall", "-f", "-q", "."], f"{archive.name}: cannot be compiled", folder)
    return Build(source=folder, python=python)
