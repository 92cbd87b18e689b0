"""The first schema."""

import sqlalchemy as sa
from alembic import op

import ecgdash.store.schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "import_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=False),
        sa.Column("started_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_import_runs_key")),
    )
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=True),
        sa.Column("heartbeat_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )
    op.create_table(
        "patients",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("sex", sa.String(length=8), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("key", name=op.f("uq_patients_key")),
        sa.UniqueConstraint("site", "code", name=op.f("uq_patients_site")),
    )
    with op.batch_alter_table("patients", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patients_stale"), ["stale"], unique=False)

    op.create_table(
        "actions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("ecg", sa.String(length=32), nullable=False),
        sa.Column("made_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name=op.f("fk_actions_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
    )
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_actions_patient"), ["patient"], unique=False)

    op.create_table(
        "diagnoses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("code_system", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name=op.f("fk_diagnoses_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diagnoses")),
        sa.UniqueConstraint(
            "patient", "code_system", "code", "recorded_on", name=op.f("uq_diagnoses_patient")
        ),
    )
    with op.batch_alter_table("diagnoses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_diagnoses_patient"), ["patient"], unique=False)

    op.create_table(
        "ecgs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("recorded_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("local_day", sa.Date(), nullable=True),
        sa.Column("leads", sa.JSON(), nullable=False),
        sa.Column("sampling_hz", sa.Float(), nullable=False),
        sa.Column("n_samples", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("age_years", sa.Float(), nullable=True),
        sa.Column("sex", sa.String(length=8), nullable=True),
        sa.Column("statements", sa.JSON(), nullable=False),
        sa.Column("measurements", sa.JSON(), nullable=False),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("filters", sa.Text(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("file_format", sa.String(length=40), nullable=False),
        sa.Column("lsb_uv", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("gate_status", sa.String(length=12), nullable=False),
        sa.Column("gate_reasons", sa.JSON(), nullable=False),
        sa.Column("gate_notes", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("import_run", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run"], ["import_runs.id"], name=op.f("fk_ecgs_import_run"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name=op.f("fk_ecgs_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ecgs")),
        sa.UniqueConstraint("key", name=op.f("uq_ecgs_key")),
        sa.UniqueConstraint("patient", "sha256", "recorded_at", name=op.f("uq_ecgs_patient")),
    )
    with op.batch_alter_table("ecgs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ecgs_patient_recorded_at", ["patient", "recorded_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ecgs_sha256"), ["sha256"], unique=False)

    op.create_table(
        "echoes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("performed_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("has_time", sa.Boolean(), nullable=False),
        sa.Column("lvef_percent", sa.Float(), nullable=False),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name=op.f("fk_echoes_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_echoes")),
        sa.UniqueConstraint("key", name=op.f("uq_echoes_key")),
        sa.UniqueConstraint(
            "patient",
            "performed_at",
            "has_time",
            "lvef_percent",
            "method",
            name=op.f("uq_echoes_patient"),
        ),
    )
    with op.batch_alter_table("echoes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_echoes_patient"), ["patient"], unique=False)

    op.create_table(
        "import_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("file_format", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("patient_code", sa.String(length=200), nullable=True),
        sa.Column("ecg_key", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("todo", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["import_runs.id"], name=op.f("fk_import_rows_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rows")),
    )
    with op.batch_alter_table("import_rows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_rows_run"), ["run"], unique=False)

    op.create_table(
        "worklist",
        sa.Column("patient", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("site", sa.String(length=200), nullable=False),
        sa.Column("age_years", sa.Float(), nullable=True),
        sa.Column("sex", sa.String(length=8), nullable=True),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("group_rank", sa.Integer(), nullable=False),
        sa.Column("lead_set", sa.String(length=4), nullable=True),
        sa.Column("variant", sa.String(length=40), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("withheld_reason", sa.Text(), nullable=True),
        sa.Column("weak_evidence", sa.Text(), nullable=True),
        sa.Column("change_kind", sa.String(length=8), nullable=False),
        sa.Column("change", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("trend", sa.JSON(), nullable=False),
        sa.Column("last_lvef_percent", sa.Float(), nullable=True),
        sa.Column("last_echo_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_ecg_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=True),
        sa.Column("n_ecgs", sa.Integer(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("next_reason", sa.Text(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False),
        sa.Column("folded_reason", sa.Text(), nullable=False),
        sa.Column("sort_change", sa.Float(), nullable=False),
        sa.Column("sort_level", sa.Float(), nullable=False),
        sa.Column("sort_ecg", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name=op.f("fk_worklist_patient"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("patient", name=op.f("pk_worklist")),
    )
    with op.batch_alter_table("worklist", schema=None) as batch_op:
        batch_op.create_index(
            "ix_worklist_action", ["group_rank", "sort_change", "patient"], unique=False
        )
        batch_op.create_index("ix_worklist_change", ["sort_change", "patient"], unique=False)
        batch_op.create_index("ix_worklist_code", ["code", "patient"], unique=False)
        batch_op.create_index("ix_worklist_ecg", ["sort_ecg", "patient"], unique=False)
        batch_op.create_index("ix_worklist_level", ["sort_level", "patient"], unique=False)

    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ecg", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=80), nullable=False),
        sa.Column("lead_set", sa.String(length=4), nullable=False),
        sa.Column("weights_sha256", sa.String(length=64), nullable=False),
        sa.Column("preprocessing_version", sa.Integer(), nullable=False),
        sa.Column("waveform_sha256", sa.String(length=64), nullable=False),
        sa.Column("software_version", sa.String(length=40), nullable=False),
        sa.Column("made_at", ecgdash.store.schema.UtcDateTime(timezone=True), nullable=False),
        sa.Column("base_logits", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ecg"], ["ecgs.id"], name=op.f("fk_predictions_ecg"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
        sa.UniqueConstraint("ecg", "family", name=op.f("uq_predictions_ecg")),
    )
    op.create_table(
        "waveforms",
        sa.Column("ecg", sa.Integer(), nullable=False),
        sa.Column("codec", sa.String(length=24), nullable=False),
        sa.Column("steps_uv", sa.JSON(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ecg"], ["ecgs.id"], name=op.f("fk_waveforms_ecg"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ecg", name=op.f("pk_waveforms")),
    )
