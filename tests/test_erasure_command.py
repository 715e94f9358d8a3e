"""Erasing at the command line, on a server that runs."""

import json
from pathlib import Path

from tests.running import running

WHO = "discord:702877938567086080"


def test_importing_the_same_file_again_brings_nobody_back_who_was_erased(tmp_path: Path) -> None:
    event = {"property_id": "D#1", "event_type": "BEGIN_EVENT", "platform_type": "Discord"}
    lines = [
        json.dumps({**event, "p_user_id": user, "timestamp": 1_700_000_000 + n})
        for n, user in enumerate(["702877938567086080", "702877938567086081"] * 2)
    ]
    (tmp_path / "events.ndjson").write_text("\n".join(lines))
    with running(tmp_path / "data") as server:
        first = server.endu("import", "events.ndjson", "--json", cwd=tmp_path)
        assert json.loads(first.stdout)["kept"] == 4
        refused = server.endu("identities", "erase", WHO, input="n\n")
        assert (refused.returncode, "Nothing was erased" in refused.stderr) == (1, True)
        receipt = server.json("identities", "erase", WHO, "--yes")
        assert (receipt["state"], receipt["erased"]["events"]) == ("done", 2)
        again = json.loads(server.endu("import", "events.ndjson", "--json", cwd=tmp_path).stdout)
        assert (again["kept"], again["duplicates"]) == (0, 4)
        assert server.endu("identities", "show", WHO).returncode == 1
        left = server.json("identities", "timeline", "discord:702877938567086081")
        assert len(left) == 2
