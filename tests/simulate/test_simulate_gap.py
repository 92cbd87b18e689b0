"""The gap to real normal ECGs: every simulated median lies inside the real 5 to 95 %."""

import numpy as np
import pytest

from benchmarks import gap


def test_the_table_names_what_lies_outside(capsys):
    rng = np.random.default_rng(3)
    real = {"QRS, ms": rng.normal(88, 8, 200), "PR, ms": rng.normal(160, 20, 200)}
    gap.print_table(real, {"QRS, ms": np.full(50, 140.0), "PR, ms": np.full(50, 165.0)})
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "outside the real 5 to 95 %: QRS, ms"


def test_an_absent_folder_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["gap", str(tmp_path)])
    with pytest.raises(SystemExit):
        gap.main()
    assert "real ECGs are absent" in capsys.readouterr().err


@pytest.mark.real
def test_simulated_normals_lie_among_the_real_ones(shared_data):
    real = gap.quantities(*gap.real_normals(shared_data / "ptbxl500"))
    simulated = gap.quantities(*gap.simulated_normals(900, 603))
    outside = []
    for name, values in real.items():
        low, high = np.nanpercentile(values, [5, 95])
        if not low <= np.nanmedian(simulated[name]) <= high:
            outside.append(name)
    assert outside == []
