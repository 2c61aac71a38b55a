"""The quotas that a stack needs, in lines: what is known without an account."""

from __future__ import annotations

from collections.abc import Iterable

from infra.quotas import Declared, Want, beyond
from infra.vocabulary import Cloud


def quota_lines(cloud: Cloud, graph: Iterable[Declared]) -> list[str]:
    """Return what an account needs that a new one does not have, or the one line that a new one suffices."""
    if cloud.quotas is None:
        return [f"what an account of {cloud.name} needs is not known: it states no quotas"]
    wants = cloud.quotas(graph)
    if not (needed := beyond(wants)):
        usual = (
            f"; {want.quota.shown(want.quota.usual)} {want.quota.unit}, as read on {want.quota.read_on}"
            for want in wants
        )
        return [f"quotas: a new account of {cloud.name} suffices{''.join(usual)}"]
    return [
        f"quotas: more than a new account of {cloud.name} has; ask for it before the first deployment",
        *(line for want in needed for line in _asked(want)),
    ]


def _asked(want: Want) -> list[str]:
    quota = want.quota
    of = ", ".join(part for part in (quota.service, quota.code) if part)
    known = f"read on {quota.read_on}" + ("" if quota.certain else " in what others were refused")
    usual = f"{quota.shown(quota.usual)} usual ({known})"
    return [
        f"  ASK     {quota.name} ({of}): {quota.shown(want.wanted)} {quota.unit} wanted,"
        f" {quota.shown(want.to_deploy)} to deploy at all, {usual}",
        f"  where   {quota.ask}",
        f"  or less {quota.settings}",
        *(f"  source  {source}" for source in quota.sources),
    ]
