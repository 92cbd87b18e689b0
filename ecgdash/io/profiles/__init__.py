"""Data sets as they are published: recognised by their columns, shown, mapped, read."""

from ecgdash.io.profiles.label_columns import LVEF_ITSELF
from ecgdash.io.profiles.mapping import FIELDS, Mapping, load_mapping, save_mapping
from ecgdash.io.profiles.recognise import FoundTable, Recognised, recognise, tables_among
from ecgdash.io.profiles.registry import OWN_TABLES, PROFILES, Profile, profile_named
from ecgdash.io.profiles.unknown import offered_mapping, unknown_tables

__all__ = [
    "FIELDS",
    "LVEF_ITSELF",
    "OWN_TABLES",
    "PROFILES",
    "FoundTable",
    "Mapping",
    "Profile",
    "Recognised",
    "load_mapping",
    "offered_mapping",
    "profile_named",
    "recognise",
    "save_mapping",
    "tables_among",
    "unknown_tables",
]
