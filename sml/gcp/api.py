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

    from sml.clouds import Way

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
USER = "https://openidconnect.googleapis.com/v1/userinfo"
"""Says whose token a request has: https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation."""
PATIENCE_SECONDS = 30


def ask(
    what: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    method: str | None = None,
    way: Way | None = None,
) -> dict[str, Any]:
    """Return what an API of Google's says at a host and path; `way` leads to an embedded cloud.

    Raise `Unreachable` without credentials, and `Mistake` for a refusal.
    """
    address = f"{way.endpoint if way else 'https:/'}/{path}"
    try:
        with AuthorizedSession(_credentials(way)) as session:
            verb = method or ("GET" if body is None else "POST")
            response = session.request(verb, address, json=body, timeout=PATIENCE_SECONDS)
    except (GoogleAuthError, OSError) as problem:
        raise Unreachable(f"GCP could not be asked to {what}: {' '.join(str(problem).split())[:300]}") from None
    if response.status_code == 401:
        raise Unreachable(f"GCP refused to {what}: the credentials are not accepted")
    if not response.ok:
        raise Mistake(f"GCP refused to {what}: {response.status_code} {_said(response)}")
    return response.json()


def who() -> str | None:
    """Return the address of the account that the environment's credentials are of; None where Google does not tell.

    Raise `Unreachable` without credentials.
    """
    try:
        credentials = google.auth.default()[0]
        if (account := _account_of(credentials)) is not None:
            return account
        with AuthorizedSession(credentials) as session:
            response = session.get(USER, timeout=PATIENCE_SECONDS)
    except (GoogleAuthError, OSError) as problem:
        raise Unreachable(f"GCP could not be asked who you are: {' '.join(str(problem).split())[:300]}") from None
    return _account_of(credentials) or (response.json().get("email") if response.ok else None)


def _account_of(credentials: Any) -> str | None:
    """Return the service account of credentials; that of a machine is known once they have a token."""
    address = getattr(credentials, "service_account_email", None)
    return address if address and "@" in address else None


def _credentials(way: Way | None) -> Any:
    """Return the credentials of the environment, or those of the embedded cloud."""
    return Credentials(token=way.options["bearer_token"]) if way else google.auth.default(scopes=[SCOPE])[0]


def _said(response: Any) -> str:
    """Return the sentence of a refusal: https://cloud.google.com/apis/design/errors#http_mapping."""
    try:
        text = response.json()["error"]["message"]
    except (ValueError, LookupError, TypeError):
        text = response.text
    return " ".join(str(text).split())[:300]
