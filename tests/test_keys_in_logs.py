"""No key is ever written down: not in what the server prints, not in any file it keeps."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from backports import zstd

from endu.organizations.keyring import KeyKind, make_key
from tests.running import CLEAN, ENDU, WITHIN_SECONDS

SHOWS = 10  # so many characters of a key are no accident
ESCAPE = re.compile(rb"\\u00([2-7][0-9a-fA-F])")
NOT_SECRET = len("endu_sk_")


def test_no_key_is_in_what_is_printed_or_kept(tmp_path: Path) -> None:
    data, printed = tmp_path / "data", tmp_path / "printed"
    with printed.open("wb") as errors:
        command = [ENDU, "up", "--data", str(data), "--port", "0", "--json"]
        server = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**CLEAN, "ENDU_LOG_LEVEL": "debug", "ENDU_SEGMENT_RECORDS": "100"},
        )
        with server:
            assert server.stdout is not None
            started = json.loads(server.stdout.readline())
            operator = (data / "operator.key").read_text().strip()
            keys = ask_in_every_way(started, operator)
            until_a_segment_is_sealed(data)
            server.terminate()
            said = server.stdout.read()
            server.wait(WITHIN_SECONDS)
    assert server.returncode == 0
    texts = {"stdout": said, "stderr": printed.read_bytes()}
    files = [path for path in data.rglob("*") if path.is_file() and path.name != "operator.key"]
    texts |= {str(path.relative_to(data)): content(path) for path in files}
    assert {"inbox.db", "registry.db", "directory.db"} <= texts.keys()
    for name, text in texts.items():
        readable = plain(text)
        for key in keys:
            assert not shown(key, readable), f"{name} has a {key[:NOT_SECRET]} key"


def until_a_segment_is_sealed(data: Path) -> None:
    until = time.monotonic() + WITHIN_SECONDS
    while not list(data.glob("segments/*.zst")):
        assert time.monotonic() < until
        time.sleep(0.05)


def content(path: Path) -> bytes:
    """Sealed segments are packed."""
    packed = path.read_bytes()
    return zstd.decompress(packed) if path.suffix == ".zst" else packed


def plain(text: bytes) -> bytes:
    """With letters for their escapes."""
    return ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text)


def shown(key: str, text: bytes) -> bool:
    secret = key[NOT_SECRET:].encode()
    return any(secret[at : at + SHOWS] in text for at in range(0, len(secret) - SHOWS, SHOWS // 2))


def escaped(key: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in key)


def ask_in_every_way(started: dict[str, Any], operator: str) -> list[str]:
    """Returns every key that was sent, live or not."""
    with httpx.Client(base_url=started["address"], timeout=WITHIN_SECONDS) as client:
        revoked = revoked_key(client, operator)
        unknown = [make_key(kind, bytes([place] * 32)) for place, kind in enumerate(KeyKind)]
        keys = [started["secret_key"], started["publishable_key"], operator, revoked, *unknown]
        for key in [*keys, keys[0][:-3]]:
            for path, body in bodies(started, key):
                for sent in (f"Bearer {key}", None):
                    headers = {} if sent is None else {"Authorization": sent}
                    client.post(path, content=body, headers=headers)
            ask(client, key)
    return keys


def ask(client: httpx.Client, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    for path in ("/limits", f"/limits?api_key={key}", f"/no/{key}", f"/identities/{key}"):
        client.get(path, headers=headers)
        client.get(path)
    client.post("/journeys/sql", json={"sql": f"SELECT '{key}'"}, headers=headers)
    for other in (key, f"Basic {key}"):
        client.post("/events/record", content=b"{}", headers={"Authorization": other})
    client.get("/limits", headers={"Cookie": key, "Endu-Organization": key, **headers})
    client.request("BREW", f"/{key}")


def bodies(started: dict[str, Any], key: str) -> Iterator[tuple[str, bytes]]:
    """Events that are kept, refused, broken, with the key where it belongs and where it does
    not."""
    event = {
        "organization_id": started["organization_id"],
        "property_id": "p",
        "timestamp": "1",
        "event_type": "BEGIN_EVENT",
        "fingerprint": "a1b2",
    }
    for refused in ({}, {"timestamp": "never"}, {"event_type": "NEVER_REGISTERED"}):
        whole = json.dumps({**event, **refused, "api_key": key})
        for text in (whole, whole.replace(key, escaped(key)), half_escaped(whole, key)):
            yield "/events/record", text.encode()
            yield "/events/record", text[:-1].encode()
            yield "/events/record/batch", f"[{text},{text[:-1]}]".encode()
            yield "/events/record/batch", f"{text}\n{text[:-1]}".encode()


def half_escaped(text: str, key: str) -> str:
    """Every second letter."""
    mixed = "".join(escaped(letter) if at % 2 else letter for at, letter in enumerate(key))
    return text.replace(key, mixed)


def revoked_key(client: httpx.Client, operator: str) -> str:
    headers = {"Authorization": f"Bearer {operator}"}
    made = client.post("/keys", json={"kind": "secret"}, headers=headers).json()["data"]
    assert client.delete(f"/keys/{made['key_id']}", headers=headers).status_code == 200
    key: str = made["key"]
    return key
