"""The sections on what a preview tells besides resources: settings, limits, quotas, sizes of archives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sml.review.inputs import Edit, edits
from sml.review.report import Line, Section, Table, Words, cell
from sml.review.shown import shown_edits, value

MB = 1_000_000
PLACES = (":region", ":project", ":zone")
"""How the keys end that say where a stack is."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the previews of both sides tell; each may be empty, where a commit does not tell."""

    base: Mapping[str, Any]
    head: Mapping[str, Any]

    @property
    def moved(self) -> tuple[Edit, ...]:
        """What says that the stack is at another place: another region or project."""
        return tuple(edit for edit in self._config("config") if edit.path.endswith(PLACES))

    @property
    def differ(self) -> bool:
        """Whether anything that both tell differs, but for when it was read."""
        return bool(self.base) and bool(self.head) and any((*self.settings(), *self.sections()))

    def first(self) -> Iterator[Words]:
        """Yield what the first line says of limits and quotas."""
        if verdicts := _verdicts(self.head):
            yield Words(f"limits {sum(one['kept'] is True for one in verdicts.values())}/{len(verdicts)}")
        if wanted := sum(not one["suffices"] for one in self.head.get("quotas") or []):
            yield Words(f"quotas to ask for {wanted}")

    def settings(self) -> Iterator[Section]:
        """Yield what the stack's file states otherwise, if anything."""
        if stated := (*self._config("config"), *self._config("settings")):
            yield Section(title=Words("Settings"), lines=shown_edits(stated), folded=False)

    def sections(self) -> Iterator[Section]:
        """Yield a section for each kind of figure that differs."""
        yield from self._section("Sizes of archives", "function", self._archives())
        yield from self._section("Limits", "limit", self._limits())
        yield from self._section("Quotas that a new account may lack", "quota", self._quotas())

    def _config(self, key: str) -> tuple[Edit, ...]:
        if not self.base or not self.head:
            return ()
        return tuple(edits(self.base.get(key, {}), self.head.get(key, {})))

    def _section(self, title: str, what: str, rows: Iterator[tuple[str, Line, str]]) -> Iterator[Section]:
        made = tuple((cell(name), cell(*change), cell(accepted)) for name, change, accepted in rows)
        if made:
            columns = (Words(what), Words("base -> head"), Words("accepted") if what == "limit" else Words(""))
            yield Section(title=Words(title), table=Table(columns=columns, rows=made))

    def _archives(self) -> Iterator[tuple[str, Line, str]]:
        base, head = self.base.get("archives") or {}, self.head.get("archives") or {}
        for name in sorted({*base, *head}):
            one, other = base.get(name), head.get(name)
            if base and one != other:
                yield name, (_mb(one), Words(" -> "), _mb(other)), Words("")

    def _limits(self) -> Iterator[tuple[str, Line, str]]:
        base, head = _verdicts(self.base), _verdicts(self.head)
        for key in [*head, *(key for key in base if key not in head)]:
            one, other = base.get(key), head.get(key)
            if base and (one is None or other is None or one["value"] != other["value"]):
                said = other or one or {}
                yield f"{key[0]}: {key[1]}", (_value(one), Words(" -> "), _value(other)), str(said.get("accepted", ""))

    def _quotas(self) -> Iterator[tuple[str, Line, str]]:
        base, head = _quotas_of(self.base), _quotas_of(self.head)
        for name in [*head, *(name for name in base if name not in head)]:
            one, other = base.get(name), head.get(name)
            if self.base and _wanted(one) != _wanted(other):
                usual = Words(f"{_number((other or one or {})['usual'])} usual")
                yield name, (_wanted(one), Words(" -> "), _wanted(other)), usual


def _verdicts(preview: Mapping[str, Any]) -> dict[tuple[str, str, int], Mapping[str, Any]]:
    """Return the limits by where and what they are for; a number tells those apart that are called the same."""
    found: dict[tuple[str, str, int], Mapping[str, Any]] = {}
    for one in (preview.get("limits") or {}).get("verdicts", []):
        where, what = str(one["where"]), str(one["what"])
        found[where, what, sum(key[:2] == (where, what) for key in found)] = one
    return found


def _quotas_of(preview: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(one["name"]): one for one in preview.get("quotas") or []}


def _wanted(quota: Mapping[str, Any] | None) -> str:
    return Words("none") if quota is None else f"{_number(quota['wanted'])} {quota['unit']}"


def _value(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return Words("none")
    found = verdict["value"]
    return Words(f"{found:,}") if isinstance(found, int) else value(found)


def _number(found: object) -> str:
    return f"{found:,.10g}" if isinstance(found, int | float) else value(found)


def _mb(archive: Mapping[str, Any] | None) -> str:
    if archive is None:
        return Words("none")
    size, unpacked = (float(archive[key]) / MB for key in ("bytes", "unpacked_bytes"))
    return Words(f"{size:.2f} MB, {unpacked:.2f} unpacked")
