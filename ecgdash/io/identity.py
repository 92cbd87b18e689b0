"""Names and birth dates as files state them; `read_ecg` drops them unless asked to keep them."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from ecgdash.domain.ecg import Identity

__all__ = ["identity_of"]

_LONGEST: Final = 200
"""What the store's column holds."""
_NO_NAME: Final = re.compile(r"^[\W_]*$|^(?:[xX]+|unknown|anonym\w*)$", re.IGNORECASE)
"""Masked or absent, as XXX, "?" or "Anonymous"."""


def identity_of(names: Iterable[str | None], birth: date | None) -> Identity | None:
    """Return who the person is; None if the file says nothing of it.

    Parameters
    ----------
    names : iterable of str or None
        Parts of the name, in the order in which they are shown.
    birth : date or None
    """
    words = ["".join(filter(str.isprintable, " ".join((part or "").split()))) for part in names]
    name = " ".join(word for word in words if not _NO_NAME.match(word))[:_LONGEST].strip()
    return Identity(name or None, birth) if name or birth is not None else None
