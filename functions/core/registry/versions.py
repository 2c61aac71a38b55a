"""The model registry: immutable versions named by their content, and the record of every run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from functions.core.runtime.background import Background
from functions.core.runtime.digest import sha256
from functions.core.storage.objects import Conflict, Missing, Objects, canonical
from interface import layout
from models.feature import Feature
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.onnx.tensor import Memory

FORMAT = 1
LARGEST = 500_000_000
"""The most bytes of a model.onnx that is loaded."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
"""The name of a model."""
_MEANING = {"classification": ("features", "target"), "finished": ("scores", "columns")}
"""The parts of a card that say what a model's answers mean, by its task: the ONNX file does not."""
DIGEST = re.compile(r"[0-9a-f]{16}")
"""The name of a version or a run."""


class Corrupt(Exception):
    """The bytes of a version are not those that its card names. It must not be served."""


def digest_of(*parts: bytes) -> str:
    """Return 16 hexadecimal digits that name these parts, each with its length."""
    counted = [piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)]
    return sha256(*counted).hex()[:16]


def version_of(onnx: Memory, card: Mapping[str, Any]) -> str:
    """Return the name of a version: the same file of the same meaning, by its card, is the same version."""
    meaning = {part: card[part] for part in _MEANING[card["task"]] if part in card}
    return sha256(onnx, canonical(meaning)).hex()[:16]


def _record_of(stored: bytes) -> dict[str, Any] | None:
    """Return the record of a run from its bytes; None where they are not one."""
    try:
        record = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def features_of(card: Mapping[str, Any]) -> tuple[Feature, ...]:
    """Return the features that a card declares, in the model's order."""
    return tuple(_feature(entry) for entry in card["features"])


def _feature(entry: Mapping[str, Any]) -> Feature:
    fields: dict[str, Any] = {**entry, "categories": tuple(entry.get("categories", ()))}
    return Feature(**fields)


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a model, as it is registered or loaded."""

    model: str
    version: str
    onnx: Memory
    card: dict[str, Any]
    golden: dict[str, Any]


class Registry:
    """Versions and runs of one model.

    A version is written object by object, verified, and its card last: a version that
    has a card is whole, and never changes.
    """

    def __init__(self, objects: Objects, model: str) -> None:
        if not NAME.fullmatch(model):
            raise ValueError("a model's name has lower-case letters, digits and _, begins with a letter, at most 48")
        self._objects = objects
        self.model = model

    def key(self, version: str, name: str) -> str:
        return f"{self.model}/{layout.VERSIONS}{version}/{name}"

    def register(
        self, onnx: Memory, card: Mapping[str, Any], golden: Mapping[str, Any], extras: Mapping[str, bytes]
    ) -> str:
        """Write a version and return its name. Registering it again changes nothing.

        `card` holds at least `task` and what opening a version of it reads; format, model,
        version, sha256 and bytes are filled in. Raise `Corrupt` where what the store
        gives back is not what was written.
        """
        version = version_of(onnx, card)
        digest = sha256(onnx).hex()
        if self.card(version) is None:
            self._objects.put(self.key(version, "model.onnx"), onnx)
            self._objects.put_json(self.key(version, "golden.json"), dict(golden))
            for name, data in extras.items():
                self._objects.put(self.key(version, name), data)
            self._verify(version, self._objects.get(self.key(version, "model.onnx")), digest)
            facts = {"format": FORMAT, "model": self.model, "version": version, "sha256": digest, "bytes": len(onnx)}
            self._objects.create_json(self.key(version, "card.json"), {**card, **facts})
        return version

    def card(self, version: str) -> dict[str, Any] | None:
        """Return the card of a version; None where it is not registered."""
        return self._objects.find_json(self.key(version, "card.json"))

    def load(self, version: str) -> Version:
        """Load a version, and check its bytes against its card. Raise `Missing` or `Corrupt`."""
        # All three at once: a store far away takes long to begin to answer, and a first caller waits for it.
        model = Background(lambda: self._objects.lend(self.key(version, "model.onnx"), at_most=LARGEST))
        proof = Background(lambda: self._objects.get_json(self.key(version, "golden.json")))
        card = self.card(version)
        if card is None:
            raise Missing(f"{self.model} has no version {version}")
        if card.get("format") != FORMAT:
            raise Corrupt(f"{self.key(version, 'card.json')}: this release reads format {FORMAT}")
        try:
            onnx, golden = model.result(), proof.result()
        except Missing as gone:
            raise Corrupt(f"{gone} is gone, though the version has a card") from None
        self._verify(version, onnx, card["sha256"])
        return Version(model=self.model, version=version, onnx=onnx, card=card, golden=golden)

    def _verify(self, version: str, onnx: Memory, digest: str) -> None:
        if sha256(onnx).hex() != digest:
            raise Corrupt(f"{self.key(version, 'model.onnx')} is not the file whose SHA-256 begins with {digest[:16]}")

    def run_key(self, run: str, name: str) -> str:
        return f"{self.model}/{layout.RUNS}{run}/{name}"

    def read_run(self, run: str) -> dict[str, Any] | None:
        """Return the record of a run; None where there is none, or it is damaged."""
        stored = self._objects.find(self.run_key(run, "run.json"))
        return None if stored is None else _record_of(stored)

    def write_run(self, run: str, record: Mapping[str, Any]) -> None:
        """Write the record of a run, whatever it was before."""
        self._objects.put_json(self.run_key(run, "run.json"), dict(record))

    def update_run(self, run: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> dict[str, Any]:
        """Change a run's record as it stands, empty at first, and return it. No change of another writer is lost.

        A record that is damaged counts as empty, and is written anew.
        """
        key = self.run_key(run, "run.json")
        while True:
            stored = self._objects.read(key)
            before = {} if stored is None else _record_of(stored[0])
            after = dict(change(dict(before or {})))
            if after == before:
                return after
            if stored is None:
                if self._objects.create_json(key, after):
                    return after
                continue
            try:
                self._objects.replace_json(key, after, stored[1])
            except Conflict:
                continue
            return after
