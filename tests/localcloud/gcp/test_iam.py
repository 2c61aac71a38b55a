"""Who somebody is on the embedded GCP, and what they may do."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import jwt
import pytest

from localcloud.gcp import Gcp
from localcloud.gcp.cloudrun.metadata import Metadata
from localcloud.gcp.iam.accounts import Accounts, bearer
from localcloud.gcp.iam.bindings import SUBSCRIBE, Binding, Bindings, Clause
from localcloud.gcp.iam.condition import RequestAttributes, condition
from localcloud.gcp.iam.signer import KEYS
from sml.clouds import Way
from sml.gcp.account import Account
from sml.mistake import Mistake

ANN = "ann@p.iam.gserviceaccount.com"
BUCKET = "projects/_/buckets/models"
SERVICE = "projects/p/locations/l/services/predict"


@pytest.fixture
def accounts() -> Accounts:
    return Accounts("p", "123")


@pytest.fixture
def bindings(accounts: Accounts) -> Bindings:
    accounts.create("ann")
    return Bindings(accounts)


def about(key: str) -> RequestAttributes:
    return RequestAttributes(name=f"{BUCKET}/objects/{key}")


def test_a_token_says_who_it_belongs_to_and_for_whom_it_was_made(accounts: Accounts) -> None:
    ann, bob = accounts.create("ann"), accounts.create("bob")
    assert accounts.principal(accounts.token(ann)) == ann
    assert accounts.principal(accounts.token(bob, "https://x")) is None
    assert accounts.principal(accounts.token(bob, "https://x"), "https://y") is None
    assert accounts.principal(accounts.token(bob, "https://x"), "https://x") == bob
    assert accounts.principal("made up") is None


def test_an_account_that_is_gone_has_no_tokens(accounts: Accounts) -> None:
    ann = accounts.create("ann")
    token = accounts.token(ann)
    accounts.delete(ann)
    assert accounts.principal(token) is None
    with pytest.raises(LookupError, match=r"ann@p\.iam\.gserviceaccount\.com does not exist"):
        accounts.token(ann)


def test_two_accounts_of_one_name_are_refused(accounts: Accounts) -> None:
    accounts.create("ann")
    with pytest.raises(ValueError, match="exists already"):
        accounts.create("ann")


def test_googles_own_agents_have_addresses_of_their_own(accounts: Accounts) -> None:
    assert accounts.agent("pubsub.googleapis.com") == "service-123@gcp-sa-pubsub.iam.gserviceaccount.com"
    with pytest.raises(ValueError, match="accepted: cloudbuild"):
        accounts.agent("nothing.googleapis.com")


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer ", None), ("", None), (None, None)],
)
def test_the_token_is_what_follows_the_word_bearer(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


def test_a_role_gives_its_permissions_on_its_resource_to_its_member_and_to_nobody_else(bindings: Bindings) -> None:
    bindings.add(Binding(resource=SERVICE, role="roles/run.invoker", member=f"serviceAccount:{ANN}"))
    assert bindings.allows(ANN, "run.routes.invoke", SERVICE)
    assert not bindings.allows("bob", "run.routes.invoke", SERVICE)
    assert not bindings.allows(ANN, "run.routes.invoke", f"{SERVICE}2")
    assert not bindings.allows(ANN, "storage.objects.get", SERVICE)


def test_a_role_on_the_project_is_a_role_on_everything_in_it(bindings: Bindings) -> None:
    bindings.add(Binding(resource="projects/p", role="roles/workflows.invoker", member=f"serviceAccount:{ANN}"))
    assert bindings.allows(ANN, "workflows.executions.create", "projects/p/locations/l/workflows/w")


def test_a_permission_granted_twice_is_revoked_at_once(bindings: Bindings) -> None:
    binding = Binding(resource=SERVICE, role="roles/run.invoker", member=f"serviceAccount:{ANN}")
    bindings.add(binding)
    bindings.add(binding)
    assert bindings.has(binding)
    bindings.remove(binding)
    assert not bindings.has(binding)
    assert not bindings.allows(ANN, "run.routes.invoke", SERVICE)
    bindings.remove(binding)


def conditional(title: str, expression: str = f'resource.name.startsWith("{BUCKET}/objects/a/")') -> Binding:
    return Binding(
        resource=BUCKET,
        role="roles/storage.objectViewer",
        member=f"serviceAccount:{ANN}",
        clause=Clause(title=title, expression=expression),
    )


def test_a_condition_of_another_title_makes_another_binding(bindings: Bindings) -> None:
    bindings.add(conditional("before"))
    bindings.add(conditional("now"))
    bindings.remove(conditional("before"))
    assert bindings.has(conditional("now"))
    assert bindings.allows(ANN, "storage.objects.get", BUCKET, about("a/1"))


def test_a_role_has_at_most_twenty_conditions_for_one_member(bindings: Bindings) -> None:
    for number in range(20):
        bindings.add(conditional(f"{number}"))
    bindings.add(conditional("7"))
    with pytest.raises(ValueError, match="has it under 20 conditions already; accepted: 20"):
        bindings.add(conditional("20"))
    bindings.remove(conditional("7"))
    bindings.add(conditional("20"))


def test_a_role_that_nothing_here_understands_is_refused(bindings: Bindings) -> None:
    with pytest.raises(ValueError, match=r"roles/owner is not known here; accepted: roles/storage\.objectViewer"):
        bindings.add(Binding(resource="projects/p", role="roles/owner", member=f"serviceAccount:{ANN}"))


def test_nothing_is_granted_to_an_account_that_does_not_exist(bindings: Bindings) -> None:
    with pytest.raises(ValueError, match=r"Service account bob@p\.iam\.gserviceaccount\.com does not exist\."):
        bindings.add(
            Binding(resource=SERVICE, role="roles/run.invoker", member="serviceAccount:bob@p.iam.gserviceaccount.com")
        )


def test_a_service_agent_does_not_exist_until_it_is_asked_for(accounts: Accounts, bindings: Bindings) -> None:
    email = accounts.agent("eventarc.googleapis.com")
    role = Binding(resource="projects/p", role="roles/eventarc.serviceAgent", member=f"serviceAccount:{email}")
    with pytest.raises(ValueError, match=rf"Service account {email} does not exist\."):
        bindings.add(role)
    assert not accounts.exists(email)
    assert accounts.ask_for_agent("eventarc.googleapis.com") == email
    assert not bindings.allows(email, SUBSCRIBE, "projects/p/topics/t")
    bindings.add(role)
    assert bindings.allows(email, SUBSCRIBE, "projects/p/topics/t")


def test_a_condition_narrows_a_role_to_some_prefixes(bindings: Bindings) -> None:
    expression = f'resource.name.startsWith("{BUCKET}/objects/a/") || resource.name.startsWith("{BUCKET}/objects/b/")'
    bindings.add(
        Binding(
            resource=BUCKET,
            role="roles/storage.legacyBucketWriter",
            member=f"serviceAccount:{ANN}",
            clause=Clause(title="some", expression=expression),
        )
    )
    assert bindings.allows(ANN, "storage.objects.create", BUCKET, about("a/1"))
    assert bindings.allows(ANN, "storage.objects.create", BUCKET, about("b/1"))
    assert not bindings.allows(ANN, "storage.objects.create", BUCKET, about("c/1"))
    assert not bindings.allows(ANN, "storage.objects.list", BUCKET, RequestAttributes(name=BUCKET, list_prefix="a/"))


def test_listing_is_allowed_by_the_prefix_that_is_asked_for() -> None:
    allowed = condition(
        f'resource.name.startsWith("{BUCKET}/objects/a/") || '
        'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("a/")'
    )
    assert allowed(RequestAttributes(name=BUCKET, list_prefix="a/b"))
    assert not allowed(RequestAttributes(name=BUCKET, list_prefix=""))
    assert not allowed(RequestAttributes(name=BUCKET, list_prefix="b/a/"))
    assert not allowed(RequestAttributes(name=BUCKET))


def test_a_request_that_lists_nothing_has_the_default_as_its_prefix() -> None:
    attribute = 'api.getAttribute("storage.googleapis.com/objectListPrefix", "a/").startsWith("a/")'
    everything, bucket = (
        condition(attribute),
        condition(f'resource.type == "storage.googleapis.com/Bucket" && {attribute}'),
    )
    assert everything(about("b/1"))
    assert not bucket(about("b/1"))
    assert bucket(RequestAttributes(name=BUCKET))
    assert not bucket(RequestAttributes(name=BUCKET, list_prefix="b/"))


def test_and_binds_closer_than_or_and_parentheses_closest() -> None:
    a, b = ('resource.name.startsWith("a")', 'resource.name.startsWith("ab")')
    bucket = 'resource.type == "storage.googleapis.com/Object"'
    assert condition(f"{a} || {b} && {bucket}")(RequestAttributes(name="a"))
    assert not condition(f"({a} || {b}) && {bucket}")(RequestAttributes(name="a"))


def test_a_condition_with_thirteen_operators_is_refused() -> None:
    clauses = ['resource.name.startsWith("a")'] * 14
    condition(" || ".join(clauses[:13]))
    with pytest.raises(ValueError, match="too many logical operators; accepted: 12"):
        condition(" && ".join(clauses))


@pytest.mark.parametrize(
    "expression",
    [
        "true",
        'resource.name.endsWith("a")',
        'resource.name.startsWith("a") && !resource.name.startsWith("b")',
        '(resource.name.startsWith("a")',
        'resource.name.startsWith("a"))',
        'resource.name.startsWith("a") resource.name.startsWith("b")',
        'resource.name.startsWith("a") ||',
        'resource.name.startsWith("a") || request.time < timestamp("2030-01-01T00:00:00Z")',
        "",
    ],
)
def test_a_condition_of_another_shape_is_refused_rather_than_guessed(expression: str) -> None:
    with pytest.raises(ValueError, match="cannot be evaluated here; accepted: resource"):
        condition(expression)


@pytest.fixture
def metadata(accounts: Accounts) -> Iterator[Metadata]:
    server = Metadata(accounts, accounts.create("predict"), "europe-west1")
    yield server
    server.close()


def fetch(metadata: Metadata, path: str, flavor: str = "Google") -> tuple[int, str]:
    connection = http.client.HTTPConnection(metadata.host, timeout=10)
    connection.request("GET", path, headers={"Metadata-Flavor": flavor} if flavor else {})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def test_a_function_learns_who_it_is_and_gets_its_tokens(metadata: Metadata, accounts: Accounts) -> None:
    folder = "/computeMetadata/v1/instance/service-accounts/default"
    email = fetch(metadata, f"{folder}/email")[1]
    assert email == "predict@p.iam.gserviceaccount.com"
    answer = json.loads(fetch(metadata, f"{folder}/token?audience=https%3A%2F%2Fstorage")[1])
    assert accounts.principal(answer["access_token"]) == email
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] > 0
    identity = fetch(metadata, f"{folder}/identity?audience=https%3A%2F%2Fx")[1]
    assert accounts.principal(identity, "https://x") == email


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/computeMetadata/v1/project/project-id", "p"),
        ("/computeMetadata/v1/project/numeric-project-id", "123"),
        ("/computeMetadata/v1/instance/region", "projects/123/regions/europe-west1"),
    ],
)
def test_a_function_learns_where_it_is(metadata: Metadata, path: str, answer: str) -> None:
    assert fetch(metadata, path) == (200, answer)


@pytest.mark.parametrize(
    "path",
    [
        "/computeMetadata/v1/instance/service-accounts/other@p.iam.gserviceaccount.com/token",
        "/computeMetadata/v1/instance/service-accounts/default/identity",
        "/computeMetadata/v1/nothing",
    ],
)
def test_what_is_not_there_is_not_found(metadata: Metadata, path: str) -> None:
    assert fetch(metadata, path)[0] == 404


def test_a_metadata_request_without_its_header_is_refused(metadata: Metadata) -> None:
    assert fetch(metadata, "/computeMetadata/v1/instance/service-accounts/default/token", flavor="")[0] == 403


def test_whoever_may_make_tokens_for_an_account_has_what_it_says_signed(gcp: Gcp) -> None:
    signs, entrance = gcp.session.accounts.create("signs"), gcp.entrance
    way = Way(endpoint=entrance.endpoint, options=entrance.store_options)
    headers = Account(way).signed("GET", "https://x", b"", signs)
    token = headers["authorization"].removeprefix("Bearer ")
    key = gcp.session.signer.public(signs, f"{KEYS}{signs}", token)
    assert jwt.decode(token, key, algorithms=["RS256"], issuer=signs, audience=signs)["sub"] == signs
    other = gcp.session.accounts.create("signs-not")
    of_other = Account(Way(endpoint=entrance.endpoint, options={"bearer_token": gcp.session.accounts.token(other)}))
    with pytest.raises(Mistake, match=r"GCP refused to sign a request: 403 .*iam\.serviceAccounts\.signJwt"):
        of_other.signed("GET", "https://x", b"", signs)
    account = f"projects/p/serviceAccounts/{signs}"
    creator = "roles/iam.serviceAccountTokenCreator"
    gcp.session.bindings.add(Binding(resource=account, role=creator, member=f"serviceAccount:{other}"))
    assert of_other.signed("GET", "https://x", b"", signs)["authorization"].startswith("Bearer ")
    with pytest.raises(Mistake, match="403"):
        of_other.signed("GET", "https://x", b"", other)
    with pytest.raises(Mistake, match="404 nobody@p does not exist"):
        Account(way).signed("GET", "https://x", b"", "nobody@p")
