"""The reader that docs/segments.md shows reads a sealed log, and needs nothing of Endu."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec

from endu.events.frame import read_frame
from tests.sealing_world import frames_of, open_log, places

DOCUMENT = Path(__file__).parent.parent / "docs" / "segments.md"


async def test_the_reader_that_is_shown_reads_every_record(tmp_path: Path) -> None:
    async with open_log(tmp_path) as log:
        await log.append(33)
        await log.seal_all()
        await log.sealer.erase(places([42]))
    (shown,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert "endu" not in shown
    done = subprocess.run(
        [sys.executable, "-c", shown, str(tmp_path / "segments")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    records = [found for frame in frames_of(tmp_path) for found in read_frame(frame)][:300]
    expected = [f"{each.seq} {msgspec.msgpack.decode(each.record)}" for each in records]
    assert done.stdout.splitlines() == expected
