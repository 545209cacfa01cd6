"""What proves somebody is compared in a time that tells nothing about where it differs."""

import ast
import hmac
import os
import re
import statistics
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from order_core.errors import InvalidToken, WebhookRejected
from order_jwt import JwtSettings, JwtVerifier
from order_square.webhooks import SquareWebhooks
from order_stripe.webhooks import StripeWebhooks
from order_system import SystemClock
from tests.fuzz.samples import samples_of
from tests.fuzz.targets import SECRET, URL, adyen_event

SOURCES = Path(__file__).parents[2] / "src"

# Names of things whose content somebody could learn byte by byte.
PROOF = re.compile(r"(secret|signature|mac|hmac|digest|password|passphrase|api_key|signed)$")
HARMLESS = {
    # Whether a file has changed since it was read, and whether two settings are one.
    "digest == self._refused_digest",
    "digest == self._digest",
    "given['quote_secret'] == given.get('jwt_secret')",
}


def compared(file: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each comparison by value that names something that proves somebody."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Compare):
            continue
        by_value = any(
            isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops
        )
        sides = [node.left, *node.comparators]
        if by_value and not any(map(is_fixed, sides)) and any(map(is_proof, sides)):
            yield node.lineno, ast.unparse(node)


def is_fixed(node: ast.expr) -> bool:
    """A constant of the program's, such as the name of a field: no secret."""
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Set | ast.Tuple | ast.List) and all(map(is_fixed, node.elts))
    )


def is_proof(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(PROOF.search(name.lower()))
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return bool(PROOF.search(name.lower()))
        case ast.Call(func=function):
            return is_proof(function)
    return False


def test_no_code_of_ours_compares_a_proof_by_value() -> None:
    found = [
        f"{file.relative_to(SOURCES)}:{line}: {text}"
        for file in sorted(SOURCES.rglob("*.py"))
        if "order_emulators" not in file.parts and "order_simulator" not in file.parts
        for line, text in compared(file)
        if text not in HARMLESS
    ]
    assert found == []


def test_a_comparison_by_value_would_be_seen(tmp_path: Path) -> None:
    file = tmp_path / "careless.py"
    file.write_text(
        "if given == self._secret: pass\nif header['signature'] != expected: pass\n"
        "if mac.hexdigest() == given: pass\nif given in known.digest: pass\n"
        "if 'client_secret' in form: pass\nif signature is None: pass\n"
    )
    assert [line for line, _ in compared(file)] == [1, 2, 3, 4]


async def stripe(change: int) -> None:
    """Ask with a signature that is wrong in one place."""
    now = int(datetime.now(UTC).timestamp())
    right = hmac.new(SECRET.encode(), b"%d.{}" % now, sha256).hexdigest()
    with suppress(WebhookRejected):
        given = {"stripe-signature": f"t={now},v1={wrong(right, change)}"}
        await StripeWebhooks(SECRET).parse(b"{}", given)


async def square(change: int) -> None:
    right = b64encode(hmac.digest(SECRET.encode(), URL.encode() + b"{}", sha256)).decode()
    with suppress(WebhookRejected):
        await SquareWebhooks(signature_key=SECRET, url=URL, location_id="L1").parse(
            b"{}", {"x-square-hmacsha256-signature": wrong(right, change)}
        )


VERIFIER = JwtVerifier([JwtSettings(secret=SECRET).trust], SystemClock())


async def token(change: int) -> None:
    parts = (b'{"alg":"HS256"}', b'{"sub":"ann","exp":4102444800}')
    content = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = urlsafe_b64encode(hmac.digest(SECRET.encode(), content, sha256)).rstrip(b"=").decode()
    with suppress(InvalidToken):
        await VERIFIER.verify(f"{content.decode()}.{wrong(mac, change)}")


def wrong(right: str, change: int) -> str:
    other = "b" if right[change] == "a" else "a"
    return f"{right[:change]}{other}{right[change + 1 :]}"


async def adyen(_change: int) -> None:
    await adyen_event(samples_of("adyen_event")[0])


CHECKS: dict[str, Callable[[int], Awaitable[None]]] = {
    "stripe": stripe,
    "square": square,
    "adyen": adyen,
    "token": token,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
async def test_signatures_are_compared_in_constant_time(
    check: Callable[[int], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    real = hmac.compare_digest

    def counting(left: bytes, right: bytes) -> bool:
        nonlocal asked
        asked += 1
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    await check(5)
    assert asked


@pytest.mark.skipif(os.environ.get("ATTACK_SIZE") != "full", reason="minutes: make attack")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("check", [stripe, square, token], ids=lambda check: check.__name__)
async def test_where_a_signature_differs_cannot_be_measured(
    check: Callable[[int], Awaitable[None]],
) -> None:
    seconds: dict[int, list[float]] = {0: [], 40: []}
    for _ in range(8_000):
        for place, taken in seconds.items():
            began = time.perf_counter_ns()
            await check(place)
            taken.append(time.perf_counter_ns() - began)
    # The slowest tenth is the machine's doing, not the code's.
    early, late = (sorted(taken)[: len(taken) * 9 // 10] for taken in seconds.values())
    spread = (
        statistics.variance(early) / len(early) + statistics.variance(late) / len(late)
    ) ** 0.5
    assert abs(statistics.fmean(early) - statistics.fmean(late)) / spread < 10
