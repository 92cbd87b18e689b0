"""Hidden variables of the simulator stay inside it."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BANNED = ("ecgdash.simulate.latent", "ecgdash.simulate.oracle")


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def offenders(files: list[Path], banned: tuple[str, ...]) -> list[str]:
    return [
        f"{path}: {name}"
        for path in files
        for name in imports_of(path)
        if any(name == b or name.startswith(f"{b}.") for b in banned)
    ]


def sources() -> list[Path]:
    files = [*ROOT.glob("*.py"), *(ROOT / "pages").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    files += (ROOT / "ecgdash").rglob("*.py")
    inside = (ROOT / "ecgdash" / "simulate", ROOT / "tests" / "simulate")
    return [f for f in files if not any(folder in f.parents for folder in inside)]


def test_nothing_outside_the_simulator_imports_its_hidden_side():
    assert offenders(sources(), BANNED) == []


def test_benchmarks_do_not_import_the_latent_types():
    assert offenders(list((ROOT / "benchmarks").glob("*.py")), BANNED[:1]) == []


def test_nothing_outside_the_simulator_reaches_for_private_columns():
    reached = [
        str(path)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"_latent", "_patient_seed", "_visit_seed"}
    ]
    assert reached == []


def test_the_search_finds_a_planted_import(tmp_path):
    planted = tmp_path / "planted.py"
    planted.write_text("from ecgdash.simulate import latent\n")
    assert offenders([planted], BANNED)
    planted.write_text("from ecgdash.simulate.latent import LatentPeople\n")
    assert offenders([planted], BANNED)
    planted.write_text("from ecgdash.simulate.cohort import simulate_patients\n")
    assert not offenders([planted], BANNED)
