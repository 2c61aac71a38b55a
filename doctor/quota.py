"""Whether an account's quota is enough for a stack."""

from __future__ import annotations

from doctor.finding import Finding, Verdict, fails, ready, unknown
from infra.quotas import Want


def judge(want: Want, quota: int, *, in_use: int = 0, mend: tuple[str, ...]) -> Finding:
    """Compare what a stack wants with the account's quota, in the quota's own figures.

    `in_use` is what others have taken of it, which no call can tell from what this stack has taken at an earlier
    deployment.
    """
    shown, unit = want.quota.shown, want.quota.unit
    has = f"{want.quota.name}: {shown(quota)} {unit}"
    if want.to_deploy > quota:
        return fails(f"{has}, and the stack needs {shown(want.to_deploy)} to be deployed", *mend)
    if not want.fits(quota):
        text = f"{has}, and the stack at work wants {shown(want.wanted)}: calls above that are refused"
        return Finding(verdict=Verdict.SCARCE, text=text, mend=mend)
    if in_use and not want.fits(quota - in_use):
        text = (
            f"{has}, of which {shown(in_use)} are taken; unless by this stack, that leaves less than the"
            f" {shown(max(want.wanted, want.to_deploy))} that it wants"
        )
        return Finding(verdict=Verdict.SCARCE, text=text, mend=mend)
    return ready(f"{has}, {shown(want.wanted)} wanted")


def not_asked(want: Want) -> Finding:
    """Return what is known of a quota that the cloud tells nobody: whether a new account would do."""
    shown, unit = want.quota.shown, want.quota.unit
    text = f"{want.quota.name}: {shown(want.wanted)} {unit} wanted"
    if want.fits(want.quota.usual):
        return ready(f"{text}, which a new account has; the cloud tells no more")
    return unknown(
        f"{text}, {shown(want.quota.usual)} is what a new account has; the cloud tells no more", want.quota.ask
    )
