"""The settings table: one frozen object, read once from the environment.

Every field is also a row of README's settings table (tested). Settings are
passed down as an argument; nothing below `services/` reads the environment.
"""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from platformdirs import user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]


def _default_database_url(fields: dict[str, Any]) -> str:
    """Keep simulated demo patients out of the store of a person's own ECGs."""
    name = "ecgdash-demo.db" if fields.get("demo") else "ecgdash.db"
    return f"sqlite:///{user_data_path('ecgdash') / name}"


def _default_models_dir() -> Path:
    return Path(__file__).resolve().parents[1] / "models"


def _default_sample_dir() -> Path:
    return Path(__file__).resolve().parents[1] / "sample_data"


class Settings(BaseSettings):
    """All that a site can set; each field is the variable `ECGDASH_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECGDASH_", frozen=True, extra="ignore")

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
    max_file_mb: int = Field(
        default=64, ge=1, description="Largest single input file, in megabytes."
    )
    max_archive_mb: int = Field(
        default=2048, ge=1, description="Largest unpacked size of one ZIP archive, in megabytes."
    )

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone, for files without one."""
        return ZoneInfo(self.site_zone)
