"""The metadata server: where code that runs on Google Cloud learns who it is.

https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys. A function is told
the address of its own one by `GCE_METADATA_HOST`, so that nothing asks 169.254.169.254.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from localcloud.gcp.iam.accounts import Accounts
from localcloud.support.http_server import HttpServer, Request, Response, json_response

FLAVOR = ("Metadata-Flavor", "Google")
TOKEN_SECONDS = 3600
ROOT = "/computeMetadata/v1/"


class Metadata:
    """One metadata server on the loopback address, for everything that runs as one account."""

    def __init__(self, accounts: Accounts, email: str, region: str) -> None:
        self._accounts = accounts
        self._email = email
        self._region = region
        self._server = HttpServer(self._answer, limit=0)

    @property
    def host(self) -> str:
        """`127.0.0.1:<port>`, as `GCE_METADATA_HOST` has it."""
        return self._server.url.removeprefix("http://")

    def close(self) -> None:
        """Safe to call twice."""
        self._server.close()

    def _answer(self, request: Request) -> Response:
        if request.header("metadata-flavor") != "Google":
            return _text(403, "Missing Metadata-Flavor:Google header.")
        url = urlsplit(request.path)
        found = self._project(url.path) or self._account(url.path, parse_qs(url.query).get("audience", [""])[0])
        return found or _text(404, "Not Found")

    def _project(self, path: str) -> Response | None:
        about = f"projects/{self._accounts.number}"
        known = {
            "/": "computeMetadata/",
            f"{ROOT}project/project-id": self._accounts.project,
            f"{ROOT}project/numeric-project-id": self._accounts.number,
            f"{ROOT}instance/region": f"{about}/regions/{self._region}",
            f"{ROOT}instance/zone": f"{about}/zones/{self._region}-1",
        }
        return _text(200, known[path]) if path in known else None

    def _account(self, path: str, audience: str) -> Response | None:
        place, _, wanted = path.rpartition("/")
        if place not in (f"{ROOT}instance/service-accounts/{name}" for name in ("default", self._email)):
            return None
        match wanted:
            case "email":
                return _text(200, self._email)
            case "token":
                token = self._accounts.token(self._email)
                return json_response(
                    200, {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}, FLAVOR
                )
            case "identity" if audience:
                return _text(200, self._accounts.token(self._email, audience))
            case _:
                return None


def _text(status: int, text: str) -> Response:
    return Response(status, [("Content-Type", "text/plain"), FLAVOR], text.encode())
