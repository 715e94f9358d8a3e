"""A disk that fills up: said before it is full, nothing lost, and recording goes on by itself."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import CLEAN, Running, endu, running
from tests.small_disk import fill, fill_inodes, small_disk, small_ext4

MEGABYTES = 160
LONG = "ENDU_LONG" in os.environ
TIMES = 20 if LONG else 2  # that a disk is full, and is not
KINDS = [small_ext4, small_disk] if LONG else [small_ext4]
RECOVERS_WITHIN_SECONDS = 10
CLOSES_WITHIN_SECONDS = 5

# Nine million groups: several times what a question may hold in memory.
PAIRS = """
SELECT count() FROM (SELECT concat(a.event_data, b.event_data) AS pair
  FROM events AS a CROSS JOIN events AS b GROUP BY pair)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "disk"


class Sender:
    """Remembers what was acknowledged."""

    def __init__(self, server: Running, client: httpx.Client, key: str) -> None:
        self._server = server
        self.key = key
        self._client = client
        self.kept: set[int] = set()
        self._next = 0

    def send(self) -> httpx.Response:
        self._next += 1
        answer = self._client.post("/events/record", json=self._event(self._next))
        if answer.status_code == 200:
            self.kept.add(self._next)
        return answer

    def send_batch(self, size: int) -> httpx.Response:
        numbers = range(self._next + 1, self._next + 1 + size)
        self._next += size
        events = [self._event(number) for number in numbers]
        answer = self._client.post("/events/record/batch", json=events)
        if answer.status_code == 200:
            results = answer.json()["data"]["results"]
            kept = [n for n, said in zip(numbers, results, strict=True) if said["result"] == "ok"]
            self.kept.update(kept)
        return answer

    def ready(self) -> httpx.Response:
        return self._client.get("/health/ready")

    def counted(self) -> Counter[int]:
        sql = "SELECT JSONExtractUInt(event_data, 'n') AS n, count() AS c FROM events GROUP BY n"
        answer = self.ask_sql(sql, fresh=True)
        assert answer.status_code == 200, answer.text
        return Counter({n: times for n, times in answer.json()["data"]["rows"]})

    def ask_sql(self, sql: str, fresh: bool = False) -> httpx.Response:
        return self._client.post("/journeys/sql", json={"sql": sql, "fresh": fresh})

    def register(self, name: str) -> httpx.Response:
        return self._client.post(
            "/events/create/eventid", json={"event_type": name, "event_display_name": name}
        )

    def registered(self) -> set[str]:
        said = self._client.get("/event-types").json()["data"]
        return {each["event_type"] for each in said["items"]}

    def metrics(self) -> dict[str, float]:
        lines = self._client.get("/metrics").text.splitlines()
        told = [line.rsplit(" ", 1) for line in lines if line[0] != "#"]
        return {name: float(value) for name, value in told}

    def _event(self, number: int) -> dict[str, Any]:
        return {
            "property_id": "D#1",
            "organization_id": self._server.organization_id,
            "timestamp": "1672536219",
            "event_type": "BEGIN_EVENT",
            "event_data": {"n": number, "text": f"{number:x}" * 20},
            "p_user_id": str(number % 7 + 1),
            "platform_type": "Discord",
        }


@contextmanager
def sending(data: Path, more: Mapping[str, str] = CLEAN, key: str = "") -> Iterator[Sender]:
    """To a server of its own. `key` is that of an earlier start."""
    with running(data, more) as server:
        key = key or server.secret_key
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=server.address, headers=headers, timeout=60) as client:
            yield Sender(server, client, key)


def until(what: Callable[[], bool], within_seconds: float) -> None:
    end = time.monotonic() + within_seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def is_closed(sender: Sender) -> bool:
    answer = sender.send()
    assert answer.status_code in (200, 503), answer.text
    return answer.status_code == 503 and answer.json()["error"] == "DISK_FULL"


def everything_kept_is_there_once(sender: Sender) -> None:
    until(lambda: sender.metrics()["endu_settle_waiting"] == 0, RECOVERS_WITHIN_SECONDS)
    counted = sender.counted()
    assert sender.kept - counted.keys() == set()
    assert [n for n, times in counted.items() if times > 1] == []


