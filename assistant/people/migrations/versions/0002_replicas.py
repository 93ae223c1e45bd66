"""What one process knew by itself: how often one asks, and who is on the way from the identity provider."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"
MOMENT = sa.String(32)


def upgrade() -> None:
    """Create the tables; the program before does without them, so both may run at the same time."""
    op.create_table(
        "rates",
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("tokens", sa.Float, nullable=False),
        sa.Column("last", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("about", name="pk_rates"),
    )
    op.create_index("ix_rates_last", "rates", ["last"])
    op.create_table(
        "journeys",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("begun", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_journeys"),
    )
    op.create_index("ix_journeys_begun", "journeys", ["begun"])


def downgrade() -> None:
    """Take them out again."""
    op.drop_table("journeys")
    op.drop_table("rates")
