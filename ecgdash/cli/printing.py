"""What a terminal may be shown: names of files can hold anything."""

import re
from typing import Final

__all__ = ["printable"]

_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return `text` in one line, with "?" for what would steer a terminal or is no character."""
    return _CONTROL.sub("?", text)
