"""An AWS account, asked by the default chain of credentials or in an embedded AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore import exceptions
from botocore.config import Config

from doctor.check import SECONDS, CouldNotAsk, Entrance, Forbidden, NotAnswered, NotThere, Unreached
from doctor.stack import Stack

T = TypeVar("T")
LOGIN = "aws configure sso"
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
INVALID = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"})
UNSIGNED = frozenset({"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"})
ABSENT = frozenset(
    {"ResourceNotFoundException", "NoSuchEntity", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
UNREACHED = (exceptions.ConnectionError, exceptions.HTTPClientError)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who asks."""

    account: str
    arn: str

    @property
    def is_root(self) -> bool:
        """Whether it is the account's root user, whom no policy binds."""
        return self.arn.endswith(":root")


class Account:
    """Answers of one account, for one region. Every method raises `CouldNotAsk` and `NotAnswered`."""

    def __init__(self, session: boto3.Session, region: str, entrance: Entrance | None = None) -> None:
        self.region = region
        self.partition = session.get_partition_for_region(region)
        self._session = session
        self._where: dict[str, Any] = {}
        if entrance is not None:
            self._where = {"endpoint_url": entrance.endpoint, "verify": str(entrance.certificate or True)}
        self.identity = self._identity()

    def call(self, service: str, method: str, permission: str, *, region: str | None = None, **arguments: Any) -> Any:
        """Call a read-only method of a service, which needs `permission`, and return its response."""
        client = self._client(service, region or self.region)
        return self._answered(lambda: getattr(client, method)(**arguments), permission)

    def pages(self, service: str, method: str, permission: str, **arguments: Any) -> list[Any]:
        """Call a method page by page."""
        client = self._client(service, self.region)
        return self._answered(lambda: list(client.get_paginator(method).paginate(**arguments)), permission)

    def bucket(self, name: str) -> bool | None:
        """Return whether a bucket is this account's; None where there is none of that name."""
        return self._answered(lambda: _head(self._client("s3", self.region), name), "s3:ListBucket")

    def exists(self, service: str, method: str, permission: str, **arguments: Any) -> bool:
        """Return whether a method that reads one thing finds it."""
        try:
            self.call(service, method, permission, **arguments)
        except NotThere:
            return False
        return True

    def _client(self, service: str, region: str) -> Any:
        config = Config(
            connect_timeout=SECONDS,
            read_timeout=SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
            s3={"addressing_style": "path"} if self._where else None,
        )
        try:
            return self._session.client(service, region_name=region, config=config, **self._where)
        except exceptions.BotoCoreError as error:
            raise _unusable(error) from None

    def _identity(self) -> Identity:
        try:
            answer = self.call("sts", "get_caller_identity", "sts:GetCallerIdentity")
        except NotAnswered as unanswered:
            raise CouldNotAsk(str(unanswered), *unanswered.mend) from None
        return Identity(account=answer["Account"], arn=answer["Arn"])

    def _answered(self, ask: Callable[[], T], permission: str) -> T:
        try:
            return ask()
        except exceptions.ClientError as error:
            raise self._refused(error.response.get("Error", {}), permission) from None
        except UNREACHED:
            raise Unreached(f"AWS is not reached in {self.region}: no answer to {permission}") from None
        except exceptions.BotoCoreError as error:
            raise _unusable(error) from None

    def _refused(self, error: Mapping[str, Any], permission: str) -> Exception:
        code = str(error.get("Code", ""))
        if code in EXPIRED:
            return CouldNotAsk("the credentials of AWS have expired", "aws sso login", LOGIN)
        if code in INVALID:
            return CouldNotAsk(
                f"AWS does not know the credentials, or {self.region} is not enabled in their account",
                LOGIN,
                f"aws account enable-region --region-name {self.region}",
            )
        if code in UNSIGNED:
            return CouldNotAsk("AWS does not accept the credentials: their secret does not belong to their key", LOGIN)
        if code in DENIED:
            return Forbidden(f"not asked: the permission {permission} is missing")
        if code in ABSENT:
            return NotThere(f"there is no such thing: {permission}")
        return NotAnswered(f"AWS answers {permission} with {code or 'an error'}")


def _head(client: Any, name: str) -> bool | None:
    """Ask for a bucket: Amazon S3 answers with a status and nothing else."""
    try:
        client.head_bucket(Bucket=name)
    except exceptions.ClientError as error:
        match error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"):
            case 404:
                return None
            case 301 | 403:
                return False
            case _:
                raise
    return True


def connect(stack: Stack, entrance: Entrance | None) -> Account:
    """Return the account that `pulumi up` would deploy into. Raises `CouldNotAsk`."""
    try:
        session = _session(stack, entrance)
        if session.get_credentials() is None:
            raise CouldNotAsk("there are no credentials of AWS in the environment", LOGIN)
    except exceptions.BotoCoreError as error:
        raise _unusable(error) from None
    if not (region := session.region_name):
        raise CouldNotAsk("the stack states no region", "pulumi config set aws:region eu-west-1")
    return Account(session, region, entrance)


def _session(stack: Stack, entrance: Entrance | None) -> boto3.Session:
    region = stack.config.get("aws:region")
    if entrance is None:
        return boto3.Session(region_name=region, profile_name=stack.config.get("aws:profile"))
    credentials = entrance.credentials
    return boto3.Session(
        aws_access_key_id=credentials["access_key_id"],
        aws_secret_access_key=credentials["secret_access_key"],
        aws_session_token=credentials.get("token"),
        region_name=region,
    )


def _unusable(error: exceptions.BotoCoreError) -> CouldNotAsk:
    """Say what is wrong with credentials that are not even sent; botocore's own words may quote them."""
    match error:
        case exceptions.ProfileNotFound():
            return CouldNotAsk("the profile of AWS that is named does not exist", "aws configure list-profiles")
        case exceptions.PartialCredentialsError():
            return CouldNotAsk("the credentials of AWS are incomplete: a key without its secret, or the reverse", LOGIN)
        case exceptions.NoCredentialsError():
            return CouldNotAsk("there are no credentials of AWS in the environment", LOGIN)
        case exceptions.SSOError() | exceptions.CredentialRetrievalError() | exceptions.TokenRetrievalError():
            return CouldNotAsk("the credentials of AWS have expired, or cannot be renewed", "aws sso login", LOGIN)
        case _:
            return CouldNotAsk(f"the configuration of AWS is not usable ({type(error).__name__})", "aws configure list")
