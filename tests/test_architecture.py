"""The house stands as DESIGN says: this table is the architecture, and imports keep to it.

A module imports only from layers above its own in `LAYERS`, or from its own.
A third-party library appears only in the layers that `LIBRARIES` gives it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ecgdash"

LAYERS = (
    ("errors", "settings"),
    ("domain",),
    ("stats",),
    ("signal",),
    ("labels",),
    ("io",),
    ("simulate",),
    ("nets",),
    ("inference",),
    ("explain",),
    ("training",),
    ("store",),
    ("services",),
    ("plots",),
    ("ui",),
    ("cli", "__main__", "pages", "app"),
)

ANYWHERE = {"numpy"}
LIBRARIES: dict[str, set[str]] = {
    "pydantic": {"settings"},
    "pydantic_settings": {"settings"},
    "platformdirs": {"settings"},
    "scipy": {"stats", "signal", "io", "simulate"},
    "sklearn": {"stats"},
    "statsmodels": {"stats"},
    "neurokit2": {"signal"},
    "wfdb": {"io"},
    "ecgdatakit": {"io"},
    "pydicom": {"io"},
    "h5py": {"io"},
    "defusedxml": {"io"},
    "openpyxl": {"io"},
    "pandas": {"io", "services"},
    "torch": {"nets", "inference", "explain", "training"},
    "safetensors": {"inference", "training"},
    "openvino": {"inference"},
    "captum": {"explain"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "plotly": {"plots"},
    "streamlit": {"ui", "pages", "app"},
    "typer": {"cli"},
}

PAGE_MAY_IMPORT = {"ui", "services", "plots", "domain"}
PAGE_LINES = 80
MODULE_LINES = 330
LONGER_BECAUSE: dict[str, str] = {}
"""Modules over the limit, each with a reason a reader accepts."""

RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}


class Import(NamedTuple):
    file: Path
    line: int
    module: str

    @property
    def place(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def source_files() -> list[Path]:
    pages = sorted((ROOT / "pages").glob("*.py"))
    app = [ROOT / "app.py"] if (ROOT / "app.py").exists() else []
    return sorted(PACKAGE.rglob("*.py")) + pages + app


def layer_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    if parts[0] in {"pages", "app"}:
        return parts[0]
    return parts[1]


def imports_of(file: Path) -> Iterator[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    exempt = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in exempt:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative imports hide the layer"
            module = node.module or ""
            if module == "ecgdash":
                for alias in node.names:
                    yield Import(file, node.lineno, f"ecgdash.{alias.name}")
            else:
                yield Import(file, node.lineno, module)


ALL_IMPORTS = [found for file in source_files() for found in imports_of(file)]


def is_package_root(file: Path) -> bool:
    return file == PACKAGE / "__init__.py"


def test_layer_table_names_every_folder_and_module():
    present = {
        path.stem
        for path in PACKAGE.iterdir()
        if (path.is_dir() and any(path.glob("*.py")))
        or (path.suffix == ".py" and path.stem != "__init__")
    }
    assert present <= set(RANK), f"not in the layer table: {sorted(present - set(RANK))}"
    assert len(RANK) == sum(len(row) for row in LAYERS), "a layer stands in two rows"


def test_imports_point_down():
    wrong = []
    for found in ALL_IMPORTS:
        if not found.module.startswith("ecgdash.") or is_package_root(found.file):
            continue
        target = found.module.split(".")[1]
        if target == "__version__":
            continue
        mine = layer_of(found.file)
        assert target in RANK, f"{found.place}: unknown layer"
        if RANK[target] > RANK[mine] or (RANK[target] == RANK[mine] and target != mine):
            if mine == "__main__" and target == "cli":
                continue
            wrong.append(found.place)
    assert not wrong, "imports that point up or sideways:\n" + "\n".join(wrong)


def test_libraries_stay_in_their_layers():
    wrong = []
    for found in ALL_IMPORTS:
        library = found.module.split(".")[0]
        allowed = LIBRARIES.get(library)
        if allowed is not None and layer_of(found.file) not in allowed:
            wrong.append(f"{found.place}; it lives in {sorted(allowed)}")
    assert not wrong, "libraries out of their layer:\n" + "\n".join(wrong)


def test_every_third_party_library_is_in_the_table():
    import sys

    known = ANYWHERE | set(LIBRARIES) | {"ecgdash"} | set(sys.stdlib_module_names)
    strange = {found.place for found in ALL_IMPORTS if found.module.split(".")[0] not in known}
    assert not strange, "libraries without a layer:\n" + "\n".join(sorted(strange))


def test_pages_import_only_what_pages_may():
    wrong = [
        found.place
        for found in ALL_IMPORTS
        if layer_of(found.file) in {"pages", "app"}
        and found.module.startswith("ecgdash.")
        and found.module.split(".")[1] not in PAGE_MAY_IMPORT
    ]
    assert not wrong, "\n".join(wrong)


def test_pages_are_thin():
    long = {
        str(file.relative_to(ROOT)): n
        for file in source_files()
        if layer_of(file) in {"pages", "app"}
        and (n := len(file.read_text(encoding="utf-8").splitlines())) > PAGE_LINES
    }
    assert not long, f"pages longer than {PAGE_LINES} lines: {long}"


def test_navigation_is_not_mixed_with_a_pages_folder():
    """`st.navigation` beside `pages/` breaks cold deep links (docs/decisions/0007)."""
    uses = [
        str(file.relative_to(ROOT))
        for file in source_files()
        if re.search(r"\bst\.navigation\s*\(", file.read_text(encoding="utf-8"))
    ]
    assert not uses


def test_modules_stay_small():
    long = {
        name: n
        for file in source_files()
        if (n := len(file.read_text(encoding="utf-8").splitlines())) > MODULE_LINES
        and (name := str(file.relative_to(ROOT))) not in LONGER_BECAUSE
    }
    assert not long, f"over {MODULE_LINES} lines, split or give a reason: {long}"


def test_no_latent_variable_leaves_the_simulator():
    """No hidden variable of the simulator reaches a label, an input or a flag (decision 17)."""
    leaks = [
        found.place
        for found in ALL_IMPORTS
        if "simulate.latent" in found.module and layer_of(found.file) != "simulate"
    ]
    assert not leaks


@pytest.mark.parametrize("heavy", ["torch", "captum", "pandas", "streamlit", "plotly", "neurokit2"])
def test_importing_the_package_stays_light(heavy):
    import subprocess
    import sys

    code = (
        f"import sys, ecgdash, ecgdash.domain, ecgdash.errors; sys.exit('{heavy}' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_checker_sees_a_planted_violation(tmp_path):
    """The rule catches what it must: a domain module that imports torch and services."""
    planted = tmp_path / "planted.py"
    planted.write_text("import torch\nfrom ecgdash.services import importing\n")
    found = list(imports_of(planted))
    assert [f.module for f in found] == ["torch", "ecgdash.services"]
    assert RANK["services"] > RANK["domain"]
    assert "domain" not in LIBRARIES["torch"]
