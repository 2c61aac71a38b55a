from __future__ import annotations

import io

import pytest

from functions.core.runtime import frames

MESSAGES = [(b"a", "fit, fold 1 of 5", b""), (b"d", {"sizes": [3, 0]}, b"xyz"), (b"e", None, b"")]


def written() -> bytes:
    out = io.BytesIO()
    for kind, head, payload in MESSAGES:
        frames.write(out, kind, head, payload)
    return out.getvalue()


def test_messages_are_read_as_they_were_written() -> None:
    pipe = io.BytesIO(written())
    assert [frames.read(pipe) for _ in MESSAGES] == MESSAGES
    assert frames.read(pipe) is None


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_pieces_of_any_size_are_the_same_messages(size: int) -> None:
    whole, inbox = written(), frames.Inbox()
    found = [frame for at in range(0, len(whole), size) for frame in inbox.add(whole[at : at + size])]
    assert found == MESSAGES


@pytest.mark.parametrize("missing", [1, 3, 10])
def test_a_message_that_is_not_whole_is_none(missing: int) -> None:
    out = io.BytesIO()
    frames.write(out, b"d", {"sizes": [3]}, b"xyz")
    assert frames.read(io.BytesIO(out.getvalue()[:-missing])) is None
    assert list(frames.Inbox().add(out.getvalue()[:-missing])) == []
