"""Installs a network that others trained: checked, tried, and entered as a family."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ecgdash.domain.model import FamilyCard
from ecgdash.errors import InvalidValue, WeightsHashMismatch
from ecgdash.inference.manifest import (
    InstalledFamily,
    NetworkSizes,
    card_to_dict,
    load_card,
    read_manifest,
    sha256_of_file,
    verify_family,
    with_beside,
    write_manifest,
)

__all__ = ["AddedFamily", "add_external"]

_SPEC, _CARD, _HISTORY = "spec.toml", "card.json", "history"
_WEIGHTS = {"torchscript": "weights.pt", "safetensors": "weights.safetensors"}


@dataclass(frozen=True)
class AddedFamily:
    """What was installed.

    Attributes
    ----------
    guards : tuple of str
        What the operating system granted to isolate the network; empty: it runs in this process.
    replaced : bool
        Whether a family of this name was there before.
    """

    card: FamilyCard
    guards: tuple[str, ...]
    replaced: bool


def add_external(
    file: Path,
    spec_path: Path,
    models_dir: Path,
    *,
    own: tuple[float, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> AddedFamily:
    """Install a network with its spec; nothing is written unless it does what the spec tells.

    Parameters
    ----------
    file : Path
        TorchScript or safetensors.
    spec_path : Path
        TOML, see docs/external-models.md.
    models_dir : Path
    own : (float, str), optional
        The user's threshold and its origin in words, instead of the spec's.
    say : callable
        Told what is being done.

    Raises
    ------
    InvalidValue
        If the spec is wrong (with all that is), states no threshold and none was given, or its
        name is that of a family of this house.
    WeightsHashMismatch
        If the file is not the one whose sha256 the spec states.
    InputDoesNotFitModel
        If the network does not do what the spec tells, with what was found.
    """
    from ecgdash.inference.external_card import card_of_spec, own_threshold
    from ecgdash.inference.external_check import try_network
    from ecgdash.inference.external_engine import ExternalEngine
    from ecgdash.inference.external_keys import read_spec
    from ecgdash.inference.external_network import open_network
    from ecgdash.inference.external_process import IsolatedNet

    spec = read_spec(spec_path)
    if not file.is_file():
        raise InvalidValue("the file of weights is not there", where=file.name)
    rows = read_manifest(models_dir)
    old = rows.get(spec.name)
    if old is not None and "spec" not in old.beside:
        raise InvalidValue(
            f"{spec.name} is the name of a family of this house",
            where=spec_path.name,
            accepted=f"Taken: {', '.join(rows)}",
            todo="Choose another name in the spec",
        )
    found = sha256_of_file(file)
    if spec.sha256 not in (None, found):
        raise WeightsHashMismatch(
            f"the file has sha256 {found[:12]}",
            where=file.name,
            accepted=f"Its spec states {str(spec.sha256)[:12]}",
            todo="Get the file that the spec is about",
        )
    threshold = None if own is None else own_threshold(*own)
    card = card_of_spec(spec, found, threshold)
    say(f"trying {spec.name} on simulated ECGs")
    engine = ExternalEngine(card, spec, lambda: open_network(file.read_bytes(), spec, spec.name))
    try:
        check, notes = try_network(engine)
        network = engine.network
        guards = network.guards if isinstance(network, IsolatedNet) else ()
    finally:
        engine.close()
    card = replace(card, check=check, notes=(*card.notes, *notes))
    kept = None if old is None else _history_of_the_same(old, card)
    if kept is not None:
        card = replace(card, variants=(*card.variants, *kept.card.variants[1:]))
    files = {_WEIGHTS[spec.format]: file, _SPEC: spec_path}
    if kept is not None:
        files[kept.file.name] = kept.file
    rows[spec.name] = _write(files, models_dir / spec.name, card)
    write_manifest(rows.values(), models_dir)
    return AddedFamily(card, guards, old is not None)


@dataclass(frozen=True)
class _Kept:
    """A history that was fitted to the very weights and rules."""

    file: Path
    card: FamilyCard


def _history_of_the_same(old: InstalledFamily, card: FamilyCard) -> _Kept | None:
    """Return what was fitted to the scores of the same network, read by the same rules."""
    before, _ = load_card(old)
    same = (before.weights_sha256, before.preprocessing_version, before.label) == (
        card.weights_sha256,
        card.preprocessing_version,
        card.label,
    )
    if not same or _HISTORY not in old.beside:
        return None
    verify_family(old)
    return _Kept(old.folder / old.beside[_HISTORY].name, before)


def _write(files: Mapping[str, Path], folder: Path, card: FamilyCard) -> InstalledFamily:
    """Write the family's folder as a whole; return its row of the manifest.

    Parameters
    ----------
    files : mapping of str to Path
        By their names in the folder; the weights first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".adding-", dir=folder.parent))
    try:
        for name, source in files.items():
            shutil.copyfile(source, part / name)
        content = card_to_dict(card, NetworkSizes(0, ()))
        (part / _CARD).write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
        weights, *beside = files
        row = InstalledFamily(
            name=card.family,
            folder=folder,
            weights=weights,
            weights_sha256=sha256_of_file(part / weights),
            card=_CARD,
            card_sha256=sha256_of_file(part / _CARD),
        )
        if row.weights_sha256 != card.weights_sha256:
            raise WeightsHashMismatch(
                "the file changed while it was being added", where=card.family, todo="Add it again"
            )
        for name in beside:
            row = with_beside(row, "spec" if name == _SPEC else _HISTORY, part / name)
        part.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return row
