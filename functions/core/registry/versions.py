"""The model registry: immutable versions named by their content, and the record of every run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from functions.core.runtime.background import Background
from functions.core.runtime.digest import sha256, sha256_and_longer
from functions.core.storage.objects import Conflict, Missing, Objects, canonical
from interface import layout
from models.feature import Feature
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.onnx.tensor import Memory

FORMAT = 2
"""Of what is written. Format 1 is read, too: a name of it covers model.onnx and what its answers mean, and no more."""
LARGEST = 500_000_000
"""The most bytes of a model.onnx that is loaded."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
"""The name of a model."""
_TRAINED = ("task", "features", "target", "input", "outputs", "interval")
_MEANING = {
    1: {"classification": ("features", "target"), "finished": ("scores", "columns")},
    2: {
        "classification": _TRAINED,
        "regression": _TRAINED,
        "forecasting": (*_TRAINED, "series"),
        "finished": ("task", "scores", "columns"),
    },
}
"""By format, the parts of a card that say what a model's answers mean, by its task: the ONNX file does not."""
DIGEST = re.compile(r"[0-9a-f]{16}")
"""The name of a version or a run."""


class Corrupt(Exception):
    """An object of the registry is not what its name or its record says. It must not be served."""


def digest_of(*parts: bytes) -> str:
    """Return 16 hexadecimal digits that name these parts, each with its length."""
    counted = [piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)]
    return sha256(*counted).hex()[:16]


def version_of(onnx: Memory, card: Mapping[str, Any], golden: Mapping[str, Any]) -> str:
    """Return the name of a version: the same file, meaning by its card, and golden answers are the same version."""
    return _name(sha256(onnx), card, canonical(dict(golden)))


def _name(onnx_digest: bytes, card: Mapping[str, Any], golden: bytes) -> str:
    return digest_of(b"version 2", onnx_digest, _meaning(card, FORMAT), golden)


def _meaning(card: Mapping[str, Any], card_format: int) -> bytes:
    """Return what a card says its model's answers mean. Raise `KeyError` for a card that lacks a part of it."""
    return canonical({part: card[part] for part in _MEANING[card_format][card["task"]] if part in card})


def _record_of(stored: bytes) -> dict[str, Any] | None:
    """Return the record of a run from its bytes; None where they are not one."""
    try:
        record = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def features_of(card: Mapping[str, Any]) -> tuple[Feature, ...]:
    """Return the features that a card declares, in the model's order."""
    return tuple(map(Feature.parse, card["features"]))


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
    has a card is whole, and never changes. Its name is made of all that it means, and
    made again whenever it is loaded.
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
        version, sha256, bytes and the digests of the files `extras` are filled in. Raise `Corrupt` where what the store
        gives back is not what was written.
        """
        version = version_of(onnx, card, golden)
        if self._is_whole(version):
            return version
        proof, digest = canonical(dict(golden)), sha256(onnx).hex()
        facts = {"format": FORMAT, "model": self.model, "version": version, "sha256": digest, "bytes": len(onnx)}
        whole = {**card, **facts, "files": {name: sha256(data).hex() for name, data in extras.items()}}
        self._objects.put(self.key(version, "model.onnx"), onnx)
        self._objects.put(self.key(version, "golden.json"), proof)
        for name, data in extras.items():
            self._objects.put(self.key(version, name), data)
        written = [self._objects.get(self.key(version, name)) for name in ("model.onnx", "golden.json")]
        self._prove(version, whole, *written)
        key = self.key(version, "card.json")
        if not self._objects.create_json(key, whole) and not self._is_whole(version):
            self._objects.put_json(key, whole)  # what lay there was damaged, and this is what its name says
        return version

    def _is_whole(self, version: str) -> bool:
        try:
            self.load(version)
        except (Missing, Corrupt):
            return False
        return True

    def card(self, version: str) -> dict[str, Any] | None:
        """Return the card of a version; None where it is not registered. Raise `Corrupt` where it is no card."""
        key = self.key(version, "card.json")
        content = self._objects.find(key)
        return None if content is None else _object(key, content)

    def versions(self) -> list[str]:
        """Return the name of every version, also of one that is not whole, sorted."""
        folder = f"{self.model}/{layout.VERSIONS}"
        return sorted({key.removeprefix(folder).split("/")[0] for key in self._objects.keys(folder)})

    def load(self, version: str) -> Version:
        """Load a version, and check that its name is that of its content. Raise `Missing` or `Corrupt`."""
        # All three at once: a store far away takes long to begin to answer, and a first caller waits for it.
        model = Background(lambda: self._objects.lend(self.key(version, "model.onnx"), at_most=LARGEST))
        proof = Background(lambda: self._objects.get(self.key(version, "golden.json")))
        card = self.card(version)
        if card is None:
            raise Missing(f"{self.model} has no version {version}")
        try:
            onnx, golden = model.result(), proof.result()
        except Missing as gone:
            raise Corrupt(f"{gone} is gone, though the version has a card") from None
        self._prove(version, card, onnx, golden)
        answers = _object(self.key(version, "golden.json"), golden)
        return Version(model=self.model, version=version, onnx=onnx, card=card, golden=answers)

    def _prove(self, version: str, card: Mapping[str, Any], onnx: Memory, golden: bytes) -> None:
        """Make the version's name again of its parts. Raise `Corrupt` where it is another."""
        where, card_format = self.key(version, "card.json"), card.get("format")
        if card_format not in _MEANING:
            raise Corrupt(f"{where}: this release reads formats {', '.join(map(str, _MEANING))}")
        try:
            meaning = _meaning(card, card_format)
        except (KeyError, TypeError):
            raise Corrupt(f"{where} does not say what the model's answers mean") from None
        digest, longer = sha256_and_longer(onnx, meaning)
        if digest.hex() != card.get("sha256"):
            of_card = str(card.get("sha256"))[:16]
            raise Corrupt(f"{self.key(version, 'model.onnx')} is not the file whose SHA-256 begins with {of_card}")
        name = longer.hex()[:16] if card_format == 1 else _name(digest, card, golden)
        if name != version:
            parts = "card.json" if card_format == 1 else "card.json or golden.json"
            raise Corrupt(f"{self.key(version, '')}{parts} is not that of this version: its content is named {name}")

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


def _object(key: str, content: bytes) -> dict[str, Any]:
    """Return the JSON object in an object of the store. Raise `Corrupt` for anything else."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Corrupt(f"{key} is not a JSON object")
    return document
