"""Which providers can be pretended, and how one is built."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from order_emulators.chassis import EmulatedProvider, Journal, Post, Provision, build_app
from order_emulators.chassis.delivery import post_over_http

EMULATORS: Final[Mapping[str, str]] = {
    # name -> "module:class"; the class is called with a `Provision`, and imported when needed.
    "adyen": "order_emulators.adyen:AdyenEmulator",
    "paypal": "order_emulators.paypal:PayPalEmulator",
    "square": "order_emulators.square:SquareEmulator",
    "stripe": "order_emulators.stripe:StripeEmulator",
}
_WITHOUT_JOURNAL: Final = frozenset({"paypal"})
"""Their ids are drawn by chance, so the same requests would not make the same books."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def build_emulator(
    name: str,
    *,
    webhook_url: str | None = None,
    secrets: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = _utc_now,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    post: Post = post_over_http,
    journal: Path | None = None,
) -> Starlette:
    """The pretended provider `name`, with empty books or those that `journal` leads to.

    `secrets` are the provider's (its module names them, with defaults); `post` sends its
    webhooks to `webhook_url`.

    Raises:
        LookupError: there is no such emulator, or it cannot keep a journal.
        JournalInvalid: the file is no journal of this provider's.
    """
    if name not in EMULATORS:
        raise LookupError(f"there is no emulator {name!r}; there are {', '.join(EMULATORS)}")
    module, _, attribute = EMULATORS[name].partition(":")
    build: Callable[[Provision], EmulatedProvider] = getattr(import_module(module), attribute)
    provision = Provision(secrets=secrets or {}, webhook_url=webhook_url, clock=clock, sleep=sleep)
    if journal is None:
        return build_app(build(provision), provision, post=post)
    if name in _WITHOUT_JOURNAL:
        raise LookupError(f"the emulator {name!r} cannot keep a journal")
    kept = Journal(journal, name, clock)
    provision = replace(provision, clock=kept.now, run=kept.run)
    provider = build(provision)
    kept.replay(provider)
    return build_app(provider, provision, post=post, journal=kept)
