from __future__ import annotations

import pytest

from functions.adapters.gcp.environment import NOBODY, store_options

EMULATOR = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9023"}
METADATA = {"GCE_METADATA_HOST": "127.0.0.1:9024", "GCE_METADATA_IP": "127.0.0.1:9024"}


def test_in_the_cloud_the_client_asks_the_metadata_server_by_itself() -> None:
    assert store_options({}) == {}


@pytest.mark.parametrize("host", ["http://127.0.0.1:9023", "127.0.0.1:9023"])
def test_an_emulator_is_called_with_a_token_of_its_metadata_server(host: str) -> None:
    options = store_options({"STORAGE_EMULATOR_HOST": host, **METADATA})
    assert options == {"base_url": "http://127.0.0.1:9023"}


@pytest.mark.parametrize("missing", METADATA)
def test_no_token_is_asked_for_where_the_client_could_turn_to_googles_address(missing: str) -> None:
    options = store_options({**EMULATOR, **{name: value for name, value in METADATA.items() if name != missing}})
    assert options == {"base_url": "http://127.0.0.1:9023", "bearer_token": NOBODY}
