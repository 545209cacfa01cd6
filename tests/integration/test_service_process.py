"""The service in a process of its own: requests, mail, kill -9, and a stop without losses."""

import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from order_core.payment import TransactionKind
from tests.integration.service_process import (
    ServiceProcess,
    an_order,
    books_of,
    command,
    environment,
    run_command,
)


def kinds_of(service: ServiceProcess) -> list[TransactionKind]:
    return [movement.kind for movement in books_of(service)]


def wait_until_paid(service: ServiceProcess, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(books_of(service)) < count:
        assert time.monotonic() < deadline, "the money never moved"
        time.sleep(0.02)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path) as started:
        yield started


@pytest.fixture
def client() -> Iterator[ThreadPoolExecutor]:
    """Sends a request while the test does something to the service."""
    with ThreadPoolExecutor(1) as one:
        yield one


def test_an_order_is_placed_listed_cancelled_and_the_customer_hears_of_it(
    service: ServiceProcess,
) -> None:
    placed = service.place(an_order(), key="basket-4711")
    order_id = placed.json()["order_id"]

    assert placed.status_code == 201
    assert placed.json()["status"] == "pending"
    assert placed.json()["payment"]["status"] == "paid"
    assert service.client.get(placed.headers["location"]).json() == placed.json()
    assert [order["order_id"] for order in service.client.get("/api/orders/").json()] == [order_id]
    assert service.place(an_order(), key="basket-4711").json()["order_id"] == order_id

    cancelled = service.client.post(f"/api/orders/{order_id}/cancel")

    assert cancelled.status_code == 200
    service.wait_for_status(order_id, "cancelled", payment="refunded")
    assert kinds_of(service) == [TransactionKind.CHARGE, TransactionKind.REFUND]
    mails = service.wait_for_mails(3)
    assert all("To: grace@example.com" in mail for mail in mails)
    assert service.stop() == 0


def test_a_charge_whose_answer_died_with_the_process_is_found_again(
    tmp_path: Path, client: ThreadPoolExecutor
) -> None:
    with ServiceProcess(tmp_path, SANDBOX_HANG_SECONDS="10") as service:
        answer = client.submit(service.place, an_order("timeout_after_charge"), key="basket-1")
        wait_until_paid(service, 1)
        service.kill()
        assert isinstance(answer.exception(timeout=15), httpx.TransportError)

        service.start()

        [order_id] = _order_ids(tmp_path)
        # The killed process held the order; its lease has to end first.
        _end_leases(tmp_path)
        service.wait_for_status(order_id, "pending", payment="paid")
        repeated = service.place(an_order("timeout_after_charge"), key="basket-1")
        assert repeated.status_code == 201
        assert repeated.json()["order_id"] == order_id
        assert kinds_of(service) == [TransactionKind.CHARGE]


def _order_ids(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "orders.sqlite3", timeout=10)) as database:
        return [row[0] for row in database.execute("SELECT id FROM orders")]


def _end_leases(folder: Path) -> None:
    """Let the time of the leases pass, which is longer than a test should take."""
    with closing(sqlite3.connect(folder / "orders.sqlite3", timeout=10)) as database, database:
        database.execute("UPDATE orders SET lease_until_us = 0")


