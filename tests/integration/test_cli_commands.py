"""The commands that end by themselves, each in a process of its own."""

import json
import re
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import jwt
import pytest

from tests.integration.postgres import PostgresServer
from tests.integration.service_process import (
    SECRET,
    environment,
    run_command,
    unused_port,
)

COMMANDS = (
    "serve",
    "worker",
    "migrate",
    "token",
    "client",
    "check",
    "open",
    "verify",
    "reconcile",
    "customer",
    "simulate",
    "emulate",
    "demo",
)


def test_help_names_every_command_and_is_quick() -> None:
    run_command("--help")
    began = time.perf_counter()
    finished = run_command("--help")
    seconds = time.perf_counter() - began

    assert finished.returncode == 0
    assert [name for name in COMMANDS if not re.search(rf"\n    {name}\s", finished.stdout)] == []
    # 0.15 s on a machine with nothing else to do.
    assert seconds < 1


def test_help_imports_nothing_that_takes_time() -> None:
    script = (
        "import sys; from order_cli import main\n"
        "try: main.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sorted({'pydantic', 'sqlalchemy', 'starlette', 'granian', 'asyncio'} & "
        "sys.modules.keys()), file=sys.stderr)"
    )
    finished = _python(script)

    assert finished.stderr.strip() == ""


def _python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_the_version_is_the_installed_one() -> None:
    assert run_command("--version").stdout == f"order-core {version('order-core')}\n"


@pytest.mark.parametrize("arguments", [[], ["sevre"], ["serve", "--no-wroker"], ["token"]])
def test_a_wrong_command_line_is_a_mistake(arguments: list[str]) -> None:
    finished = run_command(*arguments)

    assert finished.returncode == 2
    assert finished.stderr.startswith("usage: order-core")


def test_a_token_is_printed_alone_and_says_what_was_asked_for() -> None:
    finished = run_command(
        "token", "--sub", "ada", "--scope", "orders:read", "--expires-in", "90",
        "--email", "ada@example.com", JWT_SECRET=SECRET, JWT_ISSUER="shop", JWT_AUDIENCE="orders",
    )  # fmt: skip

    claims = jwt.decode(finished.stdout.strip(), SECRET, ["HS256"], audience="orders")
    assert finished.stdout.count("\n") == 1
    assert claims["exp"] - claims["iat"] == 90
    assert (claims["sub"], claims["scope"], claims["iss"]) == ("ada", "orders:read", "shop")
    assert (claims["email"], claims["email_verified"]) == ("ada@example.com", True)


def test_a_token_for_a_scope_that_nothing_asks_for_is_refused() -> None:
    finished = run_command("token", "--sub", "ada", "--scope", "order:read", JWT_SECRET=SECRET)

    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "order-core token: the scope must be some of: orders:manage, orders:read, orders:write\n"
    )


def test_a_token_without_a_secret_says_which_setting_is_missing() -> None:
    finished = run_command("token", "--sub", "ada")

    assert finished.returncode == 2
    assert "ORDER_CORE_JWT_SECRET: must be set" in finished.stderr
    assert finished.stdout == ""


def test_a_token_needs_a_subject() -> None:
    finished = run_command("token", "--sub", " ", JWT_SECRET=SECRET)

    assert finished.returncode == 1
    assert finished.stderr == "order-core token: a token needs a subject\n"


