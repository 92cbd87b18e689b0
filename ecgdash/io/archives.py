"""Unpacks a ZIP archive, whatever it holds: every name checked, every byte counted."""

import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from ecgdash.errors import CorruptFile, FileTooLarge
from ecgdash.io.readers import MEGABYTE

__all__ = ["Limits", "SizeLimits", "unpack"]

_CHUNK: Final = 1024 * 1024
MAX_ARCHIVE_FILES: Final = 100_000
"""Members of one archive (our choice: more than PTB-XL has)."""


class SizeLimits(Protocol):
    """How much one call may bring in, in megabytes; the settings are one."""

    @property
    def max_archive_mb(self) -> int:
        """All that one archive unpacks to."""
        ...


@dataclass(frozen=True)
class Limits:
    """Size limits without settings."""

    max_archive_mb: int = 2048

    @classmethod
    def of(cls, settings: SizeLimits) -> "Limits":
        """Return the limits that the settings state."""
        return cls(max_archive_mb=settings.max_archive_mb)


def unpack(archive: Path, folder: Path, limits: SizeLimits) -> None:
    """Unpack with every name checked first and every byte counted, whatever the archive declares.

    Raises
    ------
    CorruptFile
        If a member would land outside the folder, or is a link.
    FileTooLarge
        If the archive exceeds a limit.
    """
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if not member.is_dir()]
        if len(members) > MAX_ARCHIVE_FILES:
            raise FileTooLarge(
                f"the archive holds {len(members)} files",
                where=archive.name,
                accepted=f"Accepted: at most {MAX_ARCHIVE_FILES}",
                todo="Split it, or import the folder",
            )
        for member in members:
            _check_member(member, archive.name)
        if len({member.filename for member in members}) < len(members):
            raise CorruptFile(
                "two members of the archive have the same name",
                where=archive.name,
                accepted="Accepted: each name once",
                todo="Pack it again",
            )
        left = limits.max_archive_mb * MEGABYTE
        if sum(member.file_size for member in members) > left:
            raise _too_large(archive.name, limits)
        for member in members:
            target = folder / member.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            left -= _copy(opened, member, target, left)
            if left < 0:
                raise _too_large(archive.name, limits)


def _copy(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, limit: int) -> int:
    """Copy one member, stopping beyond `limit` bytes; return how many were written."""
    written = 0
    with opened.open(member) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > limit:
                break
            sink.write(chunk)
    return written


def _check_member(member: zipfile.ZipInfo, where: str) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    drive = path.parts[:1] and ":" in path.parts[0]
    if not path.parts or path.is_absolute() or ".." in path.parts or drive or is_link:
        raise CorruptFile(
            "a member of the archive points outside of it",
            where=where,
            accepted="Accepted: plain files in plain folders",
            todo="Pack it again",
        )


def _too_large(where: str, limits: SizeLimits) -> FileTooLarge:
    return FileTooLarge(
        "the archive unpacks to more than the limit",
        where=where,
        accepted=f"Accepted: at most {limits.max_archive_mb} MB",
        todo="Split it, or raise ECGDASH_MAX_ARCHIVE_MB",
    )
