"""What a function may do to stop a stack: to Cloud Run services, to push subscriptions, and to jobs of Cloud Scheduler.

A function of Cloud Run has no maximum of zero, but its service may have a number of instances, zero among them, in
place of a scale: requests are then refused (https://cloud.google.com/run/docs/configuring/services/manual-scaling). Who
changes a service has to be able to act as its account, and who makes a subscription push again as that of its tokens:
https://cloud.google.com/run/docs/reference/iam/roles#additional-configuration,
https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions. Cloud Scheduler knows no policy of one job, so
that the function may pause those of others in the project, too, and do nothing else to them.

No role of Google's has so little, so each kind has a role of the stack's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import pulumi
import pulumi_gcp as gcp

from infra.gcp.project import region
from infra.gcp.queue import Queue
from infra.vocabulary import Stops

ACTS_AS = "roles/iam.serviceAccountUser"
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "services": ("run.services.get", "run.services.update"),
    "subscriptions": ("pubsub.subscriptions.get", "pubsub.subscriptions.update"),
    "jobs": ("cloudscheduler.jobs.get", "cloudscheduler.jobs.pause", "cloudscheduler.jobs.enable"),
}
LONGEST_ROLE = 64
"""Characters of a role's id: https://cloud.google.com/iam/docs/creating-custom-roles"""
Kind = TypeVar("Kind")


@runtime_checkable
class Called(Protocol):
    """A function of this cloud: function.py."""

    name: pulumi.Output[str]
    service: pulumi.Output[str]
    identity: gcp.serviceaccount.Account


@runtime_checkable
class Scheduled(Protocol):
    """A schedule of this cloud: schedule.py."""

    job: gcp.cloudscheduler.Job


def allow_stopping(name: str, identity: gcp.serviceaccount.Account, stops: Stops, opts: pulumi.ResourceOptions) -> None:
    """Let a function stop these, and have them go on. Raise `TypeError` for what is of another cloud."""
    roles = {kind: _role(name, kind, opts) for kind in PERMISSIONS}
    for called, function in _of(stops.functions, Called):
        gcp.cloudrunv2.ServiceIamMember(
            f"{name}-service-{called}",
            name=function.name,
            location=region(),
            role=roles["services"],
            member=identity.member,
            opts=opts,
        )
        _allow_acting(f"{name}-as-{called}", function.identity, identity, opts)
    for called, (subscription, courier) in _pushed(stops):
        gcp.pubsub.SubscriptionIAMMember(
            f"{name}-pushes-{called}",
            subscription=subscription,
            role=roles["subscriptions"],
            member=identity.member,
            opts=opts,
        )
        _allow_acting(f"{name}-as-courier-{called}", courier, identity, opts)
    gcp.projects.IAMMember(
        f"{name}-jobs", project=identity.project, role=roles["jobs"], member=identity.member, opts=opts
    )


def named(stops: Stops) -> pulumi.Output[str]:
    """Return what these are called, as JSON: by their kinds, in the order in which they are stopped."""
    names: Mapping[str, Sequence[pulumi.Input[str]]] = {
        "job": [schedule.job.id for _, schedule in _of(stops.schedules, Scheduled)],
        "subscription": [subscription for _, (subscription, _) in _pushed(stops)],
        "service": [function.service for _, function in _of(stops.functions, Called)],
    }
    return pulumi.Output.json_dumps(names)


def _role(name: str, kind: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a role of the project with the permissions of a kind, and return its full name."""
    unique = re.sub(r"[^A-Za-z0-9_.]", "_", f"{pulumi.get_project()}_{pulumi.get_stack()}_{name}_{kind}")
    role = gcp.projects.IAMCustomRole(
        f"{name}-{kind}",
        role_id=unique[-LONGEST_ROLE:],
        title=f"{pulumi.get_project()}/{pulumi.get_stack()}: {name} {kind}",
        permissions=list(PERMISSIONS[kind]),
        opts=opts,
    )
    return role.name


def _allow_acting(
    name: str,
    account: gcp.serviceaccount.Account,
    identity: gcp.serviceaccount.Account,
    opts: pulumi.ResourceOptions,
) -> None:
    gcp.serviceaccount.IAMMember(name, service_account_id=account.name, role=ACTS_AS, member=identity.member, opts=opts)


def _pushed(stops: Stops) -> Iterator[tuple[str, tuple[pulumi.Output[str], gcp.serviceaccount.Account]]]:
    """Yield the subscription of each queue that has a consumer, and as whom it pushes."""
    for name, queue in _of(stops.queues, Queue):
        if queue.waiting is not None and queue.courier is not None:
            yield name, (queue.waiting, queue.courier)


def _of(named: Mapping[str, object], kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
    for name, one in sorted(named.items()):
        if not isinstance(one, kind):
            raise TypeError(f"{name}: {type(one).__name__} is nothing of this cloud that can be stopped")
        yield name, one
