"""A check sum for each line of the journal: of those that are there, too, as they are."""

import sqlalchemy as sa
from alembic import op

from endu.stores.journal_marks import mark_of

revision = "directory_3"
down_revision = "directory_2"

AT_ONCE = 10_000
LINES = sa.text("""
SELECT change_id, organization_id, seq, at_ms, change, subject, detail FROM journal
WHERE change_id > :after ORDER BY change_id LIMIT :at_once
""")
MARK = sa.text("UPDATE journal SET mark = :mark WHERE change_id = :change_id")


def upgrade() -> None:
    column = sa.Column("mark", sa.BigInteger(), server_default="0", nullable=False)
    op.add_column("journal", column)
    connection, after = op.get_bind(), 0
    while rows := connection.execute(LINES, {"after": after, "at_once": AT_ONCE}).fetchall():
        marks = [{"change_id": change_id, "mark": mark_of(*line)} for change_id, *line in rows]
        connection.execute(MARK, marks)
        after = rows[-1][0]
