"""The credentials of Google Cloud, as its own library finds them; its server of tokens is on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from doctor.check import CouldNotAsk
from doctor.gcp.credentials import application_default
from localcloud.support.http_server import HttpServer, json_response
from localcloud.support.ports import free_port

ADDRESS = "deployer@p.iam.gserviceaccount.com"
TOKEN = {"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"}


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


def use(monkeypatch: pytest.MonkeyPatch, folder: Path, private_key: str, port: int) -> None:
    """Name a key of a service account in the environment, whose tokens come from a port of this machine."""
    file = folder / "key.json"
    document = {
        "type": "service_account",
        "client_email": ADDRESS,
        "private_key": private_key,
        "project_id": "p",
        "token_uri": f"http://127.0.0.1:{port}/token",
    }
    file.write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


def test_a_key_of_a_service_account_gives_its_token_and_its_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_key: str, http: requests.Session
) -> None:
    with HttpServer(lambda _: json_response(200, TOKEN), limit=10_000) as server:
        use(monkeypatch, tmp_path, private_key, server.port)
        found = application_default(http)
    assert (found.token, found.owner, found.project, found.is_user) == ("a-token", ADDRESS, "p", False)
    assert found.member == f"serviceAccount:{ADDRESS}"
    assert "a-token" not in repr(found)


def test_none_at_all_is_one_sentence_with_the_command_that_gets_them(http: requests.Session) -> None:
    with pytest.raises(CouldNotAsk, match="there are no application-default credentials") as refused:
        application_default(http)
    assert refused.value.mend == ("gcloud auth application-default login",)


def test_a_key_that_was_revoked_is_one_sentence_that_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_key: str, http: requests.Session
) -> None:
    refusal = {"error": "invalid_grant", "error_description": "of a-secret"}
    with HttpServer(lambda _: json_response(400, refusal), limit=10_000) as server:
        use(monkeypatch, tmp_path, private_key, server.port)
        with pytest.raises(CouldNotAsk, match="have expired, or were revoked") as refused:
            application_default(http)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_file_that_is_no_key_is_no_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, http: requests.Session
) -> None:
    (tmp_path / "key.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(CouldNotAsk, match="there are no application-default credentials"):
        application_default(http)


def test_without_a_network_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, private_key: str, http: requests.Session
) -> None:
    use(monkeypatch, tmp_path, private_key, free_port())
    with pytest.raises(CouldNotAsk, match="Google Cloud is not reached"):
        application_default(http)
