"""Installed families: `manifest.toml`, cards and verified weights (DESIGN decision 16).

    models/manifest.toml              [families.<name>] folder, weights and card with sha256
    models/<folder>/weights.safetensors
    models/<folder>/card.json         what `FamilyCard` states, and network sizes
    models/<folder>/training_log.json
    models/<folder>/evaluation.json   optional: the family's own figures, of these very weights
    models/<folder>/explanations.json optional: how far its maps can be trusted, likewise
    and the further files of `BESIDE`

Nothing is unpickled. A file whose hash is not the manifest's is never used.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ecgdash.domain.model import FamilyCard
from ecgdash.errors import InvalidValue, WeightsHashMismatch, WeightsMissing
from ecgdash.inference.card_json import NetworkSizes, card_from_dict, card_to_dict

__all__ = [
    "BESIDE",
    "FileBeside",
    "InstalledFamily",
    "NetworkSizes",
    "beside_path",
    "card_from_dict",
    "card_to_dict",
    "default_models_dir",
    "find_family",
    "installed_families",
    "load_card",
    "read_manifest",
    "sha256_of_file",
    "verify_beside",
    "verify_family",
    "with_beside",
    "write_manifest",
]

MANIFEST_NAME: Final = "manifest.toml"
BESIDE: Final = ("evaluation", "explanations", "precision", "spec", "history")
"""Kinds of files that may lie beside weights and card, each with its hash in the manifest:
the family's own figures; how far its maps can be trusted; what a lower precision does to its
scores; what an external scorer expects; a history perceptron fitted to a scorer that has none."""
_SCORED_WITH: Final = ("spec", "history")


@dataclass(frozen=True)
class FileBeside:
    """A file in a family's folder, and what it must hash to."""

    name: str
    sha256: str


@dataclass(frozen=True)
class InstalledFamily:
    """One row of the manifest.

    Attributes
    ----------
    weights_sha256, card_sha256 : str
        What the files must hash to.
    beside : mapping of str to FileBeside
        Further files by kind, see `BESIDE`.
    """

    name: str
    folder: Path
    weights: str
    weights_sha256: str
    card: str
    card_sha256: str
    beside: Mapping[str, FileBeside] = field(default_factory=dict)

    @property
    def weights_path(self) -> Path:
        """The safetensors file."""
        return self.folder / self.weights

    @property
    def card_path(self) -> Path:
        """The card, JSON."""
        return self.folder / self.card


def default_models_dir() -> Path:
    """Return `models/` beside the package."""
    return Path(__file__).resolve().parents[2] / "models"


def read_manifest(models_dir: Path | None = None) -> dict[str, InstalledFamily]:
    """Read the manifest; an absent one means that nothing is installed.

    Raises
    ------
    InvalidValue
        If the manifest is not what this version writes, or names a path outside `models/`.
    """
    root = models_dir or default_models_dir()
    path = root / MANIFEST_NAME
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        rows = table.get("families", {})
        return {name: _row(name, root, row) for name, row in rows.items()}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InvalidValue(
            f"the manifest cannot be read ({error})",
            where=MANIFEST_NAME,
            todo="Restore models/manifest.toml from the repository",
        ) from error


def _row(name: str, root: Path, row: Mapping[str, str]) -> InstalledFamily:
    present = [kind for kind in BESIDE if kind in row]
    for key in ("folder", "weights", "card", *present):
        if Path(row[key]).name != row[key]:
            raise InvalidValue(f"{key} {row[key]!r} of {name} is not a plain name")
    return InstalledFamily(
        name=name,
        folder=root / row["folder"],
        weights=row["weights"],
        weights_sha256=row["weights_sha256"],
        card=row["card"],
        card_sha256=row["card_sha256"],
        beside={kind: FileBeside(row[kind], row[f"{kind}_sha256"]) for kind in present},
    )


