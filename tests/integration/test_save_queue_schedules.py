"""The queue of the saves on virtual time: whatever the database does, nobody is told wrongly."""

import pytest

from tests.integration.save_queue_world import World
from tests.integration.virtual_loop import run_on_virtual_time

_SEEDS = 120
_GROUPS = 8


@pytest.mark.parametrize("group", range(_GROUPS))
def test_in_random_worlds_each_hears_what_became_of_its_own_save_and_in_time(group: int) -> None:
    saves = 0
    for seed in range(group, _SEEDS, _GROUPS):
        world = World(seed)
        _, uncaught = run_on_virtual_time(world.play())
        assert (world.faults, uncaught) == ([], []), f"seed {seed}"
        saves += world.saves

    assert saves > 1_000, "so many that something happens"
