"""Hostile bodies through the real reader: a refusal, or exactly what was sent; and in no time."""

import hashlib
import os
import time
from array import array
from typing import Any

from endu.events.json_text import encode
from endu.events.wire import Said, read_event
from endu.refusals import Reason, Refusal
from tests.fuzz.mutations import CORPUS, bodies
from tests.fuzz.oracle import Truth, milliseconds, truth_of, values
from tests.recording import NOW_MS

LONG = int(os.environ.get("ENDU_LONG", "1"))
BODIES = 200_000 * LONG
SEED = int(os.environ.get("ENDU_SEED", "1"))
AT_MOST_MS = 5.0  # of 99 in 100, where nothing else is going on


def test_a_body_is_refused_or_kept_as_it_was_sent() -> None:
    took_ns = array("q")
    for body in bodies(BODIES, SEED):
        try:
            took_ns.append(look_at(body))
        except BaseException:
            found = CORPUS / f"found-{hashlib.sha256(body).hexdigest()[:12]}.json"
            found.write_bytes(body)
            print(f"ENDU_SEED={SEED} found {found}")
            raise
    p99_ms = sorted(took_ns)[len(took_ns) * 99 // 100] / 1e6
    print(f"{len(took_ns):,} bodies, seed {SEED}: p99 {p99_ms:.2f} ms, "
          f"longest {max(took_ns) / 1e6:.1f} ms")  # fmt: skip
    assert LONG == 1 or p99_ms <= AT_MOST_MS


def look_at(body: bytes) -> int:
    """How long reading it took."""
    truth = truth_of(body)
    began = time.perf_counter_ns()
    try:
        said: Said | Refusal = read_event(body, NOW_MS)
    except Refusal as refusal:
        said = refusal
    took = time.perf_counter_ns() - began
    if isinstance(said, Refusal):
        must_be_refused(truth, said)
    elif not said.problems:
        must_be_what_was_sent(truth, said)
    else:
        assert truth is not None
    return took


def must_be_refused(truth: Truth | None, refusal: Refusal) -> None:
    assert refusal.reason in (Reason.MALFORMED_JSON, Reason.INVALID_EVENT)
    assert truth is None or not truth.keepable, f"JSON, and refused: {refusal}"


def must_be_what_was_sent(truth: Truth | None, said: Said) -> None:
    assert truth is not None and truth.keepable
    fields = truth.fields
    assert values(said.data) == truth.data
    assert values(encode(dict(said.unknown))) == truth.unknown
    for name in ("property_id", "organization_id", "event_type"):
        assert getattr(said, name) == fields[name]
    assert said.happened_at_ms == milliseconds(fields["timestamp"])
    assert said.message_id == text_of(fields.get("message_id"))


def text_of(value: Any) -> str | None:
    """A name may be written as an integer, and the empty one is none."""
    written = getattr(value, "text", value)
    return {"": None, "-0": "0"}.get(written, written)
