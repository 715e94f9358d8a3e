"""Is inbox.db a sound file, and is every message id in it as it was written? Its frames have check
sums of their own."""

from collections.abc import Iterator
from itertools import islice

from endu.events.event import Seq
from endu.events.places import Message, check_of
from endu.stores.soundness import NAMED_AT_MOST, found_unsound
from endu.stores.sqlite import Connection

MESSAGES = "SELECT message, body, seq, received_at_ms, crc FROM message_ids"
CHECKED = "SELECT count(*) FROM pragma_table_info('message_ids') WHERE name = 'crc'"


def unsound(connection: Connection) -> Iterator[str]:
    """What is wrong. Reads all of the file; raises SQLite's error where it cannot be read."""
    if said := found_unsound(connection):
        yield from said
    elif connection.execute(CHECKED).fetchone() == (1,):  # an older version wrote no check sums
        wrong = (row for row in connection.execute(MESSAGES) if not _is_as_written(*row))
        for _, _, seq, *_ in islice(wrong, NAMED_AT_MOST):
            yield f"the message id of record {seq} is not as it was written"


def _is_as_written(name: bytes, body: bytes, seq: int, received_at_ms: int, crc: int) -> bool:
    if crc is None:
        return True
    try:
        return check_of(name, Message(body, Seq(seq), received_at_ms)) == crc
    except (TypeError, AttributeError, OverflowError):  # one bit makes a text of a number
        return False
