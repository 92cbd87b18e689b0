"""The gate's outcome as typed findings, and the window that is scored.

Columns are added and dropped in place: recreating `ecgs`, as Alembic does for other changes on
SQLite, would drop the table that waveforms and predictions point to, and delete them with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; sentences of ECGs judged before become findings of an earlier version."""
    with op.batch_alter_table("ecgs", recreate="never") as batch_op:
        batch_op.add_column(
            sa.Column("gate_findings", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.add_column(sa.Column("gate_window_s", sa.JSON(none_as_null=True), nullable=True))
    ecgs = sa.table(
        "ecgs",
        sa.column("id", sa.Integer()),
        sa.column("gate_status", sa.String()),
        sa.column("gate_reasons", sa.JSON()),
        sa.column("gate_notes", sa.JSON()),
        sa.column("gate_findings", sa.JSON()),
    )
    connection = op.get_bind()
    old = connection.execute(
        sa.select(ecgs.c.id, ecgs.c.gate_status, ecgs.c.gate_reasons, ecgs.c.gate_notes)
    ).all()
    for row in old:
        effect = "excludes" if row.gate_status == "excluded" else "withholds"
        said = [(effect, text) for text in row.gate_reasons]
        said += [("notes", text) for text in row.gate_notes]
        findings = [
            {"code": "earlier_version", "effect": effect, "text": text, "leads": []}
            for effect, text in said
        ]
        connection.execute(
            sa.update(ecgs).where(ecgs.c.id == row.id).values(gate_findings=findings)
        )
    # Scores, measurements and flags were of the first 10 s, padding included: the next scoring
    # run makes them anew. Until then they stand, told apart by version 0.
    connection.execute(sa.text("UPDATE predictions SET preprocessing_version = 0"))
    connection.execute(sa.text("UPDATE ecg_evidence SET head_family = NULL, head_weights = NULL"))
    op.drop_column("ecgs", "gate_reasons")
    op.drop_column("ecgs", "gate_notes")
