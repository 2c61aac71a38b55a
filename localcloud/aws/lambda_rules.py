"""Has the embedded AWS refuse what Lambda refuses: what nobody may do, and calls that find no copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACTIONS: Mapping[str, Mapping[str, str]] = {
    "account-settings": {"GET": "GetAccountSettings"},
    "concurrency": {
        "GET": "GetFunctionConcurrency",
        "PUT": "PutFunctionConcurrency",
        "DELETE": "DeleteFunctionConcurrency",
    },
    "provisioned-concurrency": {
        "GET": "GetProvisionedConcurrencyConfig",
        "PUT": "PutProvisionedConcurrencyConfig",
        "DELETE": "DeleteProvisionedConcurrencyConfig",
    },
}
"""By the last part of a path and the method."""
OF_A_MAPPING = {
    "GET": "GetEventSourceMapping",
    "PUT": "UpdateEventSourceMapping",
    "DELETE": "DeleteEventSourceMapping",
}


def check(actions: Any) -> None:
    """Have the emulator's module check them. Raise `SystemExit` for another version of it than the one that is pinned.

    It lets everybody read the account's settings, change a mapping, and keep copies ready; whoever may set a function's
    concurrency may read and delete it there, too.
    """
    if not hasattr(actions, "_lambda_action"):
        raise SystemExit(
            f"{actions.__name__} knows no action of Lambda: this ministack is not the one in requirements/"
        )
    known = actions._lambda_action

    def action(method: str, path: str) -> str | None:
        parts = [part for part in path.split("/") if part]
        if parts[-2:-1] == ["event-source-mappings"]:
            return OF_A_MAPPING.get(method)
        return ACTIONS.get(parts[-1] if parts else "", {}).get(method) or known(method, path)

    actions._lambda_action = action


def bound(functions: Any) -> None:
    """Have reserved concurrency bound calls by a version or an alias, too.

    The emulator keeps it with the function, and looks for it with what is called.
    """
    known = functions._reserved_concurrency

    def reserved(func: Mapping[str, Any], config: Mapping[str, Any]) -> int | None:
        found = functions._functions.get(config.get("FunctionName"))
        return known(found or func, config)

    functions._reserved_concurrency = reserved
