"""What an import needs to be resumed, audited and undone.

Columns are added in place, as in 0003: recreating a table would delete what points to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; imports made before can be undone as far as their ECGs go."""
    op.add_column("import_runs", sa.Column("fingerprint", sa.String(64), nullable=True))
    op.add_column("import_runs", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("import_rows", sa.Column("source", sa.String(64), nullable=True))
    op.add_column("import_rows", sa.Column("audit", sa.JSON(none_as_null=True), nullable=True))
    op.create_index("ix_import_rows_run_source", "import_rows", ["run", "source"], unique=True)
    for name in ("echoes", "diagnoses"):
        op.add_column(name, sa.Column("import_run", sa.Integer(), nullable=True))
    for name in ("ecgs", "echoes", "diagnoses"):
        op.create_index(f"ix_{name}_import_run", name, ["import_run"])
    op.create_table(
        "import_links",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("relies_on", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["import_runs.id"], name="fk_import_links_run", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["relies_on"], ["import_runs.id"], name="fk_import_links_relies_on", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "relies_on", name="pk_import_links"),
    )
    # A file that was a duplicate relies on the import that brought the ECG.
    op.execute(
        sa.text(
            "INSERT INTO import_links (run, relies_on) "
            "SELECT DISTINCT import_rows.run, ecgs.import_run FROM import_rows "
            "JOIN ecgs ON ecgs.key = import_rows.ecg_key "
            "WHERE import_rows.outcome = 'duplicate' AND ecgs.import_run IS NOT NULL "
            "AND ecgs.import_run <> import_rows.run"
        )
    )
