"""What a rollback by an operator leaves on the run whose version it took away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.runs import Status

if TYPE_CHECKING:
    from functions.core.registry.pointer import Pointer
    from functions.core.registry.versions import Registry


def note_rolled_back(registry: Registry, pointer: Pointer, execution: str, reason: str) -> None:
    """Have the run that was promoted say that its version is the champion no more.

    So that runs alone tell what is live: docs/releases.md. `pointer` is that after the rollback of `execution`.
    """
    entry = pointer.last(execution)
    promoted = [found for found in pointer.history if found.event == "promoted"]
    run = next((found.run for found in reversed(promoted) if entry and found.version == entry.version), None)

    def note(record: dict[str, Any]) -> dict[str, Any]:
        was = record.get("status") == Status.PROMOTED
        return record | ({"status": Status.ROLLED_BACK, "cause": f"rolled back: {reason}"} if was else {})

    if run is not None:
        registry.update_run(run, note)
