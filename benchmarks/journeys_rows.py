"""The rows of the log that questions are measured on: sessions, in the columns of the ledger."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from msgspec import Struct

from benchmarks.journeys_crowd import CHAINS, FINGERPRINT, PLATFORMS, Crowd, Numbers

SOURCE = 1
BEGINS_AT_S = 1_704_067_200  # 2024-01-01, a Monday
DAYS = 90
DAY_SECONDS = 86_400
AT_ONCE = 250_000  # rows of one insert

# Event types by name and id, as a catalog has them. A session starts with any of them, the first
# most often, and goes on with the same one, the next, the one behind that, or any.
TYPES = {
    "PAGE_VIEW": "3pKw9sLx2VnQeR7yTdGhJm",
    "LINK_TRACKING_CLICK": "LINK_TRACKING_CLICK",
    "MESSAGE_SENT": "5tBz4cNq8WfXuA2jHkSvEr",
    "ITEM_VIEWED": "6gYd7mPs3KhVwC9xLnTqZb",
    "BLOCKCHAIN_ACCOUNT_SIGN_IN": "BLOCKCHAIN_ACCOUNT_SIGN_IN",
    "COMMUNITY_JOINED": "8rJf2vDk5QaMeH4zWpXsNt",
    "CART_FILLED": "9wQh6bSn3TyGcL8kVdZrFu",
    "QUEST_COMPLETED": "4xMc5jRp7EwBsK2nHvTfYq",
    "ITEM_PURCHASED": "2kVn8yGt6ZdLpW3sCxQrJh",
    "MEMBERSHIP_UPGRADED": "7nTs3fXq9HvJmD5bKwPzRc",
}
STEPS, STEP_SHARES = (0, 1, 2, -1), (0.25, 0.35, 0.15, 0.25)  # -1: any
PROPERTIES = ("D#1007491775344160808", "T#1001522300171", "W#shop.example", "W#blog.example")
TIERS = ("bronze", "silver", "gold", "platinum")
DOCUMENTS = 20_000  # that differ, of each type

EVENTS_A_SESSION = 4  # on average
LONGEST_PAUSE_SECONDS = 300
BY_SECOND = 0.25  # of the sessions are known by the second identifier alone
NOBODY = 0.02  # of the events
CARRIED = 0.15  # of the events name the other identifier too
STRANGERS = 0.005  # of those carry somebody else's


class Place(Struct, frozen=True):
    """Where rows go: whose they are, how many, and behind which number. `type_ids` are in the order
    of TYPES."""

    organization_id: str
    events: int
    behind_seq: int = 0
    type_ids: tuple[str, ...] = tuple(TYPES.values())


def rows_of(crowd: Crowd, place: Place, chance: np.random.Generator) -> Iterator[pa.Table]:
    """Piece after piece in the order of time."""
    documents = pa.array([text for kind in range(len(TYPES)) for text in _documents(kind, chance)])
    for begin in range(0, place.events, AT_ONCE):
        count = min(AT_ONCE, place.events - begin)
        span = DAYS * DAY_SECONDS * np.array([begin, begin + count]) / place.events
        who, at_s, kinds, by_second = _sessions(crowd, count, span, chance)
        columns = _who_columns(crowd, who, by_second, chance)
        columns |= _what_columns(documents, at_s, kinds, chance)
        columns["event_type"] = pa.array(place.type_ids).take(pa.array(kinds))
        columns["org"] = _one(place.organization_id, count)
        first_seq = place.behind_seq + begin + 1
        columns["seq"] = pa.array(np.arange(first_seq, first_seq + count, dtype=np.uint64))
        yield pa.table(columns)


def _sessions(
    crowd: Crowd, count: int, span: Numbers, chance: np.random.Generator
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Of each event: whose, when, of what type, and by which identifier. By time."""
    lengths = chance.geometric(1 / EVENTS_A_SESSION, count)
    lengths = lengths[: np.searchsorted(lengths.cumsum(), count) + 1]
    sessions = np.repeat(np.arange(len(lengths)), lengths)[:count]
    starts = np.r_[0, lengths.cumsum()[:-1]][sessions]  # of its session, in the order here
    # A few do much and most do little, as anywhere.
    who = crowd.shuffled[(len(crowd.firsts) * chance.random(len(lengths)) ** 2).astype(int)]
    pauses = chance.integers(1, LONGEST_PAUSE_SECONDS, count).cumsum()
    began = chance.integers(int(span[0]), int(span[1]), len(lengths))
    at_s = began[sessions] + pauses - pauses[starts]
    steps = chance.choice(STEPS, count, p=STEP_SHARES)
    steps = np.where(steps < 0, chance.integers(0, len(TYPES), count), steps).cumsum()
    entry = (len(TYPES) * chance.random(len(lengths)) ** 2).astype(int)
    kinds = (entry[sessions] + steps - steps[starts]) % len(TYPES)
    by_second = (chance.random(len(lengths)) < BY_SECOND)[sessions]
    order = np.argsort(at_s, kind="stable")
    within = np.minimum(at_s[order], DAYS * DAY_SECONDS - 1)
    return who[sessions][order], within, kinds[order], by_second[order]


