"""Data sets as they are published: recognised by their columns, shown, mapped, read."""

from ecgdash.io.profiles.mapping import FIELDS, Mapping, load_mapping, save_mapping
from ecgdash.io.profiles.recognise import FoundTable, Recognised, recognise
from ecgdash.io.profiles.registry import PROFILES, Profile

__all__ = [
    "FIELDS",
    "PROFILES",
    "FoundTable",
    "Mapping",
    "Profile",
    "Recognised",
    "load_mapping",
    "recognise",
    "save_mapping",
]
