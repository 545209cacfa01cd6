"""Reading JSON that somebody else wrote, without trusting its shape."""

from collections.abc import Iterator
from typing import Final

Json = dict[str, object]

_MOST_ITEMS: Final = 1000


def inside(value: object, *path: str) -> Json:
    """The object at `path`, empty if there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text(value: object, *path: str) -> str:
    """The text at `path`, empty if there is none."""
    *outer, name = path
    found = inside(value, *outer).get(name)
    return found if isinstance(found, str) else ""


def each(value: object, *path: str) -> Iterator[Json]:
    """The objects in the list at `path`: at most a thousand."""
    *outer, name = path
    found = inside(value, *outer).get(name)
    for item in found[:_MOST_ITEMS] if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item


def link(value: object, *relations: str) -> str:
    """The first address that stands in one of these relations."""
    for item in each(value, "links"):
        if text(item, "rel") in relations:
            return text(item, "href")
    return ""
