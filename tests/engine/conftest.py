"""The Pulumi CLI of this machine, and projects that it deploys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcloud.cli.installation import Installation, NotAvailable, install
from tests.engine.interpreters import Interpreters, names
from tests.engine.project import Project
from tests.root import ROOT


@pytest.fixture(scope="session")
def installation() -> Installation:
    """The CLI; where there is none, its tests are skipped with the reason."""
    try:
        return install(ROOT / ".local" / "pulumi", print)
    except NotAvailable as reason:
        pytest.skip(f"the Pulumi CLI cannot run here: {reason}")


@pytest.fixture(scope="session")
def interpreters() -> Iterator[Interpreters]:
    """Warm interpreters for every project of this process."""
    with Interpreters(names) as found:
        yield found


@pytest.fixture(scope="session")
def project(
    installation: Installation, interpreters: Interpreters, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Project]:
    """Makes a project in a folder of its own."""
    return lambda: Project(Path(tmp_path_factory.mktemp("project")), installation, interpreters)
