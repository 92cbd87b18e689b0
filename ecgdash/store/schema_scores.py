"""What the models said, which of them a site shows, and what moved a score."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from ecgdash.store.schema_base import metadata
from ecgdash.store.utc import UtcDateTime

__all__ = ["active_families", "attributions", "predictions"]

predictions = Table(
    "predictions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ecg", Integer, ForeignKey("ecgs.id", ondelete="CASCADE"), nullable=False),
    Column("family", String(80), nullable=False),
    Column("lead_set", String(4), nullable=False),
    Column("weights_sha256", String(64), nullable=False),
    Column("preprocessing_version", Integer, nullable=False),
    Column("waveform_sha256", String(64), nullable=False),
    Column("software_version", String(40), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    # What carried out the network; NULL: written by a version that did not say it.
    Column("backend", String(80)),
    Column("base_logits", JSON, nullable=False),
    Column("scores", JSON, nullable=False),
    UniqueConstraint("ecg", "family"),
)

# A site's choice among the families of one lead set and label; no row: the first installed one.
active_families = Table(
    "active_families",
    metadata,
    Column("lead_set", String(4), primary_key=True),
    Column("label", String(200), primary_key=True),
    Column("family", String(80), nullable=False),
)

_CONTENTS = ("waveform", "reference", "weights")  # reference "": a flat line
_VERSIONS = ("preprocessing", "method")
# Kept by content, for any ECG that holds the waveform; a row goes with the last such ECG.
attributions = Table(
    "attributions",
    metadata,
    *(Column(f"{name}_sha256", String(64), primary_key=True) for name in _CONTENTS),
    *(Column(f"{name}_version", Integer, primary_key=True) for name in _VERSIONS),
    Column("variant", String(40), primary_key=True),
    Column("family", String(80), nullable=False),
    Column("bins", LargeBinary, nullable=False),  # float32, little-endian, deflated
    Column("details", JSON, nullable=False),
)
