"""The tables behind the registry and the directory, for SQLite and PostgreSQL alike.

`registry` holds what operators decided (organizations, keys, event types) and is primary data.
`directory` holds what follows from the log and can be made again from it (`endu rebuild`).
"""

import sqlalchemy as sa


def _partial_index(name: str, column: str, where: str) -> sa.Index:
    condition = sa.text(where)
    return sa.Index(name, column, sqlite_where=condition, postgresql_where=condition)


registry = sa.MetaData()

organizations = sa.Table(
    "organizations",
    registry,
    sa.Column("organization_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("mark", sa.BigInteger),  # see registry_marks.py
)

keys = sa.Table(
    "keys",
    registry,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("organization_id", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("hint", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("origins", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("revoked_at_ms", sa.BigInteger),
    sa.Column("mark", sa.BigInteger),
)

event_types = sa.Table(
    "event_types",
    registry,
    sa.Column("position", sa.Integer, primary_key=True),  # order of registration
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("organization_id", sa.Text, nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("previous", sa.Text),
    sa.Column("mark", sa.BigInteger),
)

schema_versions = sa.Table(
    "schema_versions",
    registry,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("organization_id", sa.Text, primary_key=True),  # global types have one id in all
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("schema", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("mark", sa.BigInteger),
)

directory = sa.MetaData()

identifiers = sa.Table(
    "identifiers",
    directory,
    sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("organization_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("asserted", sa.Boolean, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("first_at_ms", sa.BigInteger, nullable=False),
    sa.Column("cluster", sa.BigInteger, nullable=False),
    sa.Column("identity", sa.BigInteger, nullable=False),
    # Most people have one identifier, which is its own cluster, identity and number: what can be
    # found by the primary key is left out of the other indexes.
    sa.Index("identifiers_by_name", "organization_id", "kind", "value", unique=True),
    _partial_index("identifiers_by_cluster", "cluster", "cluster <> subject"),
    _partial_index("identifiers_by_identity", "identity", "identity <> subject"),
    _partial_index("identifiers_by_standing", "standing", "standing <> ''"),
)

links = sa.Table(
    "links",
    directory,
    sa.Column("a", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("b", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("organization_id", sa.Text, nullable=False),
    sa.Column("proof", sa.Integer, nullable=False),
    sa.Column("claimed_at_ms", sa.BigInteger, nullable=False),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("against_a", sa.BigInteger),
    sa.Column("against_b", sa.BigInteger),
    sa.Index("links_by_verdict", "organization_id", "verdict"),
)

sightings = sa.Table(
    "sightings",
    directory,
    sa.Column("fingerprint", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
    sa.Column("before", sa.Text, primary_key=True),  # JSON: the stronger subjects of that event
    sa.Column("first_at_ms", sa.BigInteger, nullable=False),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
)

owners = sa.Table(
    "owners",
    directory,
    sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("identity", sa.BigInteger, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, index=True),
)

visits = sa.Table(
    "visits",
    directory,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("recorded", sa.BigInteger, nullable=False, index=True),  # what the ledger row says
    sa.Column("subject", sa.BigInteger, nullable=False, index=True),  # whose it is; 0: recorded
    sa.Column("version", sa.BigInteger, nullable=False, index=True),
)

# Windows of events that have to be given out anew and were not yet.
reviews = sa.Table(
    "reviews",
    directory,
    sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("from_ms", sa.BigInteger, nullable=False),
    sa.Column("to_ms", sa.BigInteger, nullable=False),
)

journal = sa.Table(
    "journal",
    directory,
    sa.Column("change_id", sa.Integer, primary_key=True),
    sa.Column("organization_id", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False, index=True),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("mark", sa.BigInteger, nullable=False, server_default="0"),  # its check sum
)

rules = sa.Table(
    "rules",
    directory,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("organization_id", sa.Text, nullable=False, index=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("identifiers", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    sa.Column("taken_back_at_ms", sa.BigInteger),
    sa.Column("taken_back_by", sa.Text),
)

limits = sa.Table(
    "limits",
    directory,
    sa.Column("organization_id", sa.Text, primary_key=True),
    sa.Column("limits", sa.Text, nullable=False),
)

creations = sa.Table(
    "creations",
    directory,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("organization_id", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("created", sa.Boolean, nullable=False),
    sa.Column("conflict", sa.Text, nullable=False),
)

properties = sa.Table(
    "properties",
    directory,
    sa.Column("organization_id", sa.Text, primary_key=True),
    sa.Column("property_id", sa.Text, primary_key=True),
    sa.Column("first_seen_ms", sa.BigInteger, nullable=False),
)

failed_events = sa.Table(
    "failed_events",
    directory,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("organization_id", sa.Text, nullable=False),
    sa.Column("received_at_ms", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("problems", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("key_kind", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text),
    sa.Column("passed_seq", sa.BigInteger),
    sa.Index("failed_events_by_reason", "organization_id", "reason", "seq"),
)

set_aside = sa.Table(
    "set_aside",
    directory,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)

erasures = sa.Table(
    "erasures",
    directory,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("organization_id", sa.Text, nullable=False, index=True),
    sa.Column("asked_at_ms", sa.BigInteger, nullable=False),
    sa.Column("names", sa.Text, nullable=False),  # JSON: whom to look for in the log; then none
    sa.Column("subjects", sa.Text, nullable=False),  # JSON: those that they had
    sa.Column("plan", sa.LargeBinary, nullable=False),
    sa.Column("planned", sa.Boolean, nullable=False),  # the log knows what is to go
    sa.Column("counts", sa.Text, nullable=False),  # JSON
    sa.Column("done_at_ms", sa.BigInteger),
)

# Of erasures that are not done.
erased_places = sa.Table(
    "erased_places",
    directory,
    sa.Column("asked", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
)

position = sa.Table(
    "position",
    directory,
    sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("watermark", sa.BigInteger, nullable=False),
)
