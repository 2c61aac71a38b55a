"""Step Functions state machines."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.aws import dialect, lint
from infra.aws.access import allow, everywhere, role
from infra.aws.logs import log_group
from infra.keep import kept
from infra.vocabulary import Function, WorkflowArgs
from infra.workflow import Workflow as Definition

TRACING = ("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments")


class Workflow(pulumi.ComponentResource):
    """A standard state machine that may invoke exactly the functions that its steps call.

    Every step is logged, without the data that passes.
    """

    ref: pulumi.Output[str]

    def __init__(self, name: str, args: WorkflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Workflow", name, None, opts)
        _check(name, args.definition)
        logs = log_group(name, args.log_days, args.keep, self, delivered_for="states")
        identity, policy = role(
            name,
            "states.amazonaws.com",
            [
                allow(["lambda:InvokeFunction"], [function.ref for function in args.functions.values()]),
                *([everywhere(*TRACING)] if args.traced else []),
                everywhere(
                    "logs:CreateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:DescribeLogGroups",
                    "logs:DescribeResourcePolicies",
                    "logs:GetLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:UpdateLogDelivery",
                ),
            ],
            self,
        )
        machine = aws.sfn.StateMachine(
            f"{name}-machine",
            type="STANDARD",
            role_arn=identity.arn,
            definition=_rendered(args.definition, args.functions),
            logging_configuration={
                "level": "ALL",
                "include_execution_data": False,
                "log_destination": pulumi.Output.concat(logs.arn, ":*"),
            },
            tracing_configuration={"enabled": args.traced},
            # Step Functions tries the log destination when the machine is made.
            opts=kept(pulumi.ResourceOptions(parent=self, depends_on=[policy]), args.keep),
        )
        self.ref = machine.arn
        self.register_outputs({"ref": self.ref})


def _rendered(definition: Definition, functions: Mapping[str, Function]) -> pulumi.Output[str]:
    """Return the definition of the state machine, as JSON."""
    refs = pulumi.Output.all(**{name: function.ref for name, function in functions.items()})
    return refs.apply(lambda arns: json.dumps(dialect.render(definition, arns), separators=(",", ":")))


def _check(name: str, definition: Definition) -> None:
    """Raise `ValueError` for a broken definition, before any execution meets it."""
    refs = {function: f"arn:partition:lambda:::function:{function}" for function in definition.functions}
    if problems := lint.problems(dialect.render(definition, refs)):
        raise ValueError("\n".join(f"workflow {name}: {problem}" for problem in problems))
