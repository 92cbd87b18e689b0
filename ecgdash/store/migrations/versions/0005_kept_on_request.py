"""What a site may ask to keep: names, echo reports; where an import came from; other units.

Columns are added in place, as in 0003: recreating a table would delete what points to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; what was stored before says nothing of all this."""
    op.add_column("patients", sa.Column("name", sa.String(200), nullable=True))
    op.add_column("patients", sa.Column("birth_date", sa.Date(), nullable=True))
    op.add_column("echoes", sa.Column("report", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("import_runs", sa.Column("sources", sa.JSON(none_as_null=True), nullable=True))
    # Every ECG stored so far is in millivolts: the readers gave no other.
    true = sa.true()
    op.add_column(
        "ecgs", sa.Column("in_millivolts", sa.Boolean(), nullable=False, server_default=true)
    )
    op.create_table(
        "patient_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("import_run", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name="fk_patient_names_patient", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_patient_names"),
    )
    for column in ("patient", "import_run"):
        op.create_index(f"ix_patient_names_{column}", "patient_names", [column])
