"""`endu up` says what it means to be reached by others."""

import signal
import subprocess
from pathlib import Path

import pytest

from endu.cli.up import is_this_machines_own
from tests.running import CLEAN, ENDU, WITHIN_SECONDS


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.0.0.53", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("events.example.com", False),
    ],
)
def test_an_address_is_this_machines_own_or_others_reach_it(host: str, own: bool) -> None:
    assert is_this_machines_own(host) is own


@pytest.mark.parametrize(
    ("proxies", "warnings"), [({}, 1), ({"ENDU_PROXIES": "127.0.0.1"}, 0)], ids=["none", "one"]
)
def test_who_lets_others_in_without_a_proxy_is_warned(
    tmp_path: Path, proxies: dict[str, str], warnings: int
) -> None:
    server = subprocess.Popen(
        [ENDU, "up", "--data", str(tmp_path), "--host", "0.0.0.0", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**CLEAN, **proxies},
    )
    with server:
        assert server.stdout is not None and server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=WITHIN_SECONDS)[1]
    assert (server.returncode, said.count("docs/proxy.md")) == (0, warnings)
