"""The settings table: one frozen object, read once from the environment.

Every field is also a row of README's settings table (tested). Settings are
passed down as an argument; nothing below `services/` reads the environment.
"""

from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]

_SHORTEST_KEY: Final = 16


def _default_database_url(fields: dict[str, Any]) -> str:
    """Keep simulated demo patients out of the store of a person's own ECGs."""
    name = "ecgdash-demo.db" if fields.get("demo") else "ecgdash.db"
    return f"sqlite:///{user_data_path('ecgdash') / name}"


def _default_models_dir() -> Path:
    return Path(__file__).resolve().parents[1] / "models"


def _default_sample_dir() -> Path:
    return Path(__file__).resolve().parents[1] / "sample_data"


def _default_mappings_dir() -> Path:
    return user_data_path("ecgdash") / "mappings"


class Settings(BaseSettings):
    """All that a site can set; each field is the variable `ECGDASH_<FIELD>`."""

    # Inputs stay out of errors: one of them is a key.
    model_config = SettingsConfigDict(
        env_prefix="ECGDASH_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    demo: bool = Field(
        default=False,
        description="Read-only store of simulated patients; the import page is closed.",
    )
    database_url: str = Field(
        default_factory=_default_database_url,
        description="Where the store is, a SQLAlchemy address (SQLite or PostgreSQL).",
    )
    site_zone: str = Field(
        default="UTC",
        description="Time zone of files that state none, for instance Asia/Seoul.",
    )
    models_dir: Path = Field(
        default_factory=_default_models_dir,
        description="Folder with manifest.toml and the model families.",
    )
    sample_dir: Path = Field(
        default_factory=_default_sample_dir,
        description="Folder with the simulated sample patients.",
    )
    device: str = Field(
        default="auto", description="Where the networks run: auto, cpu, cuda or cuda:N."
    )
    torch_threads: int = Field(
        default=1,
        ge=1,
        description="PyTorch threads per process; more than one is slow on a busy machine.",
    )
    backend: Literal["auto", "torch", "openvino"] = Field(
        default="auto",
        description="What runs the networks; auto takes openvino where it is clearly faster.",
    )
    precision: Literal["float32", "auto"] = Field(
        default="float32",
        description="float32, or a lower one where a record beside the weights says it passed.",
    )
    max_file_mb: int = Field(
        default=64, ge=1, description="Largest single input file, in megabytes."
    )
    max_archive_mb: int = Field(
        default=2048, ge=1, description="Largest unpacked size of one ZIP archive, in megabytes."
    )

    mappings_dir: Path = Field(
        default_factory=_default_mappings_dir,
        description="Folder of the table mappings that were saved under a name.",
    )
    import_dir: Path | None = Field(
        default=None,
        description="Folder on the server whose contents the import page offers; unset: uploads.",
    )
    id_key: SecretStr | None = Field(
        default=None,
        description="Secret, at least 16 characters, by which imports replace patient ids.",
    )
    keep_names: bool = Field(
        default=False, description="Whether imports keep names and birth dates of patients."
    )
    keep_reports: bool = Field(
        default=False, description="Whether imports keep the free text of echo reports."
    )

    @field_validator("id_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse a key that can be guessed; an empty one too: then ids would be kept unnoticed."""
        if key is not None and len(key.get_secret_value().strip()) < _SHORTEST_KEY:
            raise ValueError(f"a key has at least {_SHORTEST_KEY} characters")
        return key

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone, for files without one."""
        return ZoneInfo(self.site_zone)