def test_below_the_reserve_nothing_is_recorded_and_above_it_everything_again(place: Path) -> None:
    with small_disk(place, MEGABYTES) as disk, sending(disk / "data") as sender:
        assert sender.send().status_code == 200
        assert sender.send_batch(500).status_code == 200
        for _ in range(TIMES):
            filler = fill(disk, leave_bytes=12 << 20)  # of a reserve of 16
            until(lambda: is_closed(sender), CLOSES_WITHIN_SECONDS)
            answer = sender.send()
            assert (answer.status_code, answer.json()["error"]) == (503, "DISK_FULL")
            assert answer.headers["retry-after"] == "5"
            assert sender.send_batch(3).json()["error"] == "DISK_FULL"
            said = sender.ready()
            assert (said.status_code, said.json()["error"]) == (503, "DISK_FULL")
            assert "have to be; make space" in said.json()["error_text"]
            assert sender.metrics()["endu_door_open"] == 0
            assert sum(sender.counted().values()) == len(sender.kept)  # questions go on
            filler.unlink()
            until(lambda: sender.send().status_code == 200, RECOVERS_WITHIN_SECONDS)
            assert sender.ready().status_code == 200
        everything_kept_is_there_once(sender)
        told = sender.metrics()
        assert 0 < told["endu_commit_seconds_total"] < told["endu_commits_total"]
        assert (told["endu_settle_lag_seconds"], told["endu_door_open"]) == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_others_fill_to_the_last_byte_loses_nothing(
    place: Path, kind: Callable[[Path, int], Any]
) -> None:
    with kind(place, MEGABYTES) as disk, sending(disk / "data") as sender:
        for _ in range(TIMES // 2):
            assert sender.send_batch(2_000).status_code == 200
            filler = fill(disk)  # while the batch settles
            until(lambda: is_closed(sender), CLOSES_WITHIN_SECONDS)
            until(lambda: sender.metrics()["endu_disk_ballast_bytes"] == 0, 5)
            fill(disk)  # and what the ballast gave
            filler.unlink()
            until(lambda: sender.send().status_code == 200, RECOVERS_WITHIN_SECONDS)
            until(lambda: sender.metrics()["endu_disk_ballast_bytes"] > 0, 5)
            everything_kept_is_there_once(sender)


def test_a_question_too_large_for_the_disk_is_ended_and_recording_goes_on(place: Path) -> None:
    """ClickHouse goes on where what it sets aside cannot be written, and finds files cut off."""
    with small_ext4(place, MEGABYTES) as disk, sending(disk / "data") as sender:
        for _ in range(3):
            assert sender.send_batch(1_000).status_code == 200
        sender.counted()
        said = sender.ask_sql(PAIRS)
        assert (said.status_code, said.json()["error"]) == (503, "QUERY_LACKS_SPACE")
        assert sum(sender.counted().values()) == len(sender.kept)
        until(lambda: sender.send().status_code == 200, RECOVERS_WITHIN_SECONDS)


def test_on_a_full_disk_the_registry_stays_as_it_is_and_says_so(place: Path) -> None:
    with small_ext4(place, MEGABYTES) as disk, sending(disk / "data") as sender:
        filler = fill(disk)
        until(lambda: sender.metrics()["endu_disk_ballast_bytes"] == 0, CLOSES_WITHIN_SECONDS)
        fill(disk)
        names = [f"TYPE_{'ABCDEFGHIJ'[n // 10]}{'ABCDEFGHIJ'[n % 10]}" for n in range(90)]
        answers = {name: sender.register(name) for name in names}
        refused = {name for name, said in answers.items() if said.status_code != 200}
        assert refused, "nothing failed: the disk was not full"
        assert {answers[name].status_code for name in refused} == {503}
        assert {answers[name].json()["error"] for name in refused} == {"NOT_DURABLE"}
        assert sender.registered() >= set(names) - refused
        assert not sender.registered() & refused
        filler.unlink()
        again = {sender.register(name).status_code for name in refused}
        assert again == {200}
        assert sender.registered() >= set(names)


def test_without_inodes_nothing_is_recorded_until_there_are_some(place: Path) -> None:
    with small_disk(place, MEGABYTES, inodes=6_000) as disk, sending(disk / "data") as sender:
        assert sender.send_batch(100).status_code == 200
        many = fill_inodes(disk)
        until(lambda: is_closed(sender), CLOSES_WITHIN_SECONDS)
        assert "inodes are free" in sender.ready().json()["error_text"]
        shutil.rmtree(many)
        until(lambda: sender.send().status_code == 200, RECOVERS_WITHIN_SECONDS)
        everything_kept_is_there_once(sender)


def test_a_full_disk_is_no_start_and_one_sentence(place: Path) -> None:
    with small_disk(place, 16) as disk:
        fill(disk, leave_bytes=1 << 20)
        said = endu("up", "--data", str(disk / "data"), "--port", "0")
    assert said.returncode == 1
    assert "is full; make space" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_server_starts_on_what_its_ballast_gives_back(place: Path) -> None:
    with small_disk(place, MEGABYTES) as disk:
        with sending(disk / "data") as sender:
            assert sender.send().status_code == 200
            until(lambda: sender.metrics()["endu_disk_ballast_bytes"] > 0, 5)
        filler = fill(disk)
        with sending(disk / "data", key=sender.key) as again:
            assert again.ready().status_code == 503
            assert sum(again.counted().values()) == 1
            filler.unlink()
            until(lambda: again.send().status_code == 200, RECOVERS_WITHIN_SECONDS)


def test_a_full_directory_for_temporary_files_is_no_trouble(place: Path) -> None:
    with small_disk(place, 1) as full:
        fill(full)
        with sending(place.parent / "data", {"TMPDIR": str(full)}) as sender:
            assert sender.send_batch(2_000).status_code == 200
            everything_kept_is_there_once(sender)
            assert list(full.iterdir()) == [full / "filler"]