def _who_columns(
    crowd: Crowd, who: Numbers, by_second: Numbers, chance: np.random.Generator
) -> dict[str, pa.Array]:
    count = len(who)
    nobody = chance.random(count) < NOBODY
    strange = chance.random(count) < STRANGERS
    other = np.where(strange, chance.integers(0, len(crowd.firsts), count), who)
    kinds = np.where(by_second, crowd.second_kinds[who], crowd.first_kinds[who])
    on_device = (kinds == FINGERPRINT) & ~nobody
    carried = (chance.random(count) < CARRIED) & ~nobody & ~by_second & ~on_device
    browser = carried & (crowd.second_kinds[other] == FINGERPRINT)
    names = [crowd.first_names.take(pa.array(who)), crowd.second_names.take(pa.array(who)),
             crowd.second_names.take(pa.array(other))]  # fmt: skip
    deciding = np.where(by_second, crowd.seconds[who], crowd.firsts[who])
    return {
        "subject": pa.array(np.where(nobody, 0, deciding).astype(np.uint64)),
        "others": _lists(pa.array(crowd.seconds[other]), [carried & ~browser]),
        "fingerprint": pa.array(
            np.select([on_device, browser], [deciding, crowd.seconds[other]], 0).astype(np.uint64)
        ),
        "identifiers": _identifiers(names, ~nobody & ~by_second, ~nobody & by_second, carried),
        "platform": pa.array(PLATFORMS).take(pa.array(np.where(nobody, FINGERPRINT, kinds))),
        "chain_type": pa.array(CHAINS).take(pa.array(np.where(nobody, FINGERPRINT, kinds))),
        "property_id": pa.array(PROPERTIES).take(pa.array(kinds)),
    }


def _what_columns(
    documents: pa.Array, at_s: Numbers, kinds: Numbers, chance: np.random.Generator
) -> dict[str, pa.Array]:
    count = len(at_s)
    at_ms = (at_s + BEGINS_AT_S) * 1000
    received_ms = at_ms + chance.integers(5, 3_000, count)
    document = kinds * DOCUMENTS + chance.integers(0, DOCUMENTS, count)
    return {
        "ts": pa.array(at_ms).cast(pa.timestamp("ms")),
        "received_at": pa.array(received_ms).cast(pa.timestamp("ms")),
        "event_data": documents.take(pa.array(document)),
        "source": pa.array(np.full(count, SOURCE, np.uint16)),
        "proof": pa.array(np.full(count, 2, np.uint8)),
        "details": _one("", count),
        "reused": pa.array(np.zeros(count, bool)),
        "check": pa.array(chance.integers(0, 1 << 32, count, dtype=np.uint32)),
    }


def _documents(kind: int, chance: np.random.Generator) -> Iterator[str]:
    """Canonical, as the ledger has them; four of ten kinds have a tier, and three a price."""
    items = chance.integers(0, 10_000, DOCUMENTS).tolist()
    prices = chance.integers(1, 20_000, DOCUMENTS).tolist()
    tiers = (len(TIERS) * chance.random(DOCUMENTS) ** 2).astype(int).tolist()
    for item, price, tier in zip(items, prices, tiers, strict=True):
        parts = [f'"item_id":"{8258720000 + item}"']
        if kind % 3 == 2:
            parts.append(f'"price":{price / 100}')
        if kind >= 6:
            parts.append(f'"tier":"{TIERS[tier]}"')
        yield "{" + ",".join(parts) + "}"


def _identifiers(names: Sequence[pa.Array], *shown: Numbers) -> pa.Array:
    """Of the first, second and carried names those that are shown."""
    columns = pa.concat_arrays([each.cast(pa.string()) for each in names])
    count = len(names[0])
    places = np.arange(len(names) * count).reshape(len(names), count).T.ravel()
    return _lists(columns.take(pa.array(places)), shown)


def _lists(values: pa.Array, shown: Sequence[Numbers]) -> pa.Array:
    """Lists of so many values at most: `values` has those of the first row, then the next."""
    mask = np.column_stack(shown)
    offsets = np.r_[0, mask.sum(axis=1).cumsum()].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values.filter(pa.array(mask.ravel())))


def _one(text: str, count: int) -> pa.Array:
    return pa.array([text]).take(pa.array(np.zeros(count, np.int8)))
