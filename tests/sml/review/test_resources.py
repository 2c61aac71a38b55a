from __future__ import annotations

from sml.review.difference import Changed, Resource
from sml.review.inputs import edits
from sml.review.report import Report
from sml.review.resources import NAMED, OPEN, resource_sections
from sml.review.text import text
from tests.sml.review.made import changed, difference


def resource(name: str, kind: str = "Thing", component: str = "Part one") -> Resource:
    return Resource(urn=f"urn:{name}", type=f"cloud:a/b:{kind}", name=name, component=component, inputs={})


def told(**parts: object) -> list[str]:
    sections = tuple(resource_sections(difference(**parts)))  # ty: ignore[invalid-argument-type]
    return text(Report(stack="prod", first=(), changed=True, sections=sections)).splitlines()[1:]


def test_resources_with_the_same_edits_are_one_row() -> None:
    same = [
        changed(resource(f"thing-{number}", component=f"Part {number}"), {"days": 90}, {"days": 30})
        for number in range(3)
    ]
    other = changed(resource("other"), {"days": 90}, {"days": 7})
    assert told(changed=[*same, other]) == [
        "Changed: 4 resources:",
        "  thing-0 Thing, thing-1 Thing, thing-2 Thing  3 components  days 90 -> 30",
        "  other Thing  Part one  days 90 -> 7",
    ]


def test_of_many_those_are_named_that_hold_something() -> None:
    many = [changed(resource(f"thing-{number}"), {"at": "a"}, {"at": "b"}) for number in range(NAMED + 2)]
    bucket = changed(resource("models", "Bucket"), {"at": "a"}, {"at": "b"})
    (_, line) = told(changed=[*many, bucket])
    assert line.startswith("  models Bucket, thing-0 Thing, ")
    assert "and 3 more  Part one  at a -> b" in line


def test_what_only_the_content_of_files_changes_is_one_row_behind_the_others() -> None:
    code = [
        Changed(resource=resource(f"code-{name}"), edits=tuple(edits({"k": f"{'a' * 64}"}, {"k": f"{'b' * 64}"})))
        for name in "ab"
    ]
    assert told(changed=[*code, changed(resource("other"), {"days": 90}, {"days": 7})])[1:] == [
        "  other Thing  Part one  days 90 -> 7",
        "  code-a Thing, code-b Thing  Part one  only what files hold, such as code",
    ]


def test_what_is_removed_and_holds_something_comes_first_and_is_never_folded() -> None:
    gone = [resource(f"thing-{number}", component=f"Part {number}") for number in range(OPEN + 1)]
    found = difference(removed=[*gone, resource("models", "Bucket"), resource("jobs", "Queue", "")])
    lost, removed = resource_sections(found)
    assert (lost.strong, lost.folded, removed.folded) == (True, False, True)
    assert ["".join(line) for line in lost.lines] == ["models Bucket of Part one", "jobs Queue"]
    assert [one.name for one in found.lost] == ["models", "jobs"]


def test_no_difference_is_no_section() -> None:
    assert told() == []
    assert difference().empty
