"""What moved a score, kept by content: made again whenever it is lost."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; nothing was kept before."""
    op.create_table(
        "attributions",
        sa.Column("waveform_sha256", sa.String(64), nullable=False),
        sa.Column("reference_sha256", sa.String(64), nullable=False),
        sa.Column("weights_sha256", sa.String(64), nullable=False),
        sa.Column("preprocessing_version", sa.Integer, nullable=False),
        sa.Column("method_version", sa.Integer, nullable=False),
        sa.Column("variant", sa.String(40), nullable=False),
        sa.Column("family", sa.String(80), nullable=False),
        sa.Column("bins", sa.LargeBinary, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint(
            "waveform_sha256",
            "reference_sha256",
            "weights_sha256",
            "preprocessing_version",
            "method_version",
            "variant",
            name="pk_attributions",
        ),
    )
