"""The metadata server: project, region and tokens of the account that code runs as.

https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys. A function finds the
address of its server in `GCE_METADATA_HOST`, so that it does not call 169.254.169.254.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from localcloud.gcp.iam.accounts import Accounts
from localcloud.support.http_server import HttpServer, Request, Response, json_response

FLAVOR = ("Metadata-Flavor", "Google")
TOKEN_SECONDS = 3600
ROOT = "/computeMetadata/v1/"


class Metadata:
    """One metadata server on the loopback address, for the processes that run as one service account."""

    def __init__(self, accounts: Accounts, email: str, region: str) -> None:
        self._accounts = accounts
        self._email = email
        self._region = region
        self._server = HttpServer(self._answer, limit=0)

    @property
    def host(self) -> str:
        """`127.0.0.1:<port>`, the value of `GCE_METADATA_HOST`."""
        return self._server.url.removeprefix("http://")

    def close(self) -> None:
        """Stop listening. Safe to call twice."""
        self._server.close()

    def _answer(self, request: Request) -> Response:
        if request.header("metadata-flavor") != "Google":
            return _text(403, "Missing Metadata-Flavor:Google header.")
        url = urlsplit(request.path)
        response = self._project(url.path) or self._account(url.path, parse_qs(url.query).get("audience", [""])[0])
        return response or _text(404, "Not Found")

    def _project(self, path: str) -> Response | None:
        project = f"projects/{self._accounts.number}"
        values = {
            "/": "computeMetadata/",
            f"{ROOT}project/project-id": self._accounts.project,
            f"{ROOT}project/numeric-project-id": self._accounts.number,
            f"{ROOT}instance/region": f"{project}/regions/{self._region}",
            f"{ROOT}instance/zone": f"{project}/zones/{self._region}-1",
        }
        return _text(200, values[path]) if path in values else None

    def _account(self, path: str, audience: str) -> Response | None:
        folder, _, key = path.rpartition("/")
        if folder not in (f"{ROOT}instance/service-accounts/{name}" for name in ("default", self._email)):
            return None
        match key:
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
