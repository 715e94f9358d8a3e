"""Who is who, and what else follows from the log: the directory as it was first made."""

import sqlalchemy as sa
from alembic import op

revision = "directory_1"
down_revision = None


def upgrade() -> None:
    _creations()
    _failed_events()
    _identifiers()
    _journal()
    _limits()
    _links()
    _owners()
    _position()
    _properties()
    _rules()
    _set_aside()
    _sightings()
    _visits()
    _reviews()


def _creations() -> None:
    op.create_table(
        "creations",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column("conflict", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _failed_events() -> None:
    op.create_table(
        "failed_events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("key_kind", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("passed_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(
        "failed_events_by_reason",
        "failed_events",
        ["organization_id", "reason", "seq"],
        unique=False,
    )


def _identifiers() -> None:
    op.create_table(
        "identifiers",
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("asserted", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("first_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("cluster", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index(
        "identifiers_by_name", "identifiers", ["organization_id", "kind", "value"], unique=True
    )
    for column, where in (
        ("cluster", "cluster <> subject"),
        ("identity", "identity <> subject"),
        ("standing", "standing <> ''"),
    ):
        op.create_index(
            f"identifiers_by_{column}",
            "identifiers",
            [column],
            unique=False,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("change_id"),
    )
    op.create_index(op.f("ix_journal_subject"), "journal", ["subject"], unique=False)


def _limits() -> None:
    op.create_table(
        "limits",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id"),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("a", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("b", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("proof", sa.Integer(), nullable=False),
        sa.Column("claimed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("against_a", sa.BigInteger(), nullable=True),
        sa.Column("against_b", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("a", "b"),
    )
    op.create_index(op.f("ix_links_b"), "links", ["b"], unique=False)
    op.create_index("links_by_verdict", "links", ["organization_id", "verdict"], unique=False)


def _owners() -> None:
    op.create_table(
        "owners",
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index(op.f("ix_owners_version"), "owners", ["version"], unique=False)


def _position() -> None:
    op.create_table(
        "position",
        sa.Column("source", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )


def _properties() -> None:
    op.create_table(
        "properties",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("first_seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "property_id"),
    )


def _rules() -> None:
    op.create_table(
        "rules",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("identifiers", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("taken_back_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_rules_organization_id"), "rules", ["organization_id"], unique=False)


def _set_aside() -> None:
    op.create_table(
        "set_aside",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("fingerprint", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("first_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "subject", "before"),
    )
    op.create_index(op.f("ix_sightings_subject"), "sightings", ["subject"], unique=False)


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )


def _visits() -> None:
    op.create_table(
        "visits",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_visits_recorded"), "visits", ["recorded"], unique=False)
    op.create_index(op.f("ix_visits_subject"), "visits", ["subject"], unique=False)
    op.create_index(op.f("ix_visits_version"), "visits", ["version"], unique=False)
