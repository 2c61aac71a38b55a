"""What a build of a function needs to be allowed, and the words in which the cloud refuses it."""

from __future__ import annotations

from localcloud.engine.cloud import CloudFailed
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import ACCESS_TOKEN, DOWNLOAD, REPOSITORY, UPLOAD, Bindings
from localcloud.gcp.iam.condition import RequestAttributes

REFUSED = (
    "Build failed with status: FAILURE. Could not build the function due to a missing permission on the build service"
    " account. If you didn't revoke that permission explicitly, this could be caused by a change in the organization"
    " policies."
)
"""https://cloud.google.com/functions/docs/troubleshooting#build-service-account"""


class BuildPermissions:
    """Checks builds of one project, in which, as in a new organisation, the default accounts have no role."""

    def __init__(self, accounts: Accounts, bindings: Bindings, *, region: str) -> None:
        self._accounts, self._bindings = accounts, bindings
        self._region = region

    def check(self, function: str, account: str | None, repository: str | None) -> None:
        """Raise `CloudFailed` for a build that would be refused.

        `account` is the full name of the build's service account; None is the project's default one.
        `repository` is the full name of the image's repository; None is the one that is made with the first function.
        """
        folder = f"projects/{self._accounts.project}/locations/{self._region}/repositories"
        images = repository or f"{folder}/gcf-artifacts"
        if not self._agent_may("cloudfunctions", REPOSITORY, images):
            raise CloudFailed(
                f"{function}: Unable to retrieve the repository metadata for {images}. Ensure that the Cloud Functions"
                " service account has 'artifactregistry.repositories.list' and 'artifactregistry.repositories.get'"
                " permissions."
            )
        email = "" if account is None else account.rpartition("/")[2]
        if not self._accounts.exists(email):
            raise CloudFailed(f"{function}: {REFUSED}" if account is None else f"{function}: {email} does not exist")
        if not self._agent_may("cloudbuild", ACCESS_TOKEN, account or ""):
            raise CloudFailed(f"{function}: the Cloud Build service agent lacks {ACCESS_TOKEN} on {email}")
        self._check_account(function, email, images)
        if not self._agent_may("run", DOWNLOAD, images):
            agent = self._accounts.agent("run.googleapis.com")
            raise CloudFailed(
                f"{function}: Google Cloud Run Service Agent {agent} must have permission to read the image,"
                f" {images}/{function}."
            )

    def _check_account(self, function: str, email: str, images: str) -> None:
        bucket = f"gcf-v2-sources-{self._accounts.number}-{self._region}"
        source = RequestAttributes(name=f"projects/_/buckets/{bucket}/objects/{function}/function-source.zip")
        if not self._bindings.allows(email, "storage.objects.get", f"projects/_/buckets/{bucket}", source):
            raise CloudFailed(
                f"{function}: Build failed with status: FAILURE and message: failed to Fetch: failed to download"
                f" archive gs://{bucket}/{function}/function-source.zip: Access to bucket {bucket} denied. You must"
                f" grant Storage Object Viewer permission to {email}."
            )
        if not self._bindings.allows(email, "logging.logEntries.create", f"projects/{self._accounts.project}"):
            raise CloudFailed(
                f"{function}: The service account running this build {email} does not have permission to write logs to"
                " Cloud Logging. To fix this, grant the Logs Writer (roles/logging.logWriter) role to the service"
                " account."
            )
        for permission in (DOWNLOAD, UPLOAD):
            if not self._bindings.allows(email, permission, images):
                raise CloudFailed(
                    f'{function}: {REFUSED} DENIED: Permission "{permission}" denied on resource "{images}"'
                    " (or it may not exist)"
                )

    def _agent_may(self, service: str, permission: str, resource: str) -> bool:
        return self._bindings.allows(self._accounts.agent(f"{service}.googleapis.com"), permission, resource)
