"""What an import found: data sets by profile, with a saved mapping where one is named."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ecgdash.errors import TableError
from ecgdash.settings import Settings

if TYPE_CHECKING:
    from ecgdash.io.profiles import Recognised

__all__ = ["found_data_sets"]


def found_data_sets(
    where: Path | Sequence[Path],
    settings: Settings,
    saved: Path | None = None,
    name: str | None = None,
) -> "list[Recognised]":
    """Return the recognised data sets; a mapping saved under a name replaces the offered one.

    Parameters
    ----------
    where : Path or sequence of Path
    settings : Settings
        Gives the site's zone.
    saved : Path or None
        Folder of saved mappings.
    name : str or None
        Which of them to use, for the data set of its profile.

    Raises
    ------
    TableError
        If there is no mapping of that name.
    """
    from ecgdash.io.profiles import load_mapping, recognise

    found = recognise(where, settings.zone)
    if name is None:
        return found
    mappings = load_mapping(saved) if saved is not None else {}
    if name not in mappings:
        raise TableError(
            "there is no saved mapping of that name",
            accepted=f"Saved: {', '.join(mappings) or 'none'}",
            todo="Choose one of them",
        )
    chosen = mappings[name]
    return [
        one.with_mapping(chosen) if one.profile.name == chosen.profile else one for one in found
    ]
