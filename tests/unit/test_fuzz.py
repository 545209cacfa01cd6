"""Whatever a stranger sends is answered, soon, and within bounds.

`tests/fuzz/corpus` holds what once went wrong, or nearly did, and is played each time. More is
found by `make fuzz`.
"""

import asyncio
import gc
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.samples import samples_of
from tests.fuzz.strategies import anything_for
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"
FILES = sorted(file for file in CORPUS.glob("*/*") if file.is_file())
MEGABYTE = 1024 * 1024

# As large as a body may be, and as wrong as that can be.
LARGE = {
    "deep": b"[" * MEGABYTE,
    "deep-objects": b'{"a":' * (MEGABYTE // 5),
    "closed-deep": b"[" * (MEGABYTE // 2) + b"]" * (MEGABYTE // 2),
    "wide": b"[" + b"[]," * (MEGABYTE // 3 - 2) + b"[]]",
    "many-keys": b"{" + b",".join(b'"%07d":1' % number for number in range(80_000)) + b"}",
    "one-key": b"{" + b'"a":1,' * (MEGABYTE // 6 - 2) + b'"a":1}',
    "digits": b"9" * MEGABYTE,
    "exponent": b"1e" + b"9" * (MEGABYTE - 2),
    "fraction": b"0." + b"0" * (MEGABYTE - 3) + b"1",
    "string": b'"' + b"a" * (MEGABYTE - 2) + b'"',
    "escapes": b'"' + b"\\u0000" * (MEGABYTE // 6 - 1) + b'"',
    "surrogates": b'"' + b"\\ud800" * (MEGABYTE // 6 - 1) + b'"',
    "backslashes": b'"' + b"\\\\" * (MEGABYTE // 2 - 1) + b'"',
    "quotes": b'"",' * (MEGABYTE // 3),
    "blanks": b" " * MEGABYTE,
    "items": b'{"items":[' + b'{"product_id":"a","quantity":1,"price":1},' * 24_000 + b"0]}",
    "address": b'{"shipping_address":"' + b"a," * (MEGABYTE // 2 - 20) + b'"}',
    "commas": b"," * MEGABYTE,
    "dots": b"." * MEGABYTE,
    "words": b"a=" * (MEGABYTE // 2),
}  # fmt: skip


def play(target: str, data: bytes) -> None:
    # Else the collector would walk through whatever thousands of other tests have left, for each
    # long list that is read, and be counted here.
    gc.freeze()
    try:
        began = time.process_time()
        asyncio.run(TARGETS[target](data))
        assert time.process_time() - began < 2
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("file", FILES, ids=[f"{file.parent.name}-{file.name}" for file in FILES])
def test_what_once_went_wrong_goes_well(file: Path) -> None:
    play(file.parent.name, file.read_bytes())


def test_every_file_of_the_corpus_is_played() -> None:
    assert {file.parent.name for file in FILES} <= TARGETS.keys()
    assert len(FILES) > 30


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_well_formed_goes_well(target: str) -> None:
    assert samples_of(target)
    for sample in samples_of(target):
        play(target, sample)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.data())
async def test_nothing_that_a_stranger_sends_is_a_fault_of_ours(
    target: str, data: st.DataObject
) -> None:
    await TARGETS[target](data.draw(anything_for(target)))


READ_AS_A_WHOLE = ("order", "adyen_event")
"""Before anybody proved who he is, or by the strictest reader; others have it no harder."""


@pytest.mark.parametrize("target", TARGETS)
def test_as_much_nonsense_as_gets_through_the_door_costs_little(target: str) -> None:
    for large in LARGE.values():
        # What is no body comes in the headers, of which the server reads less.
        play(target, large if target in READ_AS_A_WHOLE else large[: 40 * 1024])


@pytest.mark.parametrize("large", LARGE)
def test_a_megabyte_of_nonsense_takes_little_memory(large: str) -> None:
    play("order", b"{}")
    tracemalloc.start()
    try:
        play("order", LARGE[large])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 40 * MEGABYTE
