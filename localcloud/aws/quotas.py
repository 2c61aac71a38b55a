"""What Lambda refuses of an account with small quotas: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.aws.session import Session

CONCURRENCY, MEMORY = "ConcurrentExecutions", "MemorySize"
KNOWN = (CONCURRENCY, MEMORY)
UNRESERVED = 100
"""Copies that must stay unreserved. An account with fewer can reserve none."""


def require_memory(session: Session, quotas: Mapping[str, int], memory_mb: int) -> None:
    """Raise Lambda's own error for a function with more memory than the account may give one."""
    if memory_mb > quotas.get(MEMORY, memory_mb):
        raise _refusal(
            session,
            "ValidationException",
            "CreateFunction",
            f"1 validation error detected: Value '{memory_mb}' at 'memorySize' failed to satisfy constraint:"
            f" Member must have value less than or equal to {quotas[MEMORY]}",
        )


def require_unreserved(session: Session, quotas: Mapping[str, int], function: str, reserved: int) -> None:
    """Raise Lambda's own error where the account would keep too few copies for all other functions."""
    if CONCURRENCY not in quotas:
        return
    quota = quotas[CONCURRENCY]
    minimum = min(quota, UNRESERVED)
    if quota - _reserved_by_others(session, function) - reserved < minimum:
        raise _refusal(
            session,
            "InvalidParameterValueException",
            "PutFunctionConcurrency",
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
            f" below its minimum value of [{minimum}].",
        )


def _reserved_by_others(session: Session, function: str) -> int:
    client = session.client("lambda")
    names = [
        found["FunctionName"]
        for page in client.get_paginator("list_functions").paginate()
        for found in page["Functions"]
        if found["FunctionName"] != function
    ]
    reservations = (client.get_function_concurrency(FunctionName=name) for name in names)
    return sum(found.get("ReservedConcurrentExecutions") or 0 for found in reservations)


def _refusal(session: Session, code: str, operation: str, message: str) -> Exception:
    client = session.client("lambda")
    error = getattr(client.exceptions, code, client.exceptions.ClientError)
    return error({"Error": {"Code": code, "Message": message}}, operation)
