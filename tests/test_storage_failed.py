"""Files that cannot be read are no mistake of Endu's: whoever asks is told to come again."""

from pathlib import Path

import httpx

from tests.running import running


def test_a_directory_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for name in ("directory.db", "directory.db-wal"):
            path = tmp_path / name
            with path.open("r+b") as file:
                file.write(b"\xff" * path.stat().st_size)
        headers = {"Authorization": f"Bearer {server.secret_key}"}
        answer = httpx.get(
            f"{server.address}/identities", params={"discord": "1"}, headers=headers, timeout=30
        )
        said = answer.json()
    assert (answer.status_code, said["error"]) == (503, "STORAGE_FAILED")
    assert said["data"]["request_id"] == answer.headers["endu-request-id"]
    assert int(answer.headers["retry-after"]) >= 1
