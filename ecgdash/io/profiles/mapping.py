"""Which column of a data set's tables means which of our fields: shown, edited, saved."""

import json
import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgdash.errors import TableError

__all__ = ["FIELDS", "Mapping", "load_mapping", "save_mapping"]

FIELDS: Final = (
    "file",
    "patient_id",
    "study",
    "recorded_at",
    "age_years",
    "birth_year",
    "sex",
    "statement",
    "scp_codes",
    "pacemaker",
    "filter",
    "rr_ms",
    "p_onset_ms",
    "p_end_ms",
    "qrs_onset_ms",
    "qrs_end_ms",
    "t_end_ms",
    "p_axis_deg",
    "qrs_axis_deg",
    "t_axis_deg",
    "anchor_age",
    "anchor_year",
    "performed_at",
    "lvef_percent",
    "method",
    "report",
    "code_system",
    "code",
    "recorded_on",
)
"""Fields a column may be mapped to; `statement` and `filter` may have several columns."""
_MANY: Final = frozenset({"statement", "filter"})
_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,63}$")
_MAX_BYTES: Final = 65_536


@dataclass(frozen=True)
class Mapping:
    """Columns (lower case) and the field each one fills.

    Attributes
    ----------
    profile : str
        Name of the profile it belongs to.
    columns : tuple of (str, str)
        Pairs of column and field of `FIELDS`.
    """

    profile: str
    columns: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        """Refuse unknown fields, and two columns for a field that takes one."""
        fields = [field for _, field in self.columns]
        unknown = sorted(set(fields) - set(FIELDS))
        twice = sorted({f for f in fields if fields.count(f) > 1 and f not in _MANY})
        if unknown or twice:
            what = f"unknown fields: {', '.join(unknown)}" if unknown else ""
            what = what or f"two columns for one field: {', '.join(twice)}"
            raise TableError(
                f"the mapping names {what}",
                accepted=f"Known: {', '.join(FIELDS)}",
                todo="Correct the mapping",
            )

    def column(self, field: str) -> str | None:
        """Return the column of a field, or None."""
        return next((column for column, name in self.columns if name == field), None)

    def columns_of(self, field: str) -> tuple[str, ...]:
        """Return all columns of a field, in their order."""
        return tuple(column for column, name in self.columns if name == field)

    def names(self) -> dict[str, str]:
        """Return the column of each field that has one; of several, the first."""
        return {field: column for column, field in reversed(self.columns)}

    def changed(self, column: str, field: str | None) -> "Mapping":
        """Return the mapping with one column given to a field, or to none."""
        column = column.strip().lower()
        kept = tuple(
            pair
            for pair in self.columns
            if pair[0] != column and (pair[1] != field or field in _MANY)
        )
        return Mapping(self.profile, kept if field is None else (*kept, (column, field)))

    def to_json(self) -> str:
        """Return the mapping as JSON text."""
        return json.dumps({"profile": self.profile, "columns": list(self.columns)}, indent=1)

    @classmethod
    def from_json(cls, text: str, where: str = "") -> "Mapping":
        """Read what `to_json` wrote; raises `TableError` for anything else."""
        try:
            made = json.loads(text)
            profile, columns = made["profile"], made["columns"]
            pairs = tuple((str(c).strip().lower(), str(f)) for c, f in columns)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise TableError(
                "this is no saved mapping", where=where, todo="Save the mapping again"
            ) from error
        return cls(str(profile), pairs)


def save_mapping(mapping: Mapping, folder: Path, name: str) -> Path:
    """Save a mapping under a name (letters, digits, blanks, - and _); return the file.

    Raises
    ------
    TableError
        If the name cannot be a file's name.
    """
    if not _NAME.match(name):
        raise TableError(
            "the mapping's name cannot be used",
            accepted="Accepted: up to 64 letters, digits, blanks, - and _",
            todo="Choose another name",
        )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(mapping.to_json(), encoding="utf-8")
    return file


def load_mapping(folder: Path) -> MappingOf[str, Mapping]:
    """Return the saved mappings of a folder by name; raises `TableError` if one is broken."""
    found = {}
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        if file.stat().st_size > _MAX_BYTES:
            raise TableError("this is no saved mapping: too large", where=file.name)
        text = file.read_text(encoding="utf-8", errors="replace")
        found[file.stem] = Mapping.from_json(text, file.name)
    return found