def test_a_refund_that_was_not_asked_for_before_the_crash_is_asked_for_once(
    service: ServiceProcess, client: ThreadPoolExecutor
) -> None:
    order_id = service.place(an_order()).json()["order_id"]
    # While somebody else writes its books, the provider answers nobody.
    with closing(sqlite3.connect(service.settings["SANDBOX_LEDGER"], isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        answer = client.submit(service.client.post, f"/api/orders/{order_id}/cancel")
        service.wait_for_status(order_id, "cancelled")
        service.kill()
        busy.execute("ROLLBACK")
    assert isinstance(answer.exception(timeout=15), httpx.TransportError)
    assert kinds_of(service) == [TransactionKind.CHARGE]

    service.start()
    _end_leases(service.folder)

    service.wait_for_status(order_id, "cancelled", payment="refunded")
    assert service.client.post(f"/api/orders/{order_id}/cancel").status_code == 200
    assert kinds_of(service) == [TransactionKind.CHARGE, TransactionKind.REFUND]


def test_a_stop_finishes_what_is_in_flight_and_takes_nothing_new(
    service: ServiceProcess, client: ThreadPoolExecutor
) -> None:
    answer = client.submit(service.place, an_order("slow"))
    wait_until_paid(service, 1)

    assert service.process is not None
    service.process.terminate()
    time.sleep(0.5)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{service.port}/health/live")

    assert answer.result(timeout=15).status_code == 201
    assert service.process.wait(10) == 0
    assert "Traceback" not in service.log.read_text()


def test_a_connection_that_never_ends_its_request_does_not_keep_the_service_from_stopping(
    tmp_path: Path,
) -> None:
    with (
        ServiceProcess(tmp_path, SHUTDOWN_GRACE="0.5") as service,
        socket.create_connection(("127.0.0.1", service.port)) as stuck,
    ):
        head = (
            "POST /api/orders/create HTTP/1.1",
            "Host: shop.example",
            f"Authorization: Bearer {service.token()}",
            "Content-Type: application/json",
            "Content-Length: 9",
        )
        stuck.sendall("\r\n".join([*head, "", "{"]).encode())
        time.sleep(0.2)

        began = time.monotonic()
        assert service.stop() == 0
        seconds = time.monotonic() - began

    assert seconds < 5
    assert "cutting them" in service.log.read_text()
    assert "Traceback" not in service.log.read_text()


def test_a_buyer_approves_on_the_sandbox_page_and_the_order_is_placed(
    service: ServiceProcess,
) -> None:
    order = service.place(an_order("action_required")).json()
    page = order["payment"]["action"]["url"]
    assert page.startswith(f"http://127.0.0.1:{service.port}/sandbox/")

    asked = httpx.get(page)
    assert "79.90 USD" in asked.text
    assert "<button>Refuse</button>" in asked.text
    assert httpx.post(page, params={"decision": "maybe"}).status_code == 422
    decided = httpx.post(page, params={"decision": "approve"}, follow_redirects=True)

    assert "79.90 USD are paid." in decided.text
    assert "<button>" not in decided.text
    service.wait_for_status(order["order_id"], "pending", payment="paid")
    assert httpx.get(f"{page}-of-nobody").status_code == 404


def test_a_second_service_on_the_same_port_is_refused(service: ServiceProcess) -> None:
    second = run_command(
        "serve", **{**service.settings, "DATABASE_URL": "sqlite:////nowhere/orders.sqlite3"}
    )

    assert second.returncode == 1
    assert second.stderr.splitlines()[-1] == (
        f"order-core serve: cannot listen on 127.0.0.1:{service.port}: Address already in use. "
        "Another address is set with ORDER_CORE_HOST and ORDER_CORE_PORT"
    )


def test_every_log_line_is_a_json_object(service: ServiceProcess) -> None:
    service.place(an_order())
    service.stop()

    lines = [httpx.Response(200, text=line).json() for line in service.log.read_text().splitlines()]
    assert all({"time", "level", "logger"} <= line.keys() for line in lines)
    assert any("prices are trusted" in line.get("message", "") for line in lines)
    assert any(line.get("route") == "/api/orders/create" for line in lines)


def test_a_worker_in_its_own_process_finishes_what_a_service_without_one_left_open(
    tmp_path: Path,
) -> None:
    with ServiceProcess(tmp_path, arguments=("--no-worker",)) as service:
        order = service.place(an_order("unknown_after_charge")).json()
        assert order["status"] == "awaiting_payment"
        time.sleep(0.5)
        assert not service.mails.exists()
        assert service.order(order["order_id"])["status"] == "awaiting_payment"

        with subprocess.Popen(
            command("worker"), env=environment(**service.settings), stderr=subprocess.DEVNULL
        ) as worker:
            try:
                service.wait_for_status(order["order_id"], "pending", payment="paid")
                service.wait_for_mails(1)
                worker.terminate()
                assert worker.wait(10) == 0
            finally:
                worker.kill()


def test_killing_a_service_of_several_processes_kills_all_of_them(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, WORKERS="2") as service:
        orders = [service.place(an_order()).status_code for _ in range(6)]
        assert orders == [201] * 6
        service.wait_for_mails(6)

        service.kill()

        deadline = time.monotonic() + 5
        while service.answers():
            assert time.monotonic() < deadline, "a process outlived the one that began it"
            time.sleep(0.05)


def test_a_service_of_several_processes_stops_in_good_order(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, WORKERS="2") as service:
        assert service.place(an_order()).status_code == 201

        assert service.stop() == 0
        assert not service.answers()
