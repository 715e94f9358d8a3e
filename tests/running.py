"""A real server in a process of its own, on a directory of its own, and the `endu` command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

ENDU = str(Path(sys.executable).with_name("endu"))
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("ENDU_")}
WITHIN_SECONDS = 60


class Running(Struct, frozen=True):
    """A server that answers, and what it said when it started."""

    process: int
    data: Path
    address: str
    organization_id: str
    property_id: str
    secret_key: str

    def stop(self) -> None:
        os.kill(self.process, signal.SIGINT)

    def endu(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """The command line, on this server's directory."""
        return endu(*words, "--data", str(self.data), **more)

    def json(self, *words: str) -> Any:
        """What a command that goes well answers."""
        done = self.endu(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.secret_key}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=WITHIN_SECONDS)


def door_of(process: int) -> int:
    """The process that a server started."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    (door,) = (
        child for child in children if b"endu.door" in Path(f"/proc/{child}/cmdline").read_bytes()
    )
    return int(door)


def endu(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    given: dict[str, Any] = {"env": CLEAN, "timeout": WITHIN_SECONDS, **more}
    return subprocess.run([ENDU, *words], capture_output=True, text=True, check=False, **given)


@contextmanager
def running(data: Path, more: Mapping[str, str] = CLEAN) -> Iterator[Running]:
    """Ends with Ctrl-C, and cleanly. `more` goes into its environment."""
    command = [ENDU, "up", "--data", str(data), "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**CLEAN, **more}
    ) as server:
        try:
            assert server.stdout is not None
            started = json.loads(server.stdout.readline())
            yield Running(
                process=server.pid,
                data=data,
                address=started["address"],
                organization_id=started["organization_id"],
                property_id=started["property_id"],
                secret_key=started["secret_key"] or "",
            )
        finally:
            server.send_signal(signal.SIGINT)  # nothing where it has been stopped already
            server.wait(WITHIN_SECONDS)
    assert server.returncode == 0
