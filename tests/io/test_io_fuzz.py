"""A fixed sample of the mutants that `benchmarks.fuzz_readers` makes by the ten thousand."""

import pytest
from every_format import SEEDS

from benchmarks.fuzzing import Hang, Tally, Target, arm, base_of, length_and_rate, try_mutant
from ecgdash.io import READERS, read_ecg, sniff_format

N_MUTANTS = 40


@pytest.fixture(scope="module", autouse=True)
def timer():
    arm()


def test_every_reader_has_a_seed():
    assert {seed.reader for seed in SEEDS.values()} == set(READERS)


@pytest.mark.parametrize("name", SEEDS)
def test_mutants_are_read_right_or_refused(name, tmp_path):
    seed = SEEDS[name]
    file = seed.write(tmp_path)
    assert sniff_format(file) == seed.reader
    beside = tuple(sorted(other for other in tmp_path.iterdir() if other != file))
    target = Target(name, file, seed.member, seed.stated_by, beside)
    base = base_of(target)
    assert base == length_and_rate(read_ecg(file, member=seed.member))
    tally = Tally(peak_mb=float("inf"))  # memory is the whole test process's here
    for index in range(N_MUTANTS):
        try_mutant(target, base, 0, index, tally)
    assert tally.violations == []
    assert tally.refused.total() + tally.same + tally.field_changed == N_MUTANTS
    assert tally.refused


def test_the_harness_sees_what_it_looks_for(tmp_path, monkeypatch):
    """A reader that accepts everything, one that throws and one that hangs are all caught."""
    import benchmarks.fuzzing as fuzzing

    file = SEEDS["wfdb"].write(tmp_path)
    target = Target("wfdb", file, None, ())
    whole = read_ecg(file)

    def tried(reader):
        tally = Tally(peak_mb=float("inf"))
        monkeypatch.setattr(fuzzing, "read_ecg", reader)
        try_mutant(target, (whole.n_samples - 1, 500.0), 0, 3, tally)
        return tally.violations

    def throws(_file, *, member):
        raise KeyError("x")

    def hangs(_file, *, member):
        raise Hang

    assert "accepted with 1000 samples" in tried(lambda _file, *, member: whole)[0]
    assert "KeyError" in tried(throws)[0]
    assert "processor time" in tried(hangs)[0]
