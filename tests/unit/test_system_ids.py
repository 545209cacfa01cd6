"""Ids are UUIDs of version 7 that grow, whatever the clock does."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise, repeat
from unittest.mock import patch
from uuid import RFC_4122, UUID

from order_system import TimeOrderedIds

_MOMENT = 1_893_499_200_123


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    made = UUID(TimeOrderedIds(lambda: _MOMENT).new_id())

    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == _MOMENT


def test_an_id_has_the_form_that_the_port_asks_for() -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]{36}", TimeOrderedIds().new_id())


def test_ids_of_one_millisecond_grow() -> None:
    ids = TimeOrderedIds(lambda: _MOMENT)

    made = [ids.new_id() for _ in range(1000)]

    assert all(earlier < later for earlier, later in pairwise(made))


def test_ids_grow_while_the_clock_goes_back() -> None:
    ids = TimeOrderedIds(chain([_MOMENT], repeat(_MOMENT - 60_000)).__next__)

    made = [ids.new_id() for _ in range(100)]

    assert all(earlier < later for earlier, later in pairwise(made))


def test_ids_grow_when_a_millisecond_is_full() -> None:
    ids = TimeOrderedIds(lambda: _MOMENT)

    with patch("order_system.ids._random", lambda bits: 2**bits - 1):
        before = ids.new_id()
        # As after 2**41 ids of this millisecond, which nobody can wait for.
        ids._last = (_MOMENT, 2**74 - 1)  # noqa: SLF001
        after = ids.new_id()

    assert before < after
    assert UUID(after).int >> 80 == _MOMENT + 1


def test_two_processes_do_not_give_the_same_ids() -> None:
    one, other = TimeOrderedIds(lambda: _MOMENT), TimeOrderedIds(lambda: _MOMENT)

    made = [ids.new_id() for ids in (one, other) for _ in range(1000)]

    assert len(set(made)) == 2000


_MADE_BESIDE_A_CHILD = f"""
import os
from order_system import TimeOrderedIds

ids = TimeOrderedIds(lambda: {_MOMENT})
ids.new_id()  # From here on there are drawn numbers that a child could inherit.
child = os.fork()
if child:
    os.waitpid(child, 0)
print(*(TimeOrderedIds(lambda: {_MOMENT}).new_id() for _ in range(50)), sep="\\n", flush=True)
"""


def test_a_child_process_does_not_give_the_ids_of_its_parent() -> None:
    made = subprocess.run(
        [sys.executable, "-c", _MADE_BESIDE_A_CHILD], capture_output=True, text=True, check=True
    ).stdout.split()

    assert len(set(made)) == len(made) == 100


def test_threads_do_not_get_the_same_ids() -> None:
    ids = TimeOrderedIds(lambda: _MOMENT)

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: ids.new_id(), range(2000)))

    assert len(set(made)) == 2000
