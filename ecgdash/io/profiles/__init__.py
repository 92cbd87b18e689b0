"""Data sets as they are published: recognised by their columns, shown, mapped, read."""

from ecgdash.io.profiles.mapping import FIELDS, Mapping, load_mapping, save_mapping
from ecgdash.io.profiles.recognise import FoundTable, Recognised, recognise, tables_among
from ecgdash.io.profiles.registry import PROFILES, Profile
from ecgdash.io.profiles.unknown import OWN_TABLES, offered_mapping, unknown_tables

__all__ = [
    "FIELDS",
    "OWN_TABLES",
    "PROFILES",
    "FoundTable",
    "Mapping",
    "Profile",
    "Recognised",
    "load_mapping",
    "offered_mapping",
    "recognise",
    "save_mapping",
    "tables_among",
    "unknown_tables",
]