def write_manifest(rows: Iterable[InstalledFamily], models_dir: Path) -> None:
    """Write the manifest; only through a temporary file, so that it is never half."""
    lines = ["# Installed model families; every file is checked against its sha256 before use."]
    for row in rows:
        lines += [
            "",
            f'[families."{row.name}"]',
            f'folder = "{row.folder.name}"',
            f'weights = "{row.weights}"',
            f'weights_sha256 = "{row.weights_sha256}"',
            f'card = "{row.card}"',
            f'card_sha256 = "{row.card_sha256}"',
        ]
        for kind in BESIDE:
            if kind in row.beside:
                file = row.beside[kind]
                lines += [f'{kind} = "{file.name}"', f'{kind}_sha256 = "{file.sha256}"']
    part = models_dir / (MANIFEST_NAME + ".part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(models_dir / MANIFEST_NAME)


def find_family(name: str, models_dir: Path | None = None) -> InstalledFamily:
    """Return one row of the manifest.

    Raises
    ------
    WeightsMissing
        If the family is not installed.
    """
    rows = read_manifest(models_dir)
    if name not in rows:
        raise WeightsMissing(
            f"the model family {name!r} is not installed",
            accepted=f"Installed: {', '.join(rows) or 'none'}",
            todo="Run 'python -m ecgdash models list', or train it with 'ecgdash train all'",
        )
    return rows[name]


def installed_families(models_dir: Path | None = None) -> list[FamilyCard]:
    """Return the cards of all installed families, in the manifest's order."""
    return [load_card(row)[0] for row in read_manifest(models_dir).values()]


def load_card(row: InstalledFamily) -> tuple[FamilyCard, NetworkSizes]:
    """Read and check a family's card.

    Raises
    ------
    WeightsMissing, WeightsHashMismatch
    """
    _check_hash(row.card_path, row.card_sha256)
    content = json.loads(row.card_path.read_text(encoding="utf-8"))
    card = card_from_dict(content)
    if card.weights_sha256 != row.weights_sha256:
        raise WeightsHashMismatch(
            f"the card of {row.name} is of weights {card.weights_sha256[:12]}",
            accepted=f"The manifest names {row.weights_sha256[:12]}",
            todo="Install card and weights of the same training",
        )
    network = content["network"]
    return card, NetworkSizes(int(network["history_hidden"]), tuple(network["labels"]))


def verify_family(row: InstalledFamily) -> None:
    """Check card, weights and all that scores are made with against the manifest.

    Raises
    ------
    WeightsMissing, WeightsHashMismatch
    """
    load_card(row)
    _check_hash(row.weights_path, row.weights_sha256)
    for kind in _SCORED_WITH:
        verify_beside(row, kind)


def beside_path(row: InstalledFamily, kind: str) -> Path | None:
    """Return the file of a kind of `BESIDE`, or None if the family has none."""
    return row.folder / row.beside[kind].name if kind in row.beside else None


def verify_beside(row: InstalledFamily, kind: str) -> None:
    """Check the file of a kind, where there is one, against the manifest.

    Raises
    ------
    WeightsMissing, WeightsHashMismatch
    """
    path = beside_path(row, kind)
    if path is not None:
        _check_hash(path, row.beside[kind].sha256)


def with_beside(row: InstalledFamily, kind: str, path: Path) -> InstalledFamily:
    """Return the row with a file of the family's folder under a kind, as it is now."""
    file = FileBeside(path.name, sha256_of_file(path))
    return replace(row, beside={**row.beside, kind: file})


def sha256_of_file(path: Path) -> str:
    """Hash a file's bytes (hex)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_hash(path: Path, expected: str) -> None:
    if not path.is_file():
        raise WeightsMissing(
            f"the file {path.name} is missing",
            where=path.parent.name,
            todo="Restore it from the repository, or remove the family from models/manifest.toml",
        )
    found = sha256_of_file(path)
    if found != expected:
        raise WeightsHashMismatch(
            f"the file {path.name} has sha256 {found[:12]}",
            where=path.parent.name,
            accepted=f"The manifest names {expected[:12]}",
            todo="Restore the file that belongs to the manifest",
        )
