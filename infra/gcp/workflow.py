"""Google Workflows."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.gcp import dialect, lint
from infra.gcp.access import LOG_WRITER, STARTER, allow_in_project, allow_invocation
from infra.gcp.logs import keep_logs
from infra.gcp.project import region
from infra.keep import kept
from infra.vocabulary import Function, WorkflowArgs
from infra.workflow import Workflow as Definition


class Workflow(pulumi.ComponentResource):
    """A workflow whose account may call exactly the functions that its steps call.

    Executions and failing calls are logged. Other calls are not: their arguments would be logged with
    them (https://cloud.google.com/workflows/docs/log-workflow). Whatever starts it does so as
    `starter`, which may do nothing else.
    """

    ref: pulumi.Output[str]

    def __init__(self, name: str, args: WorkflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Workflow", name, None, opts)
        _check(name, args.definition)
        child_opts = pulumi.ResourceOptions(parent=self)
        identity = gcp.serviceaccount.Account(
            f"{name}-identity", display_name=f"workflow {name}", opts=kept(child_opts, args.keep)
        )
        allowed = [
            allow_invocation(f"{name}-invoker-{step}", identity, function.name, child_opts)
            for step, function in sorted(args.functions.items())
        ]
        logging = allow_in_project(f"{name}-log-writer", identity, LOG_WRITER, child_opts)
        workflow = gcp.workflows.Workflow(
            f"{name}-workflow",
            region=region(),
            service_account=identity.email,
            source_contents=_rendered(args.definition, args.functions),
            call_log_level="LOG_ERRORS_ONLY",
            # Executions are its only state, and their runs are recorded elsewhere.
            deletion_protection=False,
            opts=kept(pulumi.ResourceOptions(parent=self, depends_on=[*allowed, logging]), args.keep),
        )
        lines = 'resource.type="workflows.googleapis.com/Workflow" AND resource.labels.workflow_id="'
        keep_logs(name, identity, pulumi.Output.concat(lines, workflow.name, '"'), args.log_days, args.keep, child_opts)
        self.starter = gcp.serviceaccount.Account(
            f"{name}-starter", display_name=f"start of {name}", opts=kept(child_opts, args.keep)
        )
        self.startable = allow_in_project(f"{name}-starter-invoker", self.starter, STARTER, child_opts)
        self.ref = workflow.id
        self.register_outputs({"ref": self.ref})


def _rendered(definition: Definition, functions: Mapping[str, Function]) -> pulumi.Output[str]:
    """Return the source of the workflow, as JSON."""
    refs = pulumi.Output.all(**{name: function.ref for name, function in functions.items()})
    return refs.apply(lambda urls: json.dumps(dialect.render(definition, urls), separators=(",", ":")))


def _check(name: str, definition: Definition) -> None:
    """Raise `ValueError` for a broken definition, before any execution meets it."""
    addresses = {function: f"https://{function}.example.org" for function in definition.functions}
    if problems := lint.problems(dialect.render(definition, addresses)):
        raise ValueError("\n".join(f"workflow {name}: {problem}" for problem in problems))
