"""Servers for the time of a measurement: started on a directory of their own, and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from benchmarks.load import Load
from benchmarks.people import EVENT_TYPE

UP_WITHIN_SECONDS = 60
DOWN_WITHIN_SECONDS = 30
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Target(Struct, frozen=True, kw_only=True):
    """Where to send events, and as whom."""

    port: int
    organization_id: str = "848WN4oEUgisKrV9dY9Ni6"
    property_id: str = "D#1007491775344160808"
    secret_key: str = "endu_sk_control"
    pid: int
    data: Path = Path()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        """For questions; recording under load is for `load`."""
        return httpx.Client(
            base_url=self.address,
            headers={"authorization": f"Bearer {self.secret_key}"},
            timeout=60,
        )

    def metric(self, name: str) -> float:
        """By its whole name, labels included. Raises LookupError where there is none."""
        with self.client() as client:
            for line in client.get("/metrics").text.splitlines():
                found, _, value = line.rpartition(" ")
                if found == name:
                    return float(value)
        raise LookupError(name)

    def cpu_seconds(self) -> float:
        """User and system time since it began, all processes, all threads."""
        return sum(_cpu_seconds(pid) for pid in self.processes())

    def resident_megabytes(self) -> float:
        return sum(self.resident_of_each())

    def resident_of_each(self) -> list[float]:
        """In megabytes, in the order of `processes`."""
        return [_resident_megabytes(pid) for pid in self.processes()]

    def processes(self) -> list[int]:
        """The one that was started, and those that it started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]


def _cpu_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / CLOCK_TICKS


def _resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


class _Keys(Struct):
    """The first start's line, kept beside the data: a key is printed only once."""

    organization_id: str
    property_id: str
    secret_key: str | None
    address: str


@contextmanager
def endu(data: Path) -> Iterator[Target]:
    """`endu up` on a directory, with the event type of the crowd registered."""
    program = Path(sys.executable).with_name("endu")
    command = [str(program), "up", "--json", "--port", "0", "--data", str(data)]
    with _running(command) as process:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError(f"endu up ended with {process.wait()} before it answered")
        target = _target(msgspec.json.decode(line, type=_Keys), data, process.pid)
        with target.client() as client:
            asked = {"event_type": EVENT_TYPE, "event_display_name": "Item purchased"}
            schema = {"item_id": "string", "price": "number"}
            answer = client.post(
                "/events/create/eventid", json=asked | {"event_data_schema": schema}
            )
            if answer.status_code not in (200, 409):
                raise RuntimeError(answer.text)
        yield target


@contextmanager
def control() -> Iterator[Target]:
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.control", "--port", str(port)]
    with _running(command) as process:
        _wait_for(port)
        yield Target(port=port, pid=process.pid)


def load(
    target: Target, connections: int, seconds: float, events: int = -1, per_second: float = 0
) -> tuple[Load, float]:
    """What the load generator found, and the server's CPU seconds meanwhile."""
    cpu_before = target.cpu_seconds()
    with start_load(target, connections, seconds, events, per_second) as process:
        printed, _ = process.communicate()
    cpu_seconds = target.cpu_seconds() - cpu_before
    found = msgspec.json.decode(printed, type=Load)
    if found.refused:
        raise RuntimeError(f"{found.refused} requests were refused: {found.first_refusal}")
    return found, cpu_seconds


def start_load(
    target: Target, connections: int, seconds: float, events: int = -1, per_second: float = 0
) -> "subprocess.Popen[bytes]":
    options = {
        "port": target.port,
        "organization": target.organization_id,
        "property": target.property_id,
        "key": target.secret_key,
        "connections": connections,
        "seconds": seconds,
        "events": events,
        "per-second": per_second,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "benchmarks.load", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


@contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Ends it as an operator would; by force where it does not go."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(DOWN_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _target(keys: _Keys, data: Path, pid: int) -> Target:
    kept = data.with_suffix(".keys")
    if keys.secret_key:
        kept.write_bytes(msgspec.json.encode(keys))
    first = msgspec.json.decode(kept.read_bytes(), type=_Keys)
    return Target(
        port=int(keys.address.rpartition(":")[2]),
        organization_id=first.organization_id,
        property_id=first.property_id,
        secret_key=first.secret_key or "",
        pid=pid,
        data=data,
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + UP_WITHIN_SECONDS
    while time.monotonic() < until:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")
