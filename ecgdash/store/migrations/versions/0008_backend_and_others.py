"""What carried out a network, and what other families said beside a worklist row.

Columns are added in place, as in 0003: recreating a table would delete what points to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; predictions made before do not say it, and rows name no other family."""
    op.add_column("predictions", sa.Column("backend", sa.String(80), nullable=True))
    op.add_column("worklist", sa.Column("others", sa.JSON(), nullable=False, server_default="[]"))
