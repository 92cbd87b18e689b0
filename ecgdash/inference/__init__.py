"""Engine, histories and the gate.

`Engine` is imported on first use: it brings torch, which the gate, the manifest
and the history terms do without.
"""

from typing import TYPE_CHECKING, Any

from ecgdash.inference.manifest import installed_families, load_card

if TYPE_CHECKING:
    from ecgdash.inference.engine import Engine

__all__ = ["Engine", "installed_families", "load_card"]


def __getattr__(name: str) -> Any:
    if name == "Engine":
        from ecgdash.inference.engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
