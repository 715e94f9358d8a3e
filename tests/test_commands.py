"""Every command against a real server, as a person would type it."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.running import CLEAN, ENDU, WITHIN_SECONDS, Running, running

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("commands") / "data") as server:
        server.json("event-types", "create", "ITEM_PURCHASED")
        yield server


def test_a_newcomer_pastes_the_curl_and_sees_whose_it_is(tmp_path: Path) -> None:
    data = tmp_path / "endu-data"
    with started(data) as newcomer:
        text = until(newcomer, "Waiting for it")
        curl = text[text.index("curl -i") : text.index("Waiting for it")]
        pasted = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True)
        assert pasted.stdout.startswith("HTTP/1.1 200 OK")
        reported = until(newcomer, "went to the identity").splitlines()[-1]
        number = reported.rstrip(".").rpartition(" ")[2]
    assert newcomer.returncode == 0
    with started(data) as again:
        text = until(again, "Endu answers at")
        assert "endu_sk_" not in text
        done = subprocess.run(
            [ENDU, "identities", "timeline", number, "--data", str(data), "--json"],
            capture_output=True, text=True, check=True, env=CLEAN,
        )  # fmt: skip
        (item,) = json.loads(done.stdout)
        assert item["event_type"] == "LINK_TRACKING_CLICK"
        assert item["because"] == "discord:702877938567086080"
    assert again.returncode == 0


def test_an_organization_is_made_found_by_name_and_given_other_limits(server: Running) -> None:
    made = server.json("organizations", "create", "another")
    assert made in server.json("organizations", "list")
    said = ("organizations", "limits", "--organization", "another")
    changed = server.json(*said, "--set", "event_types_at_most=7", "--set", "identity.wallet=20")
    assert changed["organization_id"] == made["organization_id"]
    now = server.json("limits", "--organization", made["organization_id"])
    assert (now["settings"]["event_types_at_most"], now["identity"]["wallet"]) == (7, 20)
    days = ("--set", "retention_days=30", "--set", "retention_days_by_event_type.BEGIN_EVENT=null")
    tried = server.json(*said, *days, "--dry-run")
    assert tried["would_let_go"] == {"events": 0, "failed_events": 0}
    assert tried["settings"]["retention_days"] is None
    kept = server.json(*said, *days)["settings"]
    assert (kept["retention_days"], kept["retention_days_by_event_type"]) == (
        30,
        {"BEGIN_EVENT": None},
    )
    shown = server.endu(*said, "--set", "retention_days_by_event_type={}").stdout
    assert "retention_days_by_event_type." not in shown and "retention_days" in shown
    unknown = server.endu("limits", "--organization", "nobody's")
    assert unknown.returncode == 2 and "another" in unknown.stderr


def test_a_revoked_key_is_dead(server: Running) -> None:
    made = server.json("keys", "create", "--name", "short-lived", "--scope", "read")
    headers = {"Authorization": f"Bearer {made['key']}"}
    with server.client() as client:
        assert client.get("/limits", headers=headers).status_code == 200
        server.json("keys", "revoke", made["key_id"])
        assert client.get("/limits", headers=headers).status_code == 401
    (listed,) = [key for key in server.json("keys", "list") if key["key_id"] == made["key_id"]]
    assert listed["revoked_at"] is not None
    assert "key" not in listed


def test_event_types_are_registered_once_and_their_schemas_tried(
    server: Running, tmp_path: Path
) -> None:
    made = server.json("event-types", "create", "SCHEMA_TRIED", "--display-name", "Tried")
    again = server.endu("event-types", "create", "SCHEMA_TRIED")
    assert again.returncode == 1 and "DUPLICATE_EVENT_TYPE" in again.stderr
    names = [each["event_type"] for each in server.json("event-types", "list")]
    assert "SCHEMA_TRIED" in names and "BEGIN_EVENT" in names
    send(server, event_type="SCHEMA_TRIED", p_user_id="5", event_data={"price": "cheap"})
    server.json("events", "tail", "--no-follow", "--limit", "1")  # waits until all has settled
    schema = tmp_path / "schema.json"
    schema.write_text('{"price": "number"}')
    tried = server.json("event-types", "schema", "SCHEMA_TRIED", str(schema), "--dry-run")
    assert (tried["event_id"], tried["violating"]) == (made["event_id"], 1)
    assert tried["version"] is None


def test_people_are_shown_explained_parted_and_joined_again(server: Running) -> None:
    discord, wallet = "discord:11", f"wallet:ethereum:{WALLET}"
    chain = {"blockchain": {"chain_type": "ethereum", "chain_account": WALLET}}
    send(server, p_user_id="11", **chain)
    send(server, **chain)
    person = server.json("identities", "show", discord)
    assert {each["kind"] for each in person["identifiers"]} == {"discord", "wallet"}
    assert len(server.json("identities", "timeline", wallet)) == 2
    assert server.json("identities", "explain", discord, wallet)["same"]

    said = ("identities", "unlink", discord, wallet, "--reason", "two people")
    tried = server.json(*said, "--dry-run")
    assert tried["rule_id"] is None and tried["events_moved"] == 1
    rule = server.json(*said)
    assert not server.json("identities", "explain", discord, wallet)["same"]
    assert rule["rule_id"] in [each["rule_id"] for each in server.json("identities", "undo")]
    server.json("identities", "undo", rule["rule_id"])
    assert server.json("identities", "show", discord) == person


def test_strangers_are_linked_by_an_operator(server: Running) -> None:
    send(server, p_user_id="21")
    send(server, p_user_id="22", platform_type="Telegram")
    pair = ("discord:21", "telegram:22")
    server.json("identities", "link", *pair, "--reason", "told us so")
    numbers = {server.json("identities", "show", each)["c_user_id"] for each in pair}
    assert len(numbers) == 1


def test_a_refused_event_is_listed_and_passes_once_its_type_is_there(server: Running) -> None:
    refused = server.endu("record", input=event_of(event_type="LATER_KNOWN", p_user_id="31"))
    assert refused.returncode == 1 and "UNKNOWN_EVENT_TYPE" in refused.stderr
    by_reason = ("--reason", "UNKNOWN_EVENT_TYPE")
    assert len(server.json("failed", "list", *by_reason)) == 1
    server.json("event-types", "create", "LATER_KNOWN")
    assert server.json("failed", "replay", *by_reason, "--dry-run")["passed"] == 1
    assert server.json("failed", "replay", *by_reason)["passed"] == 1
    assert server.json("failed", "list", *by_reason) == []
    assert len(server.json("identities", "timeline", "discord:31")) == 1


def test_the_newest_events_are_watched_as_they_come(server: Running) -> None:
    ids = [send(server, p_user_id=str(41 + n))["record_id"] for n in range(3)]
    done = server.endu("events", "tail", "--no-follow", "--limit", "3", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["record_id"] for event in events] == ids
    shown = server.endu("events", "tail", "--no-follow", "--limit", "1")
    assert "ITEM_PURCHASED" in shown.stdout and "discord:43" in shown.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["organizations", "list"],
        ["organizations", "limits"],
        ["keys", "list"],
        ["event-types", "list"],
        ["limits"],
        ["failed", "list"],
        ["identities", "undo"],
    ],
    ids=" ".join,
)
def test_every_list_is_drawn_for_people_too(server: Running, words: list[str]) -> None:
    done = server.endu(*words)
    assert done.returncode == 0, done.stderr


def test_while_a_server_runs_its_directory_is_left_alone(server: Running) -> None:
    for words in (["up", "--port", "0"], ["verify"], ["rebuild"]):
        done = server.endu(*words)
        assert done.returncode == 1
        assert "Another Endu works on" in done.stderr and "Traceback" not in done.stderr


def test_verify_finds_nothing_and_rebuild_finds_everything_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as server:
        server.json("event-types", "create", "ITEM_PURCHASED")
        send(server, p_user_id="1", fingerprint="f")
        before = server.json("identities", "timeline", "discord:1")
    verified = server.json("verify")
    assert (verified["records"], verified["events"], verified["damage"]) == (1, 1, [])
    shutil.rmtree(data / "ledger")
    damaged = server.endu("verify", "--json")
    assert damaged.returncode == 4
    (damage,) = json.loads(damaged.stdout)["damage"]
    assert "missing in the ledger" in damage["what"]
    (data / "directory.db").unlink()
    assert server.json("rebuild") == {"records": 1, "events": 1, "set_aside": 0}
    assert server.json("verify")["damage"] == []
    with running(data) as server:
        assert server.json("identities", "timeline", "discord:1") == before


@contextmanager
def started(data: Path) -> Iterator[subprocess.Popen[str]]:
    """`endu up` in a terminal of its own; Ctrl-C ends it."""
    command = [ENDU, "up", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=CLEAN) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(WITHIN_SECONDS)


def until(process: subprocess.Popen[str], words: str) -> str:
    """Everything it prints up to the line with these words."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if words in line:
            return text
    raise AssertionError(f"{words!r} never came; it said {text!r}")


def event_of(**facts: Any) -> str:
    usual = {"property_id": "D#1", "event_type": "ITEM_PURCHASED", "timestamp": 1672536219}
    platform = {"platform_type": "Discord"} if "p_user_id" in facts else {}
    return json.dumps({**usual, **platform, **facts})


def send(server: Running, **facts: Any) -> Any:
    done = server.endu("record", "--json", input=event_of(**facts))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
