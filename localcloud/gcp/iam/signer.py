"""Signs tokens with the keys of service accounts, as Google's `signJwt` does.

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
"""The URL at which Google publishes an account's public keys, before its email address."""
ALGORITHMS = ("RS256", "ES256")
KEY_BITS = 2048
PATIENCE_SECONDS = 5


class Signer:
    """The keys of one project's accounts, generated when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._clients: dict[str, jwt.PyJWKClient] = {}

    def sign(self, email: str, claims: Mapping[str, Any]) -> str:
        """Return a JWT with these claims, signed with an account's key."""
        return jwt.encode(dict(claims), self._key(email), algorithm="RS256")

    def public(self, issuer: str, keys: str | None, token: str) -> Any:
        """Return the public key that a token must be signed with.

        `keys` is the URL of the issuer's keys; None finds it by OpenID Connect Discovery. The keys
        of this project's accounts are known here, those of others are fetched. Raises
        `jwt.PyJWTError` when they cannot be fetched, and when there is no such key.
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
                self._keys[email] = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
            return self._keys[email]


def _discovered(issuer: str) -> str:
    """Return the URL of an issuer's keys: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    if not address.startswith(("https://", "http://")):
        raise jwt.PyJWKClientError(f"{issuer} is not a URL")
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - looked at above
            return str(json.load(response)["jwks_uri"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise jwt.PyJWKClientError(f"{address}: {problem}") from None
