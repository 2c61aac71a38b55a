"""The size of messages between the Pulumi CLI and its plugins: without a bound, as archives are in them."""

from __future__ import annotations

from typing import Final

UNLIMITED: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
