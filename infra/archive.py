"""What a function's archive is: how it is packed, for which platform, and its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Packing:
    """What a function's archive holds besides our sources."""

    built: bool
    """Whether the cloud's build installs the requirements: their complete lock is then in the archive, as
    requirements.txt. Otherwise the packages are in it themselves, installed for the target."""
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Other files that the cloud looks for, by path."""
    provides: tuple[str, ...] = ()
    """Modules of the cloud's own runtime that no lock holds."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A function's code, ready to upload. Same digest, same bytes."""

    path: Path
    digest: str
    """SHA-256 of the file, hexadecimal."""
    size: int
    """Bytes of the file."""
    unpacked: int
    """Bytes on disk once unpacked, without what a build installs."""
    uncompiled: tuple[str, ...] = ()
    """What was wrong with each source that the compiler left as it is."""
    stand_in: bool = False
    """Whether it is empty, because the cloud is of tier preview: see `infra.tier`."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The interpreter and the processor that functions run on."""

    python: str
    """Major and minor version: "3.13"."""
    architecture: str
    """x86_64 or arm64."""
    wheels: str | None
    """The platform tag whose wheels are installed; None takes this machine's own."""
    compiler: str | None = None
    """The exact version of the interpreter that compiles archives; None leaves them as sources."""
