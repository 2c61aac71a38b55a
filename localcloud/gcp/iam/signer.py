"""Keys of service accounts, and what is signed with them: Google's `signJwt`, on this machine.

https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signJwt
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEYS = "https://www.googleapis.com/robot/v1/metadata/x509/"
"""Where Google publishes the keys of an account, by its address."""
ALGORITHMS = ("RS256", "ES256")
BITS = 2048
PATIENCE_SECONDS = 5


class Signer:
    """The keys of one project's accounts, made when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._clients: dict[str, jwt.PyJWKClient] = {}

    def sign(self, email: str, claims: Mapping[str, Any]) -> str:
        """A token with these claims, signed by an account."""
        return jwt.encode(dict(claims), self._key(email), algorithm="RS256")

    def public(self, issuer: str, keys: str | None, token: str) -> Any:
        """The key that a token must be signed with, from `keys`, or from where its issuer says that they are.

        An account's are known here; anybody else is asked. Raises `jwt.PyJWTError` when there
        is no answer, and when there is no such key.
        """
        if keys and keys.startswith(KEYS):
            return self._key(keys.removeprefix(KEYS)).public_key()
        with self._lock:
            client = self._clients.get(issuer)
        if client is None:
            client = jwt.PyJWKClient(keys or _discovered(issuer), timeout=PATIENCE_SECONDS)
            with self._lock:
                self._clients[issuer] = client
        return client.get_signing_key_from_jwt(token).key

    def _key(self, email: str) -> rsa.RSAPrivateKey:
        with self._lock:
            if email not in self._keys:
                self._keys[email] = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
            return self._keys[email]


def _discovered(issuer: str) -> str:
    """https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig"""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    if not address.startswith(("https://", "http://")):
        raise jwt.PyJWKClientError(f"{issuer} is no address")
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - looked at above
            return str(json.load(answer)["jwks_uri"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise jwt.PyJWKClientError(f"{address}: {problem}") from None
