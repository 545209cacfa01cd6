"""Reads the headers in which proxies write down for whom they ask."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_HOPS: Final = 16
"""Nobody has more proxies in front."""

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR: Final = re.compile(
    rf'[ \t]*(?P<name>{_WORD})=(?:(?P<plain>{_WORD})|"(?P<quoted>(?:[^"\\]|\\.)*)")'
    r"[ \t]*(?P<end>[;,]|$)"
)
_WITH_PORT: Final = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says about whoever asked it."""

    client: str
    """An address, with or without a port; or anything at all."""
    scheme: str
    """`http`, `https`, or empty if it does not say."""


def hops_in_x_forwarded_for(headers: Headers) -> list[Hop]:
    """The chain, the proxy next to us last."""
    clients = _listed(headers, "x-forwarded-for")
    schemes = _listed(headers, "x-forwarded-proto")
    if not clients and schemes:
        return [Hop("", _scheme(schemes[-1]))]
    if len(schemes) != len(clients):
        # Most proxies write one scheme over what was there. It is the last one's word.
        schemes = [""] * (len(clients) - 1) + schemes[-1:]
        schemes += [""] * (len(clients) - len(schemes))
    return [Hop(client, _scheme(scheme)) for client, scheme in zip(clients, schemes, strict=True)]


def hops_in_forwarded(headers: Headers) -> list[Hop]:
    """The chain, the proxy next to us last; empty if the header breaks RFC 7239."""
    text = ",".join(headers.getlist("forwarded"))
    hops: list[Hop] = []
    pairs: dict[str, str] = {}
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None or pair["name"].lower() in pairs:
            return []
        quoted = pair["quoted"]
        plain = pair["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        pairs[pair["name"].lower()] = plain
        place = pair.end()
        if pair["end"] != ";":
            hops.append(Hop(pairs.get("for", ""), _scheme(pairs.get("proto", ""))))
            pairs = {}
    return [] if pairs or text.endswith(",") else hops


def address_in(text: str) -> Address | None:
    """The IP address, whose port is left out; None if there is none in `text`."""
    with_port = _WITH_PORT.fullmatch(text)
    bare = (with_port["six"] or with_port["four"] or "") if with_port else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    # A zone names an interface of the machine that wrote it; here it would be one more spelling
    # of an address.
    return None if address.scope_id else address.ipv4_mapped or address


def _listed(headers: Headers, name: str) -> list[str]:
    values = headers.getlist(name)
    # The end of the chain is what counts; its beginning may be as long as a stranger likes.
    listed = ",".join(values).rsplit(",", MOST_HOPS)[-MOST_HOPS:] if values else []
    return [each.strip() for each in listed]


def _scheme(text: str) -> str:
    return text.lower() if text.lower() in {"http", "https"} else ""
