from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from localcloud.commands import registry
from localcloud.commands.control import FILE, Control
from localcloud.commands.progress import Progress
from tests.loop.running import MODEL, Running

LIVE = f"{MODEL}/live.json"


def test_a_lost_pointer_is_told_and_made_anew_in_a_running_stack(running: Running, tmp_path: Path) -> None:
    """Other tests leave damaged versions that are not live: here the pointer alone counts."""
    before = running.live()

    def verify(champion: str | None = None) -> str:
        said = io.StringIO()
        progress = Progress(Console(file=said, width=500))
        repair = champion is not None
        code = registry.main(progress, tmp_path, "verify", MODEL, None, repair=repair, champion=champion)
        assert code == int("fault " in said.getvalue()), said.getvalue()
        return said.getvalue()

    with Control(tmp_path / FILE, {"registry": lambda _: registry.entrance(running.stack)}):
        assert LIVE not in verify()
        running.models.put(LIVE, b"garbage")
        try:
            assert f"fault     {LIVE} is not a live pointer; copies that run go on with what they have" in verify()
            assert f"mended    {LIVE} is written anew: {before['champion']} is the champion" in verify(
                before["champion"]
            )
            after: dict[str, Any] = running.live()
            assert (after["champion"], after["history"][-1]["event"]) == (before["champion"], "rebuilt")
        finally:
            running.models.put(LIVE, json.dumps(before).encode())
