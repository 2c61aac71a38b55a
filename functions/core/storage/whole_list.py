"""List a folder to its end, although the store's client stops at a key that it does not take.

Anybody who uploads can write such a key: `incoming//data.csv`. From there on the store itself is asked,
by the XML interface that S3 and Cloud Storage share.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import InvalidPathError
from obstore.store import S3Store

from functions.core.storage.keys import ODD, Entry
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from xml.etree.ElementTree import Element

SECONDS = 20
"""How long a page may take."""


@dataclass(frozen=True, kw_only=True)
class WholeList:
    """The lists of one store. `ask` returns a page as XML; `passed_over` is told of every key that is left out."""

    ask: Callable[[Mapping[str, str]], bytes]
    passed_over: Callable[[str], object]

    def after(self, client: Iterator[Entry], folder: str) -> Iterator[Entry]:
        """Yield what the client lists of a folder, and what it would have listed without its odd keys."""
        last = ""
        try:
            for entry in client:
                last = entry.key
                yield entry
        except InvalidPathError:
            for entry in self._entries(folder):
                if ODD.search(entry.key):
                    self.passed_over(entry.key)
                elif entry.key > last:
                    yield entry

    def _entries(self, folder: str) -> Iterator[Entry]:
        from urllib.parse import unquote_plus  # noqa: PLC0415 - hardly ever needed
        from xml.etree.ElementTree import fromstring  # noqa: PLC0415

        query = {"list-type": "2", "prefix": f"{folder}/", "encoding-type": "url"}
        while True:
            page = fromstring(self.ask(query))  # noqa: S314 - of the store itself
            for item in (part for part in page if _tag(part) == "Contents"):
                facts = {_tag(fact): fact.text or "" for fact in item}
                modified = datetime.fromisoformat(facts["LastModified"])
                yield Entry(key=unquote_plus(facts["Key"]), size=int(facts["Size"]), modified=modified)
            token = next((part.text for part in page if _tag(part) == "NextContinuationToken"), None)
            if not token:
                return
            query = {**query, "continuation-token": token}


def ask_s3(bucket: str, options: Mapping[str, Any]) -> Callable[[Mapping[str, str]], bytes]:
    """Return what asks S3 for a page, by a URL that the client signs."""

    def sign(key: str, options: Mapping[str, Any]) -> str:
        return obstore.sign(S3Store(bucket, **options), "GET", key, timedelta(seconds=60))

    def ask(query: Mapping[str, str]) -> bytes:
        from urllib.parse import urlencode, urlsplit  # noqa: PLC0415 - hardly ever needed

        address = urlsplit(sign("key", options))
        folder = address.path.removesuffix("key")
        # The client appends a key to its endpoint; the store ignores a parameter of this name, and the key in it.
        endpoint = f"{address.scheme}://{address.netloc}{folder}?{urlencode(query)}&x-key="
        return _fetched(sign("key", {**options, "endpoint": endpoint, "virtual_hosted_style_request": True}), {})

    return ask


def ask_cloud_storage(bucket: str, address: str, token: Callable[[], str]) -> Callable[[Mapping[str, str]], bytes]:
    """Return what asks Cloud Storage for a page, with a token."""

    def ask(query: Mapping[str, str]) -> bytes:
        from urllib.parse import urlencode  # noqa: PLC0415 - hardly ever needed

        return _fetched(f"{address}/{bucket}?{urlencode(query)}", {"authorization": f"Bearer {token()}"})

    return ask


def _fetched(url: str, headers: Mapping[str, str]) -> bytes:
    """Return the body of an answer. Raise `OSError` for any status but 200."""
    from urllib.request import Request, urlopen  # noqa: PLC0415 - hardly ever needed

    with urlopen(Request(url, headers=dict(headers)), timeout=SECONDS) as response:  # noqa: S310 - of a store
        return response.read()


def _tag(element: Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]
