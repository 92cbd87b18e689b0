"""What flags are made of: measured evidence, beats and the scores of the 46-label head."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; ECGs stored before have no evidence until they are scored again."""
    op.create_table(
        "ecg_evidence",
        sa.Column("ecg", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("beats", sa.LargeBinary(), nullable=True),
        sa.Column("head_family", sa.String(length=80), nullable=True),
        sa.Column("head_weights", sa.String(length=64), nullable=True),
        sa.Column("head_scores", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["ecg"], ["ecgs.id"], name=op.f("fk_ecg_evidence_ecg"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ecg", name=op.f("pk_ecg_evidence")),
    )
