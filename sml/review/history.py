"""The history of this project, as git tells it: commits, what changed between them, and their files."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sml.mistake import Mistake

SHORT = 10
"""Digits of a commit's name that people read."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit, or the files as they are here."""

    sha: str
    """Of the working tree, the commit below it."""
    edited: int | None = None
    """Of the working tree, how many files differ from that commit; None for a commit."""

    @property
    def here(self) -> bool:
        """Whether it is the working tree."""
        return self.edited is not None

    @property
    def said(self) -> str:
        """How people read it: `3f2a1b9c0d`, or `3f2a1b9c0d with 2 edited files`."""
        name = self.sha[:SHORT]
        return name if not self.edited else f"{name} with {self.edited} edited file{'s' * (self.edited != 1)}"


class History:
    """Asks git about the project in a folder. Nothing of the repository is written, and no hook runs."""

    def __init__(self, root: Path) -> None:
        """Raise `Mistake` where there is no git, or no history."""
        self._root = root
        try:
            self._prefix = self._git("rev-parse", "--show-prefix").strip()
        except FileNotFoundError:
            raise Mistake("git is not installed, and a comparison needs the project's history") from None
        except subprocess.CalledProcessError as refused:
            raise Mistake(f"{root} has no git history to compare with: {_last(refused.stderr)}") from None

    def commit(self, revision: str) -> Commit:
        """Return the commit of a revision. Raise `Mistake` for one that is not known, or not in a shallow clone."""
        try:
            found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except subprocess.CalledProcessError:
            if self._git("rev-parse", "--is-shallow-repository").strip() == "true":
                raise Mistake(
                    f"{revision} is not in this shallow clone: fetch it (`git fetch --unshallow`; in a workflow "
                    "`fetch-depth: 0`)"
                ) from None
            raise Mistake(f"{revision} is no commit of this repository; accepted: a branch, a tag or a hash") from None
        return Commit(sha=found.strip())

    def working_tree(self) -> Commit:
        """Return the files as they are here. Raise `Mistake` where nothing was ever committed."""
        below = self.commit("HEAD")
        return Commit(sha=below.sha, edited=len(self.edited()))

    def edited(self) -> list[str]:
        """Return the files that differ from the last commit, new ones included."""
        return self._changed("HEAD") + self._new()

    def changed(self, base: Commit, head: Commit) -> list[str]:
        """Return the paths that differ between two commits, from the project's folder."""
        return self._changed(base.sha) + self._new() if head.here else self._changed(base.sha, head.sha)

    def missed(self, base: Commit, head: Commit) -> str | None:
        """Return where the two parted, if `base` has commits that `head` lacks; None if it has none."""
        try:
            parted = self._git("merge-base", base.sha, head.sha).strip()
        except subprocess.CalledProcessError:
            return None
        return None if parted == base.sha else parted[:SHORT]

    def write(self, commit: Commit, folder: Path) -> Path:
        """Write the files of a commit below a folder that is made, and return where the project is in it.

        By an index of its own: a worktree would be registered in the repository, and stay so when this is killed.
        """
        folder.mkdir(parents=True)
        index = {"GIT_INDEX_FILE": str(folder.with_suffix(".index"))}
        try:
            self._git("read-tree", commit.sha, environment=index)
            self._git("checkout-index", "--all", f"--prefix={folder}/", environment=index, at_top=True)
        except subprocess.CalledProcessError as refused:
            raise Mistake(f"{commit.said} cannot be read from the repository: {_last(refused.stderr)}") from None
        return folder / self._prefix

    def _changed(self, *commits: str) -> list[str]:
        return self._paths("diff", "--name-only", "--no-renames", "--relative", "-z", *commits, "--")

    def _new(self) -> list[str]:
        return self._paths("ls-files", "--others", "--exclude-standard", "-z")

    def _paths(self, *arguments: str) -> list[str]:
        return [path for path in self._git(*arguments).split("\0") if path]

    def _git(self, *arguments: str, environment: dict[str, str] | None = None, at_top: bool = False) -> str:
        folder = self._root if not at_top else Path(self._git("rev-parse", "--show-toplevel").rstrip("\n"))
        return subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],  # noqa: S607 - the git that is on PATH
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **(environment or {})},
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="surrogateescape",
        ).stdout


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["git says nothing"])[-1]
