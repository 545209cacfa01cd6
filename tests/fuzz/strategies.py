"""What a stranger might send: well-formed things with something monstrous in one place."""

import json
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.samples import JSON_SAMPLES, TEXT_SAMPLES

# As they stand in the text, because no library would write most of them.
MONSTERS: Final = (
    *("null", "true", "{}", "[]", '""', "0", "-0", "-1", "0.1", "1.5", "9007199254740993"),
    *("1e400", "-1e400", "1e-400", "1E999999999999999999", "1e999999", "0.0000000000000000001"),
    *("NaN", "Infinity", "-Infinity", "1" * 400, "1" * 5_000, "-" + "9" * 30, "0x10", "01", "1_0"),
    *('"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"\\ud83d\\ude00"', '"\\u202e\\u2066"'),
    *('"1e5"', '"NaN"', '"١٢"', '"²"', '"\u00a0"', '"\\n\\r\\t"', '"a\\u0000b"'),
    '"' + "x" * 70_000 + '"',
    *("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", '{"a":' * 20 + "1" + "}" * 20),
    *('[{"product_id":"a","quantity":1,"price":1}]', '{"$gt":""}', '"../../etc/passwd"', '"%00"'),
    *('"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+23:59"', '"2026-02-30T00:00:00Z"'),
    *("tru", "'a'", "[1,]", "//", "\ufeff1", "\x00"),
)  # fmt: skip
_HERE: Final = "\ue000here\ue000"


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(part, (*place, name))


def _with(value: Any, place: tuple[Any, ...], part: Any) -> Any:
    if not place:
        return part
    name, *rest = place
    copy = value.copy()
    copy[name] = _with(value[name], tuple(rest), part)
    return copy


@st.composite
def changed_json(draw: st.DrawFn, target: str) -> bytes:
    """A sample in which one value, or a key, became a monster; now and then in another charset."""
    sample = draw(st.sampled_from(JSON_SAMPLES[target]))
    place = draw(st.sampled_from(list(_places(sample))))
    monster = draw(st.sampled_from(MONSTERS) | st.text(max_size=20).map(json.dumps))
    text = json.dumps(_with(sample, place, _HERE)).replace(json.dumps(_HERE), monster)
    match draw(st.integers(0, 9)):
        case 0:
            # The same key again, with another value.
            text = text.replace("{", '{"' + draw(st.sampled_from(_keys(sample))) + '": 0, ', 1)
        case 1:
            charset = draw(st.sampled_from(["utf-8-sig", "utf-16", "utf-32", "utf-7"]))
            return text.encode(charset, "surrogatepass")
        case 2:
            return text.encode(errors="surrogatepass")[: draw(st.integers(0, len(text)))]
    return text.encode(errors="surrogatepass")


def _keys(sample: Any) -> list[str]:
    return [str(name) for name in sample]


@st.composite
def changed_text(draw: st.DrawFn, target: str) -> bytes:
    """A sample of which a piece is gone, repeated, or other bytes."""
    sample = draw(st.sampled_from(TEXT_SAMPLES[target]))
    start = draw(st.integers(0, len(sample)))
    end = draw(st.integers(start, len(sample)))
    piece = draw(
        st.binary(max_size=12)
        | st.just(sample[start:end] * 2)
        | st.sampled_from([b"\x00", b"%00", b"\xff", b"\xed\xa0\x80", b"=" * 9, b"9" * 400, b'"'])
    )
    return sample[:start] + piece + sample[end:]


def anything_for(target: str) -> st.SearchStrategy[bytes]:
    likely = changed_json(target) if target in JSON_SAMPLES else changed_text(target)
    return likely | st.binary(max_size=200)
