"""Writes a data directory as this version leaves it, for later versions to open.

python -m tests.upgrades.make      before each release, and before a schema changes after it
"""

import tarfile
import tempfile
from pathlib import Path
from typing import Any

from endu import __version__
from tests.running import Running, running

HERE = Path(__file__).parent
PEOPLE, EVENTS = 5, 40
# What is made again at each start, or says nothing.
LEFT_OUT = {"ballast", "lock", "address", "temporary"}


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        with running(data) as server:
            fill(server)
        archive = HERE / f"{__version__}.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(data, "data", filter=_kept)
        print(f"{archive}: {archive.stat().st_size:,} bytes")


def fill(server: Running) -> None:
    """Of everything that is kept, a little: people who join, a type with a schema, a rule, a
    failed event, a message id."""
    with server.client() as client:
        made = client.post(
            "/events/create/eventid",
            json={
                "event_type": "ITEM_PURCHASED",
                "event_display_name": "Bought",
                "event_data_schema": {"price": "number"},
            },
        )
        assert made.status_code == 200, made.text
        for number in range(EVENTS):
            sent = client.post("/events/record", json=event(server, number))
            assert sent.status_code == 200, sent.text
        failed = client.post("/events/record", json=event(server, 0, event_type="UNREGISTERED"))
        assert failed.status_code == 422, failed.text
        rule = client.post(
            "/rules", json={"rule": "never-link", "a": "discord:8888", "b": "discord:9999"}
        )
        assert rule.status_code == 200, rule.text
        client.get("/events", params={"fresh": "true"})


def event(server: Running, number: int, **more: Any) -> dict[str, Any]:
    person = number % PEOPLE
    wallet = {"chain_type": "ethereum", "chain_account": f"0x{person + 1:040x}"}
    return {
        "property_id": "D#1",
        "organization_id": server.organization_id,
        "timestamp": 1_700_000_000 + number,
        "event_type": "ITEM_PURCHASED",
        "event_data": {"price": number},
        "p_user_id": str(1000 + person),
        "platform_type": "Discord",
        "message_id": f"event {number}",
        **({"blockchain": wallet} if number >= PEOPLE else {}),
        **more,
    }


def _kept(found: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if LEFT_OUT & set(Path(found.name).parts):
        return None
    found.uid = found.gid = 0
    found.uname = found.gname = ""
    return found


if __name__ == "__main__":
    main()
