"""The command line: what it prints, how it ends, and that it reaches the server."""

import json
import shlex
import socket
import subprocess
import sys
from inspect import signature
from pathlib import Path

import httpx
import pytest

from endu import assembly
from endu.announcements import FirstEvent, Started
from endu.cli.engine import Engine
from endu.cli.greeting import as_json, first_curl, first_event, welcome
from endu.cli.identities import question
from endu.cli.limits import read_changes
from endu.cli.operator import address_of, sentence_of
from endu.cli.stop import Stop
from endu.cli.up import sayer
from endu.settings import Settings
from tests.running import CLEAN, endu

STARTED = Started(
    address="http://127.0.0.1:8400",
    organization_id="848WN4oEUgisKrV9dY9Ni6",
    property_id="D#1007491775344160808",
    secret_key="endu_sk_secret",
    publishable_key="endu_pk_public",
    first_start=True,
)
LATER = Started(
    address="http://127.0.0.1:8400",
    organization_id="848WN4oEUgisKrV9dY9Ni6",
    property_id="D#1007491775344160808",
    secret_key=None,
    publishable_key=None,
    first_start=False,
)


def say(command: str) -> str:
    return f"endu {command}"


def test_the_first_start_shows_everything_that_is_needed() -> None:
    text = welcome(STARTED, say, 1_700_000_000)
    for part in ("http://127.0.0.1:8400", STARTED.organization_id, STARTED.property_id,
                 "endu_sk_secret", "endu_pk_public", "curl -i"):  # fmt: skip
        assert part in text


def test_a_later_start_shows_where_and_no_key() -> None:
    text = welcome(LATER, say, 1_700_000_000)
    assert "http://127.0.0.1:8400" in text
    assert "endu_" not in text and "None" not in text


def test_the_curl_is_one_shell_command_with_the_seeds_event() -> None:
    words = shlex.split(first_curl(STARTED, 1_700_000_000).replace("\\\n", " "))
    assert words[:3] == ["curl", "-i", "http://127.0.0.1:8400/events/record"]
    event = json.loads(words[words.index("-d") + 1])
    assert event["timestamp"] == "1700000000"
    assert (event["organization_id"], event["property_id"]) == (
        STARTED.organization_id,
        STARTED.property_id,
    )


def test_the_first_event_is_reported_with_the_identity_it_went_to() -> None:
    came = FirstEvent(
        event_type="LINK_TRACKING_CLICK",
        record_id="r",
        identifiers=("discord:1",),
        c_user_id="59078598125872925",
    )
    assert "discord:1 went to the identity 59078598125872925" in first_event(came, say)
    assert "endu identities timeline 59078598125872925" in first_event(came, say)
    nobody = FirstEvent(event_type="BEGIN_EVENT", record_id="r", identifiers=(), c_user_id=None)
    assert "belongs to no identity" in first_event(nobody, say)


def test_json_is_one_line_with_every_field() -> None:
    line = as_json(STARTED)
    assert "\n" not in line
    assert set(json.loads(line)) == set(Started.__struct_fields__)


def test_what_is_printed_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = Settings()
    assert sayer(here, "/usr/bin/endu")("keys list") == "/usr/bin/endu keys list"
    assert sayer(here, "endu")("keys list") == "endu keys list"
    venv = str(tmp_path / ".venv/bin/endu")
    there = Settings(data=Path("my data"))
    assert sayer(there, venv)("keys list") == ".venv/bin/endu keys list --data 'my data'"


def test_the_address_is_where_the_server_said_it_is(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port=9000)
    assert address_of(settings) == "http://127.0.0.1:9000"
    settings.address_file.write_text("http://127.0.0.1:4711\n")
    assert address_of(settings) == "http://127.0.0.1:4711"


def test_identifiers_are_asked_for_by_kind() -> None:
    assert question("discord:7") == {"discord": "7"}
    assert question("wallet:solana:So1") == {"wallet": "So1", "chain_type": "solana"}
    for wrong in ("discord:", "wallet:0x1", "mail:a@b", "someone"):
        with pytest.raises(Stop, match="is no identifier"):
            question(wrong)


def test_limits_are_set_by_name_and_value() -> None:
    said = ["event_types_at_most=200", "record_always_200=true", "identity.wallet=20"]
    assert read_changes([*said, "unknown_c_user_id=refuse"]) == {
        "event_types_at_most": 200,
        "record_always_200": True,
        "identity": {"wallet": 20},
        "unknown_c_user_id": "refuse",
    }
    with pytest.raises(Stop, match="NAME=VALUE"):
        read_changes(["event_types_at_most"])


def test_a_refusal_becomes_a_sentence_with_its_problems() -> None:
    request = httpx.Request("GET", "http://127.0.0.1/keys")
    problems = {"problems": [{"path": "kind", "message": "is one of secret, publishable"}]}
    refusal = {"success": False, "data": problems, "error": "NO", "error_text": "Not so."}
    sentence = sentence_of(httpx.Response(400, json=refusal, request=request))
    assert sentence == "NO: Not so.\n  kind: is one of secret, publishable"
    assert "502" in sentence_of(httpx.Response(502, text="<html>", request=request))


@pytest.mark.parametrize(
    ("words", "environment", "exit_code", "says"),
    [
        (["up"], {"ENDU_PROT": "1"}, 2, "did you mean ENDU_PORT?"),
        (["up", "--port", "70000"], {}, 2, "0 to 65535"),
        (["keys", "list"], {}, 2, "operator.key"),
        (["frobnicate"], {}, 2, "No such command"),
        (["failed", "replay"], {}, 2, "operator.key"),
    ],
)
def test_a_mistake_is_one_sentence_and_an_exit_code(
    tmp_path: Path, words: list[str], environment: dict[str, str], exit_code: int, says: str
) -> None:
    done = endu(*words, cwd=tmp_path, env={**CLEAN, **environment})
    assert done.returncode == exit_code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_silence_is_told_from_refusal(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "operator.key").write_text("endu_ok_any")
    (tmp_path / "address").write_text(f"http://127.0.0.1:{port}")
    done = endu("keys", "list", "--data", str(tmp_path))
    assert done.returncode == 3
    assert f"endu up --data {tmp_path}" in done.stderr


def test_only_commands_that_need_the_engine_load_it() -> None:
    loaded = "import sys, endu.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    heavy = {"endu.assembly", "chdb", "pyarrow", "sqlalchemy", "litestar", "uvicorn"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("name", ["run", "verify", "rebuild"])
def test_the_engine_offers_what_the_command_line_asks_of_it(name: str) -> None:
    _, *asked = signature(getattr(Engine, name)).parameters.values()
    offered = list(signature(getattr(assembly, name)).parameters.values())
    assert offered[: len(asked)] == asked
    assert all(more.default is not more.empty for more in offered[len(asked) :])
