"""Service accounts and their tokens."""

from __future__ import annotations

import secrets
import threading

AGENTS = {
    "cloudbuild.googleapis.com": "gcp-sa-cloudbuild",
    "cloudfunctions.googleapis.com": "gcf-admin-robot",
    "cloudscheduler.googleapis.com": "gcp-sa-cloudscheduler",
    "eventarc.googleapis.com": "gcp-sa-eventarc",
    "pubsub.googleapis.com": "gcp-sa-pubsub",
    "run.googleapis.com": "serverless-robot-prod",
    "storage.googleapis.com": "gs-project-accounts",
    "workflows.googleapis.com": "gcp-sa-workflows",
}
"""The domains of the service agents, the accounts that Google's own services act as:
https://cloud.google.com/iam/docs/service-agents"""


class Accounts:
    """The service accounts of one project.

    A token is opaque, like Google's access tokens. One that is issued for an audience is valid
    for that audience alone, like Google's identity tokens. A service agent does not exist until it is
    asked for, as in a project whose services were enabled a moment ago.
    """

    def __init__(self, project: str, number: str) -> None:
        self.project = project
        self.number = number
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._agents: set[str] = set()
        self._issued: dict[tuple[str, str | None], str] = {}

    def create(self, account: str) -> str:
        """Create an account and return its email address. Raises `ValueError` when the name is taken."""
        email = f"{account}@{self.project}.iam.gserviceaccount.com"
        with self._lock:
            if email in self._known:
                raise ValueError(f"service account {email} exists already")
            self._known.add(email)
        return email

    def delete(self, email: str) -> None:
        """Delete an account and revoke its tokens."""
        with self._lock:
            self._known.discard(email)
            self._issued = {key: token for key, token in self._issued.items() if key[0] != email}

    def has(self, email: str) -> bool:
        """Return whether an account exists."""
        with self._lock:
            return email in self._known

    def agent(self, service: str) -> str:
        """Return the email address of a service's agent, whether it exists or not.

        Raises `ValueError` for a service that has none here.
        """
        if service not in AGENTS:
            raise ValueError(f"{service} has no service agent here; accepted: {', '.join(AGENTS)}")
        return f"service-{self.number}@{AGENTS[service]}.iam.gserviceaccount.com"

    def ask_for_agent(self, service: str) -> str:
        """Create a service's agent, if it does not exist, and return its email address. Raises as `agent` does."""
        email = self.agent(service)
        with self._lock:
            self._agents.add(email)
        return email

    def exists(self, email: str) -> bool:
        """Return whether there is an account, or a service agent, of this email address."""
        with self._lock:
            return email in self._known or email in self._agents

    def token(self, email: str, audience: str | None = None) -> str:
        """Return a token of an account. Raises `LookupError` for an account that does not exist."""
        with self._lock:
            if email not in self._known:
                raise LookupError(f"service account {email} does not exist")
            return self._issued.setdefault((email, audience), f"local.{secrets.token_urlsafe(24)}")

    def principal(self, token: str, audience: str | None = None) -> str | None:
        """Return the email address of a token's account; None for an unknown token or another audience."""
        with self._lock:
            return next((key[0] for key, known in self._issued.items() if known == token and key[1] == audience), None)


def bearer(authorization: str | None) -> str | None:
    """Return the bearer token in the value of an `Authorization` header; None without one."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
