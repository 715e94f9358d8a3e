"""The careful road to a RecordRequest: for bodies that the usual one stumbles over.

Keys that Endu does not know are set apart, comments and trailing commas are forgiven, and every
key of the wrong shape is named; a stand-in takes its place, so that reading goes on and finds
the other faults as well.
"""

from typing import Any

from msgspec import Raw

from endu.events.json_text import Doubled, faults_in, read_any, without_comments
from endu.events.request import NON_STRICT_JSON, Blockchain, RecordRequest, Said
from endu.refusals import Problem, Reason, Refusal

_Shapes = dict[str, tuple[tuple[type, ...], str]]

_TEXT = (str,), "is a string"
_NAME = (str, int), "is a string, or an integer without fraction or exponent"
_TIME = (str, int, Raw), "is a decimal string or a number: Unix seconds"
_OBJECT = (dict,), "is an object"

_REQUIRED: _Shapes = {
    "property_id": _TEXT,
    "organization_id": _TEXT,
    "timestamp": _TIME,
    "event_type": _TEXT,
}
_OPTIONAL: _Shapes = {
    "event_data": _OBJECT,
    "p_user_id": _NAME,
    "platform_type": _TEXT,
    "property_type": _TEXT,
    "c_user_id": _NAME,
    "blockchain": _OBJECT,
    "fingerprint": _NAME,
    "message_id": _NAME,
    "api_key": _TEXT,
}
_BLOCKCHAIN: _Shapes = {"chain_type": _TEXT, "chain_account": _NAME}


def read_with_care(body: bytes, said: Said) -> RecordRequest:
    """Raises Refusal where the body is not JSON, or is not an object."""
    fields = _object_in(body, said)
    said.unknown = _unknown(fields, _REQUIRED | _OPTIONAL)
    known = _shaped(fields, "", _REQUIRED, _OPTIONAL, said)
    if "blockchain" in known:
        known["blockchain"] = _blockchain(known["blockchain"], said)
    said.problems += tuple(faults_in(said.unknown, ""))
    return RecordRequest(**known)


def _object_in(body: bytes, said: Said) -> dict[str, Any]:
    try:
        value = read_any(body)
    except Refusal:
        strict = without_comments(body)
        if strict == body:
            raise
        value = read_any(strict)
        said.warn(NON_STRICT_JSON)
    if not isinstance(value, dict):
        raise Refusal(Reason.INVALID_EVENT, problems=[Problem("", "is one JSON object")])
    return value


def _blockchain(chain: dict[str, Any], said: Said) -> Blockchain:
    unknown = _unknown(chain, _BLOCKCHAIN)
    if unknown:
        said.unknown = {**said.unknown, "blockchain": unknown}
    return Blockchain(**_shaped(chain, "blockchain.", _BLOCKCHAIN, {}, said))


def _shaped(
    fields: dict[str, Any], path: str, required: _Shapes, optional: _Shapes, said: Said
) -> dict[str, Any]:
    """The known keys; "" stands in for a required one that is missing or not of its shape."""
    if isinstance(fields, Doubled):
        said.problem(path.rstrip("."), f'has the key "{fields.twice[:40]}" more than once')
    known: dict[str, Any] = dict.fromkeys(required, "")
    for name, (types, shape) in (required | optional).items():
        value = fields.get(name)
        if isinstance(value, types) and value is not None and not isinstance(value, bool):
            known[name] = value
        elif value is not None:
            said.problem(path + name, shape)
        elif name in required:
            said.problem(path + name, "is required")
    return known


def _unknown(fields: dict[str, Any], known: _Shapes) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in known}
