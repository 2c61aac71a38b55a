"""The credentials of Google Cloud: application-default ones, or the token of an embedded cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import google.auth
import requests
from google.auth import exceptions
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials as UserCredentials

from doctor.check import SECONDS, CouldNotAsk, Entrance

LOGIN = "gcloud auth application-default login"
USER = "https://openidconnect.googleapis.com/v1/userinfo"
"""https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation"""
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A bearer token, and what is known of its owner."""

    token: str = field(repr=False)
    owner: str
    """An address, or a phrase where Google does not tell it."""
    member: str
    """The owner as bindings name him: `serviceAccount:...`."""
    project: str | None
    """The project that the credentials belong to, if they name one."""
    is_user: bool
    """Whether they are a person's: their calls are counted in a project that every call names."""


def application_default(http: requests.Session) -> Credentials:
    """Return the credentials of the environment, with a token that is valid now. Raises `CouldNotAsk`."""
    request = Request(session=http)
    try:
        found, project = google.auth.default(scopes=[SCOPE], request=request)
    except exceptions.DefaultCredentialsError:
        raise CouldNotAsk("there are no application-default credentials of Google Cloud", LOGIN) from None
    try:
        found.refresh(request)
    except exceptions.TransportError:
        raise CouldNotAsk("Google Cloud is not reached: no answer to a request for a token") from None
    except exceptions.GoogleAuthError:
        # Their own words may quote the request.
        raise CouldNotAsk("the credentials of Google Cloud have expired, or were revoked", LOGIN) from None
    if isinstance(found, UserCredentials):
        address = _address(http, str(found.token))
        owner, member = address or "a person", f"user:{address or 'ADDRESS'}"
    else:
        address = str(getattr(found, "service_account_email", ""))
        owner, member = address or "a workload", f"serviceAccount:{address or 'ADDRESS'}"
    return Credentials(
        token=str(found.token),
        owner=owner,
        member=member,
        project=project,
        is_user=isinstance(found, UserCredentials),
    )


def _address(http: requests.Session, token: str) -> str | None:
    """Return the address of the person that a token is of; None where Google does not tell it."""
    try:
        answer = http.get(USER, headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)
        return answer.json().get("email") if answer.ok else None
    except requests.RequestException:
        return None


def embedded(entrance: Entrance) -> Credentials:
    """Return the credentials of an embedded cloud."""
    values: Mapping[str, str] = entrance.credentials
    return Credentials(
        token=values["token"], owner=values["owner"], member=f"user:{values['owner']}", project=None, is_user=False
    )
