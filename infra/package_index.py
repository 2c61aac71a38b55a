"""Where packages come from: the index that a company has set for pip or for uv, which installs them.

uv heeds its own variables and files, and nothing of pip's; pip's are passed on to it where uv has no word of
its own: https://docs.astral.sh/uv/pip/compatibility/. An index decides where a package is fetched and never
what is in it: every lock has the digests. No credentials are ever shown.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
IN_FILES_OF_UV = ("index", "index-url", "extra-index-url")
IN_PIP: Mapping[str, str] = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX"}
"""pip's options, each with the variable by which uv is told the same. Both name several by spaces."""
SECTIONS = ("global", "install")
"""Of pip's files, from the weakest: https://pip.pypa.io/en/stable/topics/configuration/."""
ETC = Path("/etc")
"""Where a machine has files for all of its users."""
CREDENTIALS = re.compile(r"(?<=://)[^\s/@]+@")


@dataclass(frozen=True, kw_only=True)
class PackageIndex:
    """An index that takes the place of the public one, or is asked before it."""

    hosts: tuple[str, ...] = ()
    """Empty for the public index alone."""
    named_by: str = ""
    """The variable, or the file and its key."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What uv has to be told, where pip's setting named it."""

    def __str__(self) -> str:
        return f"packages come from {', '.join(self.hosts)} ({self.named_by})" if self.hosts else ""


def find(environment: Mapping[str, str], folder: Path) -> PackageIndex:
    """Return the index that installs in `folder` use: uv's own word, or else pip's."""
    named = {name: environment[name] for name in OF_UV if environment.get(name)}
    if named:
        return PackageIndex(hosts=_hosts(named.values()), named_by=", ".join(named))
    for file in _files_of_uv(environment, folder):
        if urls := _urls_of_uv(file):
            return PackageIndex(hosts=_hosts(urls), named_by=_shown(file))
    return _pip(environment)


def without_credentials(text: str) -> str:
    """Return a text with the user and the password taken out of every URL in it."""
    return CREDENTIALS.sub("", text)


def _pip(environment: Mapping[str, str]) -> PackageIndex:
    options: dict[str, tuple[str, str]] = {}
    for file in _files_of_pip(environment):
        options |= _options(file)
    for option in (*IN_PIP, "cert"):
        name = f"PIP_{option.upper().replace('-', '_')}"
        if environment.get(name):
            options[option] = (environment[name], name)
    told = {variable: " ".join(options[name][0].split()) for name, variable in IN_PIP.items() if name in options}
    if not told:
        return PackageIndex()
    sources = dict.fromkeys(options[name][1] for name in IN_PIP if name in options)
    # pip takes a package from whichever index has it; uv by default from none but the first that knows its name.
    told["UV_INDEX_STRATEGY"] = environment.get("UV_INDEX_STRATEGY", "unsafe-best-match")
    if "cert" in options and not environment.get("SSL_CERT_FILE"):
        told["SSL_CERT_FILE"] = options["cert"][0]
    urls = [told[name] for name in IN_PIP.values() if name in told]
    return PackageIndex(hosts=_hosts(urls), named_by=", ".join(sources), environment=told)


def _options(file: Path) -> dict[str, tuple[str, str]]:
    """Return what a file of pip's says of indexes: each option's value, and where it stands."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    found: dict[str, tuple[str, str]] = {}
    for section in SECTIONS:
        for option, value in parser[section].items() if parser.has_section(section) else ():
            key = option.replace("_", "-")
            if value.strip() and (key in IN_PIP or key == "cert"):
                found[key] = (value.strip(), f"{key} in {_shown(file)}")
    return found


def _files_of_pip(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's files, from the weakest; a variable may name one more, or with os.devnull turn all of them off."""
    chosen = environment.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    home = Path(environment.get("HOME") or Path.home())
    own = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
        own = next((path for path in [home / "Library/Application Support"] if (path / "pip").is_dir()), own)
    for folder in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(folder, "pip", "pip.conf")
    yield ETC / "pip.conf"
    yield home / ".pip" / "pip.conf"
    yield own / "pip" / "pip.conf"
    yield Path(sys.prefix, "pip.conf")
    if chosen:
        yield Path(chosen)


def _files_of_uv(environment: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """Yield uv's files, from the strongest: https://docs.astral.sh/uv/concepts/configuration-files/."""
    if environment.get("UV_NO_CONFIG"):
        return
    if chosen := environment.get("UV_CONFIG_FILE"):
        yield Path(chosen)
        return
    for parent in (folder, *folder.parents):
        yield parent / "uv.toml"
        yield parent / "pyproject.toml"
    home = Path(environment.get("HOME") or Path.home())
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    for shared in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(shared, "uv", "uv.toml")
    yield ETC / "uv" / "uv.toml"


def _urls_of_uv(file: Path) -> list[str]:
    try:
        content: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if file.name == "pyproject.toml":
        content = content.get("tool", {}).get("uv", {})
    urls: list[str] = []
    for table in (content, content.get("pip", {})):
        for key in IN_FILES_OF_UV:
            value = table.get(key, [])
            for one in value if isinstance(value, list) else [value]:
                urls.append(str(one.get("url", "")) if isinstance(one, dict) else str(one))
    return [url for url in urls if url]


def _hosts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the host of each URL, once each; a folder is said to be one."""
    hosts: dict[str, None] = {}
    for text in texts:
        for url in text.split():
            plain = url.partition("=")[2] if re.match(r"[\w-]+=\w+:", url) else url
            hosts[urlsplit(plain).hostname or "a folder of this machine"] = None
    return tuple(hosts)


def _shown(file: Path) -> str:
    home = Path.home()
    return f"~/{file.relative_to(home).as_posix()}" if file.is_relative_to(home) else str(file)
