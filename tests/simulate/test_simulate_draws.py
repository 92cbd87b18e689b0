"""The counter-based draws: even, independent, and owned by their seed."""

import numpy as np

from ecgdash.simulate.draws import Stream, normals, uniforms


def test_a_row_depends_on_its_seed_alone():
    seeds = np.array([5, 9, 2**63, 7], dtype=np.uint64)
    together = uniforms(seeds, Stream.ATRIAL, 4, 3)
    alone = uniforms(seeds[2:3], Stream.ATRIAL, 4, 3)
    np.testing.assert_array_equal(together[2], alone[0])


def test_uniforms_are_even_and_inside_the_open_interval():
    drawn = uniforms(np.arange(2_000, dtype=np.uint64), Stream.RATE, 50)
    assert drawn.min() > 0.0
    assert drawn.max() < 1.0
    counts, _ = np.histogram(drawn, bins=20, range=(0, 1))
    # 5,000 expected per bin; 20 bins, so beyond 4.5 SD is a fault, not chance
    assert np.abs(counts - 5_000).max() < 4.5 * np.sqrt(5_000)


def test_normals_have_unit_spread_and_no_skew():
    drawn = normals(np.arange(2_000, dtype=np.uint64), Stream.RATE, 50)
    assert abs(drawn.mean()) < 0.015
    assert abs(drawn.std() - 1.0) < 0.01
    assert abs((drawn**3).mean()) < 0.05


def test_neighbouring_seeds_draws_and_streams_are_uncorrelated():
    seeds = np.arange(20_000, dtype=np.uint64)
    first = uniforms(seeds, Stream.RATE, 2)
    other = uniforms(seeds, Stream.ECTOPY, 2)
    pairs = [(first[:-1, 0], first[1:, 0]), (first[:, 0], first[:, 1]), (first[:, 0], other[:, 0])]
    for left, right in pairs:
        assert abs(np.corrcoef(left, right)[0, 1]) < 0.03
