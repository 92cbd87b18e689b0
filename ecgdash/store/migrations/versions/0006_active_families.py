"""Which family a site shows for a lead set, and which family a worklist row's score is of.

The column is added in place, as in 0003: recreating a table would delete what points to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; rows written before do not say their family, and nothing is chosen."""
    op.add_column("worklist", sa.Column("family", sa.String(80), nullable=True))
    op.create_table(
        "active_families",
        sa.Column("lead_set", sa.String(4), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("family", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("lead_set", "label", name="pk_active_families"),
    )
