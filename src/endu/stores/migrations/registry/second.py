"""A check sum for each row; rows that are there get theirs with the next change."""

import sqlalchemy as sa
from alembic import op

revision = "registry_2"
down_revision = "registry_1"


def upgrade() -> None:
    for table in ("event_types", "keys", "organizations", "schema_versions"):
        op.add_column(table, sa.Column("mark", sa.BigInteger(), nullable=True))
