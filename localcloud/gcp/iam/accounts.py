"""Service accounts, and the tokens by which others know them."""

from __future__ import annotations

import secrets
import threading

AGENTS = {
    "pubsub.googleapis.com": "gcp-sa-pubsub",
    "storage.googleapis.com": "gs-project-accounts",
    "eventarc.googleapis.com": "gcp-sa-eventarc",
}
"""Where the accounts live that Google's own services act as:
https://cloud.google.com/iam/docs/service-agents"""


class Accounts:
    """The service accounts of one project.

    A token is a secret that only this object can read, like Google's access tokens; one that
    is asked for an audience is good for that audience alone, like Google's identity tokens.
    """

    def __init__(self, project: str, number: str) -> None:
        self.project = project
        self.number = number
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._issued: dict[tuple[str, str | None], str] = {}

    def create(self, account: str) -> str:
        """The address of a new account. Raises `ValueError` when there is one of that name."""
        email = f"{account}@{self.project}.iam.gserviceaccount.com"
        with self._lock:
            if email in self._known:
                raise ValueError(f"service account {email} exists already")
            self._known.add(email)
        return email

    def delete(self, email: str) -> None:
        """Its tokens are worth nothing from now on."""
        with self._lock:
            self._known.discard(email)
            self._issued = {key: token for key, token in self._issued.items() if key[0] != email}

    def agent(self, service: str) -> str:
        """The address that one of Google's services acts as. Raises `ValueError` for one that has none here."""
        if service not in AGENTS:
            raise ValueError(f"{service} has no service agent here; accepted: {', '.join(AGENTS)}")
        return f"service-{self.number}@{AGENTS[service]}.iam.gserviceaccount.com"

    def token(self, email: str, audience: str | None = None) -> str:
        """A token of the account. Raises `LookupError` for an account that does not exist."""
        with self._lock:
            if email not in self._known:
                raise LookupError(f"service account {email} does not exist")
            return self._issued.setdefault((email, audience), f"local.{secrets.token_urlsafe(24)}")

    def who(self, token: str, audience: str | None = None) -> str | None:
        """Whose token it is; None for one that was never issued, or for another audience."""
        with self._lock:
            return next((key[0] for key, known in self._issued.items() if known == token and key[1] == audience), None)


def bearer(authorization: str | None) -> str | None:
    """The token in an `Authorization` header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