def test_migrating_twice_does_no_harm(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"

    first, second = (run_command("migrate", DATABASE_URL=url) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout == f"The database is ready: sqlite+aiosqlite:///{tmp_path / 'shop.db'}\n"


def test_migrating_into_a_missing_folder_says_so() -> None:
    finished = run_command("migrate", DATABASE_URL="sqlite:////nowhere/at/all/shop.db")

    assert finished.returncode == 1
    assert finished.stderr == (
        "order-core migrate: the folder of the database, /nowhere/at/all, does not exist\n"
    )


def test_migrating_an_unreachable_server_shows_the_address_without_its_password() -> None:
    finished = run_command("migrate", DATABASE_URL="postgresql://ann:hunter2@127.0.0.1:1/shop")

    assert finished.returncode == 1
    assert "postgresql+asyncpg://ann:********@127.0.0.1:1/shop cannot be" in finished.stderr
    assert "hunter2" not in finished.stderr
    assert finished.stderr.endswith(
        "There is no connection: ConnectionRefusedError: Connect call failed ('127.0.0.1', 1).\n"
    )


def test_what_the_database_itself_objects_to_is_told(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute("CREATE ROLE only_looks LOGIN")
    try:
        role_url = postgres_url.replace("//postgres@", "//only_looks@")
        forbidden = run_command("migrate", DATABASE_URL=role_url)
        misspelt = run_command("migrate", DATABASE_URL=postgres_url.replace(name, "no_such"))
    finally:
        postgres_server.execute("DROP ROLE only_looks")

    assert (forbidden.returncode, misspelt.returncode) == (1, 1)
    assert "InsufficientPrivilegeError: permission denied for schema public." in forbidden.stderr
    assert 'InvalidCatalogNameError: database "no_such" does not exist.' in misspelt.stderr


@pytest.mark.parametrize("command", [("verify",), ("customer", "export", "ann")])
def test_who_reads_a_database_without_tables_is_told_to_migrate(
    command: tuple[str, ...], tmp_path: Path, postgres_url: str
) -> None:
    (tmp_path / "shop.db").touch()
    answers = [
        run_command(*command, DATABASE_URL=f"sqlite:///{tmp_path / 'shop.db'}"),
        run_command(*command, DATABASE_URL=postgres_url),
    ]

    for answer in answers:
        assert answer.returncode != 0
        assert "does not have the schema of this version" in answer.stderr
        assert answer.stderr.endswith("Bring it there with: order-core migrate\n")


def test_check_shows_the_configuration_with_secrets_masked(tmp_path: Path) -> None:
    finished = run_command(
        "check", DATABASE_URL=f"sqlite:///{tmp_path / 'shop.db'}", JWT_SECRET=SECRET,
        PRICES="trust", SANDBOX="1", SANDBOX_LEDGER=str(tmp_path / "ledger.db"), PORT="8123",
    )  # fmt: skip

    lines = {line.split()[0]: line.split()[1:] for line in finished.stdout.splitlines() if line}
    assert finished.returncode == 0, finished.stderr
    assert SECRET not in finished.stdout
    assert lines["ORDER_CORE_JWT_SECRET"] == ["**********"]
    assert lines["ORDER_CORE_PORT"] == ["8123"]
    assert lines["ORDER_CORE_CHARGE_WINDOW"] == ["600", "(default)"]
    assert lines["ORDER_CORE_RATE_LIMIT"] == ["600/minute", "(default)"]
    assert lines["ORDER_CORE_RATE_LIMIT_DECLINES"] == ["off", "(default)"]
    assert lines["ORDER_CORE_SANDBOX_LEDGER"] == [str(tmp_path / "ledger.db")]
    assert "Gateway sandbox, account" in finished.stdout
    assert "The database will get its tables when the service starts." in finished.stdout
    assert not (tmp_path / "shop.db").exists(), "to look is not to begin"


def test_check_says_all_that_keeps_the_service_from_starting(tmp_path: Path) -> None:
    finished = run_command("check", DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/shop.db")

    assert finished.returncode == 1
    for setting in ("DATABASE_URL", "JWT_SECRET", "PRICES", "SANDBOX"):
        assert f"  ORDER_CORE_{setting}: " in finished.stderr


def test_serving_without_the_needed_settings_names_them_all_at_once(tmp_path: Path) -> None:
    finished = run_command(
        "serve", DATABASE_URL=f"sqlite:///{tmp_path / 'shop.db'}", LOG_LEVEL="loud"
    )

    assert finished.returncode == 2
    assert finished.stderr.startswith("The configuration has 4 mistakes:\n")
    assert "  ORDER_CORE_PRICES: must be set: " in finished.stderr
    assert "  ORDER_CORE_JWT_SECRET: must be set (make one: " in finished.stderr
    assert "  ORDER_CORE_SANDBOX: no payment gateway is switched on" in finished.stderr
    assert "  ORDER_CORE_LOG_LEVEL: must be one of" in finished.stderr
    assert not (tmp_path / "shop.db").exists()


def test_check_names_the_mistakes_of_every_provider_at_once_and_no_secret(tmp_path: Path) -> None:
    finished = run_command(
        "check", DATABASE_URL=f"sqlite:///{tmp_path / 'shop.db'}", JWT_SECRET=SECRET,
        PRICES="trust", DEFAULT_PROVIDER="stripe", STRIPE_API_KEY="pk_test_hush",
        SQUARE_ACCESS_TOKEN="EAAAhush", PAYPAL_CLIENT_SECRET="hush",
    )  # fmt: skip

    assert finished.returncode == 1
    for setting in ("STRIPE_API_KEY", "SQUARE_LOCATION_ID", "PAYPAL_CLIENT_ID"):
        assert f"  ORDER_CORE_{setting}: must be" in finished.stderr
    assert "hush" not in finished.stdout + finished.stderr


def test_check_shows_a_provider_with_its_secrets_masked_and_where_its_events_go(
    tmp_path: Path,
) -> None:
    finished = run_command(
        "check", DATABASE_URL=f"sqlite:///{tmp_path / 'shop.db'}", JWT_SECRET=SECRET,
        PRICES="trust", STRIPE_API_KEY="sk_test_hush", STRIPE_WEBHOOK_SECRET="whsec_hush",
    )  # fmt: skip

    assert finished.returncode == 0, finished.stderr
    lines = {line.split()[0]: line.split()[1:] for line in finished.stdout.splitlines() if line}
    assert lines["ORDER_CORE_STRIPE_API_KEY"] == ["********"]
    assert lines["ORDER_CORE_STRIPE_WEBHOOK_SECRET"] == ["********"]
    assert "Gateway stripe, account test:default: " in finished.stdout
    assert "its events are received at /api/webhooks/stripe" in finished.stdout
    assert "hush" not in finished.stdout + finished.stderr


def test_an_emulator_that_does_not_exist_is_named_with_those_that_do() -> None:
    finished = run_command("emulate", "kiosk", "--port", str(unused_port()))

    assert finished.returncode == 1
    assert finished.stderr == (
        "order-core emulate: there is no emulator 'kiosk'; "
        "there are adyen, paypal, square, stripe\n"
    )


def test_an_emulator_does_not_share_the_port_of_somebody_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        finished = run_command("emulate", "stripe", "--port", str(taken.getsockname()[1]))

    assert finished.returncode == 1
    assert "Address already in use" in finished.stderr


def test_the_demo_knows_a_few_providers() -> None:
    finished = run_command("demo", "--provider", "kiosk")

    assert finished.returncode == 1
    assert finished.stderr == (
        "order-core demo: --provider must be one of sandbox, paypal, square, stripe\n"
    )


def test_nothing_waits_in_a_shop_without_orders(tmp_path: Path) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.db'}",
        "SANDBOX": "1",
        "SANDBOX_LEDGER": str(tmp_path / "ledger.db"),
    }
    told, document = run_command("open", **settings), run_command("open", "--json", **settings)

    assert (told.returncode, document.returncode) == (0, 0)
    assert told.stdout == "Nothing waits: every payment is final, and no event is unexplained.\n"
    assert json.loads(document.stdout) == {"transactions": [], "events": []}
