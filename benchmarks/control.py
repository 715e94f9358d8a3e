"""What Endu's recording is measured against: the least that could be done on the same server.

A bare ASGI app that decodes the same body into a Struct and answers an empty 200. It checks no
key, keeps nothing, and knows nobody. `python -m benchmarks.control --port 8500`.
"""

import argparse
from typing import Any

import msgspec
import uvicorn
from msgspec import Struct


class Blockchain(Struct):
    chain_type: str
    chain_account: str


class SeedEvent(Struct):
    property_id: str
    organization_id: str
    timestamp: str | int | float
    event_type: str
    event_data: msgspec.Raw
    p_user_id: str | int | None = None
    platform_type: str | None = None
    property_type: str | None = None
    c_user_id: str | None = None
    blockchain: Blockchain | None = None
    fingerprint: str | None = None
    message_id: str | None = None


decode = msgspec.json.Decoder(SeedEvent).decode

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
BODY = {"type": "http.response.body", "body": b""}


async def app(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    decode(body)
    await send(START)
    await send(BODY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=asked.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
