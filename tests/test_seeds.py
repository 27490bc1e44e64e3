import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as some

from unheard.seeds import derive, generator, seeded, torch_generator

names = some.lists(some.text(alphabet="abc123", max_size=3), max_size=3)


@given(some.integers(0, 2**40), names)
def test_a_seed_is_the_same_for_the_same_thing_and_fits_63_bits(seed: int, things: list[str]):
    assert derive(seed, *things) == derive(seed, *things)
    assert 0 <= derive(seed, *things) < 2**63


@given(some.tuples(some.integers(0, 9), names), some.tuples(some.integers(0, 9), names))
def test_other_things_have_other_seeds(one, other):
    same = (str(one[0]), *one[1]) == (str(other[0]), *other[1])
    assert (derive(one[0], *one[1]) == derive(other[0], *other[1])) == same


def test_seeds_stay_as_they_are():
    """A change would change every number of every run."""
    assert derive(0, "batches", 1) == 5609146539946556245
    assert generator(0, "batches", 1).integers(1000, size=3).tolist() == [414, 299, 999]


def test_each_thing_draws_by_itself():
    alone = generator(0, "a").random(3)
    other = generator(0, "b")
    other.random(100)
    np.testing.assert_array_equal(generator(0, "a").random(3), alone)
    assert not np.array_equal(generator(1, "a").random(3), alone)
    first, second = (torch.rand(3, generator=torch_generator(0, "a")) for _ in range(2))
    assert torch.equal(first, second)


def test_what_torch_draws_inside_belongs_to_the_name_and_leaves_the_outside_alone():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    with seeded(0, "weights"):
        first = torch.rand(3)
    assert torch.equal(torch.rand(2), expected)
    with seeded(0, "weights"):
        assert torch.equal(torch.rand(3), first)
    with seeded(0, "other weights"):
        assert not torch.equal(torch.rand(3), first)
