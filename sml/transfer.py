"""The very version of one stack in the registry of another: copied by content, with where it came from beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import Corrupt, Registry
from functions.core.runtime.digest import sha256
from functions.core.selection.compatibility import broken
from functions.core.storage.objects import Forbidden, Missing, Objects, canonical
from interface import layout
from sml.clouds import write_permission
from sml.mistake import Mistake
from sml.person import person

if TYPE_CHECKING:
    from sml.stack import Stack

NEEDED = ("model.onnx", "golden.json")
CARD = "card.json"
Files = dict[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A version of `model` on its way from one stack to another."""

    source: Stack
    target: Stack
    model: str
    version: str

    def check(self, *, accept_changes: bool) -> None:
        """Raise `Mistake` for a version that the other stack does not take: it is live there, or clients would notice.

        With `accept_changes` clients may have to send something else, or get it.
        """
        pointer = self.target.records(self.model).live()
        what = f"version {self.version} of {self.model}"
        if pointer.champion == self.version:
            raise Mistake(f"{what} is live already in the stack {self.target.name}")
        if pointer.release is not None and pointer.release.version == self.version:
            raise Mistake(f"{what} is being released already in the stack {self.target.name}")
        if pointer.champion is None or accept_changes:
            return
        try:
            live, card = (
                Registry(stack.registry, self.model).card(version)
                for stack, version in ((self.target, pointer.champion), (self.source, self.version))
            )
            changes = broken(live, card) if live and card else []
        except (Corrupt, LookupError, TypeError, AttributeError):
            raise Mistake(
                f"{what} cannot be compared with {pointer.champion}, which is live in {self.target.name}:"
                f" `{self.target.typed('registry', 'verify')}`, or for {self.source.name}"
                f" `{self.source.typed('registry', 'verify')}`, says what is damaged; --accept-changes does without"
            ) from None
        if changes:
            raise Mistake(
                f"clients of {pointer.champion}, which is live in {self.target.name}, send or get something else than"
                f" with {self.version}: {'; '.join(changes)}; accepted, if they know: --accept-changes"
            )

    def copy(self, reason: str = "") -> bool:
        """Copy the version, and return whether it was not there yet. Copying it again changes nothing.

        `reason` is kept with where it came from.

        Raise `Mistake` where it is damaged here or there, or the other stack's registry may not be written.
        """
        files, registry = self._files(), Registry(self.target.registry, self.model)
        was_there = self._is_there()
        if not was_there:
            # The card comes last: a version that has one is whole.
            for name in (*(name for name in files if name != CARD), CARD):
                self._write(name, files[name])
            try:
                registry.load(self.version)
            except (Corrupt, Missing) as problem:
                raise Mistake(f"{self.target.name} does not hold what was written to it: {problem}") from None
        # One that was registered there, too, has a card of its own, and comes from there.
        if self.target.registry.find(registry.key(self.version, CARD)) == files[CARD]:
            self._write(layout.ORIGIN, canonical(self._origin(reason)), keep=True)
        return not was_there

    def _files(self) -> Files:
        """Return the version's files. Raise `Mistake` where they are not what its name was made of."""
        folder = self.source.registry
        registry = Registry(folder, self.model)
        try:
            card = registry.card(self.version) or {}
            names = (*NEEDED, *(card.get("files") or {}), CARD)
            files = {name: folder.get(registry.key(self.version, name)) for name in names}
            apart = Objects.in_memory()
            for name, content in files.items():
                apart.put(registry.key(self.version, name), content)
            # What is proven is what is copied, and not what is read once more.
            proven = Registry(apart, self.model).load(self.version).card
            odd = [name for name, digest in (proven.get("files") or {}).items() if sha256(files[name]).hex() != digest]
        except (Corrupt, Missing, AttributeError, TypeError) as problem:
            odd = [str(problem)]
        if odd:
            raise Mistake(
                f"version {self.version} of {self.model} is damaged in the stack {self.source.name}: {', '.join(odd)};"
                f" `{self.source.typed('registry', 'verify', self.model)}` says more"
            )
        return files

    def _is_there(self) -> bool:
        """Return whether the other stack has the version already. Raise `Mistake` where it has it, and not whole."""
        try:
            Registry(self.target.registry, self.model).load(self.version)
        except Missing:
            return False
        except Corrupt as problem:
            raise Mistake(
                f"the stack {self.target.name} has a version {self.version} of {self.model} that is damaged: {problem};"
                f" `{self.target.typed('registry', 'verify', self.model, '--repair')}` may mend it"
            ) from None
        return True

    def _write(self, name: str, content: bytes, *, keep: bool = False) -> None:
        """Write a file of the version unless it is there. Raise `Mistake` where another is there, unless it is kept."""
        store, key = self.target.registry, Registry(self.target.registry, self.model).key(self.version, name)
        try:
            if store.create(key, content) or keep or store.find(key) == content:
                return
        except Forbidden:
            permission = write_permission(self.target.scheme, str(self.target.outputs["models_url"]), key)
            raise Mistake(
                f"the registry of the stack {self.target.name} may not be written: {permission} is missing"
            ) from None
        raise Mistake(f"{key} holds something else already in the stack {self.target.name}: nothing is overwritten")

    def _origin(self, reason: str) -> dict[str, Any]:
        """Return where the version comes from, and what is known there of how it came to be."""
        records = self.source.records(self.model)
        card, who = records.version(self.version), person(self.target)
        before = self.source.registry.find_json(f"{self.model}/{layout.VERSIONS}{self.version}/{layout.ORIGIN}")
        known = {name: card.get(name) for name in ("run", "dataset", "created") if card.get(name)}
        return {
            "stack": self.source.name,
            "store": str(self.source.outputs["models_url"]),
            **known,
            "was_live": records.live().champion == self.version,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "by": who.by,
            "known_by": who.known_by,
            "reason": " ".join(reason.split()),
            **({"origin": before} if isinstance(before, dict) else {}),
        }
