"""What a build is refused for, in a project whose default accounts have no role."""

from __future__ import annotations

import pytest

from localcloud.engine.cloud import CloudFailed
from localcloud.gcp.cloudrun.build_permissions import BuildPermissions
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import Binding, Bindings, Clause

IMAGES = "projects/p/locations/eu/repositories/images"
SOURCES = Clause(title="sources", expression='resource.name.startsWith("projects/_/buckets/gcf-v2-sources-")')
ROLES = {
    "roles/storage.objectViewer": "projects/p",
    "roles/logging.logWriter": "projects/p",
    "roles/artifactregistry.writer": IMAGES,
}
"""The builder's roles, and where each is granted."""


class Here:
    """A project with all service agents, and a builder that has `roles`."""

    def __init__(self, *roles: str) -> None:
        self.accounts = Accounts("p", "123")
        self.bindings = Bindings(self.accounts)
        self.builder = self.accounts.create("builder")
        for service in ("cloudbuild", "cloudfunctions", "run"):
            agent = self.accounts.ask_for_agent(f"{service}.googleapis.com")
            self._grant(f"roles/{service}.serviceAgent", "projects/p", agent)
        for role in roles:
            self._grant(role, ROLES[role], self.builder)

    def check(self, account: str | None, repository: str | None = IMAGES) -> None:
        BuildPermissions(self.accounts, self.bindings, region="eu").check("train", account, repository)

    def _grant(self, role: str, resource: str, email: str) -> None:
        limit = SOURCES if role == "roles/storage.objectViewer" else None
        member = f"serviceAccount:{email}"
        self.bindings.add(Binding(resource=resource, role=role, member=member, clause=limit))


def test_an_account_with_the_three_roles_builds() -> None:
    here = Here(*ROLES)
    here.check(f"projects/p/serviceAccounts/{here.builder}")


def test_the_default_account_may_not_build() -> None:
    with pytest.raises(CloudFailed, match=r"train: .* missing permission on the build service account\."):
        Here(*ROLES).check(None)


def test_an_account_that_does_not_exist_builds_nothing() -> None:
    with pytest.raises(CloudFailed, match=r"train: gone@p\.iam\.gserviceaccount\.com does not exist"):
        Here(*ROLES).check("projects/p/serviceAccounts/gone@p.iam.gserviceaccount.com")


@pytest.mark.parametrize(
    ("role", "refusal"),
    [
        (
            "roles/storage.objectViewer",
            "Access to bucket gcf-v2-sources-123-eu denied. You must grant Storage Object Viewer permission to b",
        ),
        ("roles/logging.logWriter", "does not have permission to write logs to Cloud Logging"),
        (
            "roles/artifactregistry.writer",
            f'"artifactregistry.repositories.downloadArtifacts" denied on resource "{IMAGES}"',
        ),
    ],
)
def test_an_account_that_lacks_one_of_them_is_refused_in_the_words_of_the_cloud(role: str, refusal: str) -> None:
    here = Here(*(ROLES.keys() - {role}))
    with pytest.raises(CloudFailed) as failure:
        here.check(f"projects/p/serviceAccounts/{here.builder}")
    assert refusal in str(failure.value)


def test_a_role_on_one_repository_builds_into_no_other() -> None:
    here = Here(*ROLES)
    with pytest.raises(CloudFailed, match=r"denied on resource .*repositories/gcf-artifacts"):
        here.check(f"projects/p/serviceAccounts/{here.builder}", None)
