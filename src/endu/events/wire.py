"""What an event says, in Endu's terms: from the JSON of seed 000.

Two roads lead to the same place. The usual event is decoded straight into a RecordRequest; any
other one (keys Endu does not know, comments, a fault anywhere) goes the careful road, so that
every problem can be named with its path, all of them at once.
"""

import re
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from endu.events.careful import read_with_care
from endu.events.json_text import encode, exact, faults_in, is_keepable
from endu.events.request import CHAIN_ACCOUNT_FORMAT, Blockchain, RecordRequest, Said
from endu.events.timestamp import milliseconds_of
from endu.identities.identifier import (
    PLATFORMS,
    Kind,
    NotAnIdentifier,
    c_user_id,
    fingerprint,
    platform_named,
    platform_user,
    wallet,
)
from endu.identities.placeholders import is_placeholder

MESSAGE_ID_LENGTH = 100
PROPERTY_ID_LENGTH = 200


def read_event(body: bytes, received_at_ms: int, idempotency_key: str | None = None) -> Said:
    """What the body says. Raises Refusal only where it is not JSON (MALFORMED_JSON), or no
    object, or nested beyond reading (INVALID_EVENT)."""
    said = Said()
    request = _usual(body) or read_with_care(body, said)
    said.organization_id = request.organization_id
    said.property_id = request.property_id
    said.event_type = request.event_type
    said.happened_at_ms = _time(request, received_at_ms, said)
    if request.event_data:
        said.data = _data(request.event_data, said)
    if idempotency_key or request.message_id is not UNSET:
        said.message_id = _message_id(request, idempotency_key, said)
    if not 0 < len(request.property_id) <= PROPERTY_ID_LENGTH:
        said.problem("property_id", f"is 1 to {PROPERTY_ID_LENGTH} characters long")
    _people(request, said)
    return said


_NAME = (str, int)  # absent ones are None or UNSET
_USER_OF = {platform: partial(platform_user, platform) for platform in PLATFORMS.values()}

_decode = msgspec.json.Decoder(RecordRequest, float_hook=exact).decode
_MINUS_ZERO = re.compile(rb"[\[:,\s]-0[\],}\s]")


def _usual(body: bytes) -> RecordRequest | None:
    """None where the body has to be read with care."""
    try:
        request = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    again = encode(request)
    if len(again) == len(body):  # nothing can be written in fewer bytes: so nothing is missing
        return request
    # A key that stood twice is gone from the request, and its quotes with it. An escape could
    # hide that (\u0022), and an integer loses the sign of -0.
    as_sent = (
        body.count(b'"') == again.count(b'"')
        and not (b"\\" in body and b"\\u" in body)
        and not (b"-0" in body and _MINUS_ZERO.search(body))
    )
    return request if as_sent else None


def _time(request: RecordRequest, received_at_ms: int, said: Said) -> int:
    try:
        return milliseconds_of(request.timestamp, received_at_ms)
    except ValueError as fault:
        said.problem("timestamp", str(fault))
        return 0


def _data(data: dict[str, Any], said: Said) -> bytes:
    if is_keepable(data):
        return encode(data)
    said.problems += tuple(faults_in(data, "event_data"))
    return b"{}"


def _message_id(request: RecordRequest, header: str | None, said: Said) -> str | None:
    """The event's own goes before the header's: a proxy may have set that one."""
    if request.message_id is not UNSET and request.message_id not in (None, ""):
        path, message_id = "message_id", str(request.message_id)
    elif header:
        path, message_id = "Idempotency-Key", header
    else:
        return None
    if len(message_id) > MESSAGE_ID_LENGTH:
        said.problem(path, f"is at most {MESSAGE_ID_LENGTH} characters long")
    return message_id


def _people(request: RecordRequest, said: Said) -> None:
    """Strongest kind first (R5)."""
    if isinstance(request.c_user_id, _NAME):
        said.name("c_user_id", request.c_user_id, c_user_id)
    platform = _platform(request, said)
    if isinstance(request.p_user_id, _NAME):
        _platform_user(request.p_user_id, platform, said)
    if isinstance(request.blockchain, Blockchain):
        _wallet(request.blockchain, said)
    if isinstance(request.fingerprint, _NAME):
        said.name("fingerprint", request.fingerprint, fingerprint)
    said.platform = platform.value if platform else _without_platform(request)


def _platform(request: RecordRequest, said: Said) -> Kind | None:
    """Under either of its names (the seed's text has one, its examples the other)."""
    kind = _platform_in("platform_type", request.platform_type, said)
    if request.property_type is UNSET:
        return kind
    other = _platform_in("property_type", request.property_type, said)
    if kind and other and kind is not other:
        said.problem("property_type", "is the same as platform_type, or left out")
    return kind or other


def _platform_in(path: str, name: str | UnsetType | None, said: Said) -> Kind | None:
    if not name:
        return None
    try:
        return platform_named(name)
    except NotAnIdentifier as fault:
        said.problem(path, str(fault))
        return None


def _platform_user(user_id: str | int, platform: Kind | None, said: Said) -> None:
    if platform is not None:
        said.name("p_user_id", user_id, _USER_OF[platform])
    elif is_placeholder(str(user_id)):
        said.block("p_user_id", user_id)
    else:
        said.problem("platform_type", "goes with p_user_id: Discord or Telegram")


def _wallet(chain: Blockchain, said: Said) -> None:
    sent = str(chain.chain_account)
    said.chain_type = chain.chain_type.strip().lower()
    try:
        identifier, certain = wallet(chain.chain_type, sent)
    except NotAnIdentifier as fault:
        named = "chain_account" if said.chain_type else "chain_type"
        said.problem(f"blockchain.{named}", str(fault))
        return
    if identifier is None:
        said.block("blockchain.chain_account", sent)
        return
    said.identifiers += (identifier,)
    if not certain:
        said.warn(CHAIN_ACCOUNT_FORMAT)
    if not identifier.endswith(f":{sent}"):
        said.chain_account = sent


def _without_platform(request: RecordRequest) -> str:
    """Where an event came from that names no platform."""
    if isinstance(request.blockchain, Blockchain):
        return "wallet"
    return "web" if isinstance(request.fingerprint, _NAME) else ""
