"""Google's APIs, asked with the credentials that its own tools find, or those of an embedded cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials

from sml.mistake import Mistake, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
PATIENCE_SECONDS = 30


def ask(
    what: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    method: str | None = None,
    entrance: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what an API of Google's says at a host and path; `entrance` leads to an embedded cloud.

    Raise `Unreachable` without credentials, and `Mistake` for a refusal.
    """
    address = f"{entrance['endpoint']}/{path}" if entrance else f"https://{path}"
    try:
        with AuthorizedSession(_credentials(entrance)) as session:
            verb = method or ("GET" if body is None else "POST")
            response = session.request(verb, address, json=body, timeout=PATIENCE_SECONDS)
    except (GoogleAuthError, OSError) as problem:
        raise Unreachable(f"GCP could not be asked to {what}: {' '.join(str(problem).split())[:300]}") from None
    if response.status_code == 401:
        raise Unreachable(f"GCP refused to {what}: the credentials are not accepted")
    if not response.ok:
        said = " ".join(response.text.split())[:300]
        raise Mistake(f"GCP refused to {what}: {response.status_code} {said}")
    return response.json()


def _credentials(entrance: Mapping[str, str] | None) -> Any:
    return Credentials(token=entrance["token"]) if entrance else google.auth.default(scopes=[SCOPE])[0]
