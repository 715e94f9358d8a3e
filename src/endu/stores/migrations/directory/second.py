"""Erasures: who asked for one, what it takes out of the log, how far it has come."""

import sqlalchemy as sa
from alembic import op

revision = "directory_2"
down_revision = "directory_1"


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("subjects", sa.Text(), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("done_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(
        op.f("ix_erasures_organization_id"), "erasures", ["organization_id"], unique=False
    )
    op.create_table(
        "erased_places",
        sa.Column("asked", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("asked", "seq"),
    )
