from __future__ import annotations

import json
from typing import Any

from tests.loop.running import MODEL, Running

LIVE = f"{MODEL}/live.json"


def test_a_lost_pointer_is_told_and_made_anew_in_a_running_stack(running: Running) -> None:
    """Other tests leave damaged versions that are not live: here the pointer alone counts."""
    before = running.live()

    def verify(*options: str) -> str:
        said = running.sml("registry", "verify", MODEL, *options)
        assert said.code == int("fault " in said.out), said
        return said.out

    assert LIVE not in verify()
    running.models.put(LIVE, b"garbage")
    try:
        assert f"fault     {LIVE} is not a live pointer; copies that run go on with what they have" in verify()
        mended = f"mended    {LIVE} is written anew: {before['champion']} is the champion"
        assert mended in verify("--repair", "--champion", before["champion"])
        after: dict[str, Any] = running.live()
        assert (after["champion"], after["history"][-1]["event"]) == (before["champion"], "rebuilt")
    finally:
        running.models.put(LIVE, json.dumps(before).encode())
