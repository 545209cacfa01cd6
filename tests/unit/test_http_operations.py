"""Health, metrics, documents, and life inside of another application."""

import asyncio
import gzip
import hashlib
import re
from importlib.resources import files
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from order_core.errors import ClockAskew, StoreUnavailable
from order_http.metrics import Figures
from order_http.openapi import openapi_document
from order_http.openapi_examples import ORDER_BODY
from tests.unit.http_service import check_documented, customer, in_memory_shop, order_body, service


async def down() -> None:
    raise StoreUnavailable


async def stuck() -> None:
    await asyncio.sleep(60)


async def test_a_process_is_live_even_when_its_store_is_down() -> None:
    async with customer(service(probe=down), None) as orchestrator:
        assert (await orchestrator.get("/health/live")).json() == {"status": "live"}


@pytest.mark.parametrize("probe", [down, stuck])
async def test_it_is_not_ready_without_its_store(probe: Any) -> None:
    async with customer(service(probe=probe, probe_timeout_seconds=0.02), None) as orchestrator:
        answer = await orchestrator.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["code"] == "not_ready"


async def test_it_is_not_ready_while_its_clock_is_wrong(caplog: pytest.LogCaptureFixture) -> None:
    async def askew() -> None:
        raise ClockAskew(61.25, 15.0)

    async with customer(service(probe=askew), None) as orchestrator:
        answer = await orchestrator.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.json()["detail"] == "The clock of this process is wrong."
    assert "at least 61.2 s ahead of the database's; 15 s are allowed" in caplog.text


async def test_it_is_ready_with_its_store() -> None:
    async with customer(service(), None) as orchestrator:
        assert (await orchestrator.get("/health/ready")).json() == {"status": "ready"}


async def scraped(app: Any) -> dict[str, float]:
    async with customer(app, None) as prometheus:
        answer = await prometheus.get("/metrics")
    assert answer.status_code == 200
    lines = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


async def test_metrics_count_by_route_not_by_address() -> None:
    app = service()
    async with customer(app) as ann:
        for number in range(3):
            await ann.get(f"/api/orders/id-{number}")
            await ann.get(f"/nowhere/{number}")
        await ann.request("BREW", "/api/orders/")
    figures = await scraped(app)
    name = "order_http_requests_total"
    assert (
        figures[f'{name}{{method="GET",route="/api/orders/{{order_id}}",status="404"}}'],
        figures[f'{name}{{method="GET",route="unmatched",status="404"}}'],
        figures[f'{name}{{method="other",route="/api/orders/",status="405"}}'],
    ) == (3, 3, 1)
    seconds = 'order_http_request_seconds_count{method="GET",route="/api/orders/{order_id}"}'
    assert figures[seconds] == 3
    assert not any("nowhere" in key for key in figures)


async def test_metrics_show_what_money_is_waiting_for() -> None:
    async def busy() -> Figures:
        return Figures(3, 71.5, 2, 1, 9)

    figures = await scraped(service(figures=busy))
    assert {name: value for name, value in figures.items() if name.startswith("order_core_")} == {
        "order_core_figures_up": 1,
        "order_core_open_charges": 3,
        "order_core_oldest_open_charge_seconds": 71.5,
        "order_core_unknown_outcomes": 2,
        "order_core_late_money": 1,
        "order_core_mails_waiting": 9,
    }


async def test_metrics_show_how_often_the_store_refused_orders_that_were_saved_together() -> None:
    refused = iter([0, 7])
    app = service(companies_refused=lambda: next(refused))

    shown = [(await scraped(app))["order_core_companies_refused_total"] for _ in range(2)]

    assert shown == [0, 7]


@pytest.mark.parametrize("figures", [down, stuck])
async def test_metrics_are_there_when_the_store_is_not(figures: Any) -> None:
    shown = await scraped(service(figures=figures, probe_timeout_seconds=0.02))
    assert shown["order_core_figures_up"] == 0
    assert str(shown["order_core_open_charges"]) == "nan"


def document() -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(orjson.dumps(openapi_document("1.2.3")))
    return read


def test_the_document_is_valid_openapi_without_a_float_in_its_rules() -> None:
    validate(document())
    assert "multipleOf" not in str(document())


def test_every_example_in_the_document_fits_its_schema() -> None:
    shown = document()
    checked = 0
    for path in shown["paths"].values():
        for operation in path.values():
            contents = [r["content"] for r in operation["responses"].values()]
            if "requestBody" in operation:
                contents.append(operation["requestBody"]["content"])
            for content in contents:
                for part in content.values():
                    schema = {**part["schema"], "components": shown["components"]}
                    examples = [e["value"] for e in part.get("examples", {}).values()]
                    for example in [*examples, *([part["example"]] if "example" in part else [])]:
                        OAS31Validator(schema).validate(example)
                        checked += 1
    assert checked > 60


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (299, {"X-Request-Id": "r"}, {"status": "live"}),
        (200, {}, {"status": "live"}),
        (200, {"X-Request-Id": "r"}, {"status": "perhaps"}),
        (200, {"X-Request-Id": "r"}, {"status": "live", "since": 1}),
        (200, {"X-Request-Id": "r", "Content-Type": "text/html"}, {"status": "live"}),
    ],
)
async def test_an_answer_that_the_document_does_not_promise_would_be_noticed(
    status: int, headers: dict[str, str], body: dict[str, Any]
) -> None:
    request = httpx.Request("GET", "http://shop.test/health/live")
    answer = httpx.Response(status, headers=headers, json=body, request=request)
    with pytest.raises(AssertionError):
        await check_documented(answer)


async def test_the_example_of_an_order_can_be_sent_as_it_stands() -> None:
    async with customer(service()) as ann:
        answer = await ann.post("/api/orders/create", json=ORDER_BODY)
    assert answer.status_code == 201
    assert answer.json()["total"] == 49.00


async def test_the_docs_page_needs_nothing_from_another_host() -> None:
    async with customer(service(), None) as reader:
        page = await reader.get("/docs")
        script = await reader.get("/docs/rapidoc.js")
        plain = await reader.get("/docs/rapidoc.js", headers={"Accept-Encoding": "identity"})
    assert "http" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert script.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert script.content == plain.content
    assert script.headers["Content-Type"].startswith("text/javascript")


def test_the_script_of_the_docs_page_is_the_one_that_its_readme_names() -> None:
    assets = files("order_http") / "docs_assets"
    packed = (assets / "rapidoc-min.js.gz").read_bytes()
    readme = (assets / "README.md").read_text()
    assert re.findall(r"sha256 ([0-9a-f]{64})", readme) == [hashlib.sha256(packed).hexdigest()]
    assert b"RapiDoc 9.3.8" in gzip.decompress(packed)[:100]


async def test_it_lives_inside_of_a_fastapi_application() -> None:
    host = FastAPI()
    shop = in_memory_shop()
    host.mount("/shop", service(shop.core))
    async with customer(host) as ann:
        placed = await ann.post("/shop/api/orders/create", json=order_body())
        assert placed.status_code == 201
        assert placed.headers["Location"].startswith("/shop/api/orders/")
        assert (await ann.get(placed.headers["Location"])).json() == placed.json()
        await ann.post("/shop/api/orders/create", json=order_body(shipping_address="two"))
        page = await ann.get("/shop/api/orders?limit=1")
        assert page.links["next"]["url"].startswith("/shop/api/orders/?")
        assert len((await ann.get(page.links["next"]["url"])).json()) == 1
        assert (await ann.get("/shop/openapi.json")).json()["servers"] == [{"url": "/shop"}]
        assert (await ann.get("/shop/nowhere")).json()["code"] == "not_found"
        docs = httpx.URL("http://shop.test/shop/docs")
        for address in ("docs/rapidoc.js", "openapi.json"):
            assert (await ann.get(docs.join(address))).status_code == 200
    metrics = (await shown_metrics(host)).text
    assert 'route="/api/orders/create"' in metrics
    assert 'route="unmatched"' in metrics


async def shown_metrics(host: Any) -> httpx.Response:
    async with customer(host, None) as prometheus:
        return await prometheus.get("/shop/metrics")


async def test_a_crowd_that_asks_how_the_service_is_costs_the_store_one_question() -> None:
    probes, readings, let_them_go = 0, 0, asyncio.Event()

    async def probe() -> None:
        nonlocal probes
        probes += 1
        await let_them_go.wait()

    async def figures() -> Figures:
        nonlocal readings
        readings += 1
        await let_them_go.wait()
        return Figures(0, 0.0, 0, 0, 0)

    async with customer(service(probe=probe, figures=figures), None) as crowd:
        asking = [
            asyncio.create_task(crowd.get(path))
            for path in ("/health/ready", "/metrics")
            for _ in range(50)
        ]
        while not (probes and readings):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        let_them_go.set()
        answers = await asyncio.gather(*asking)
    assert {answer.status_code for answer in answers} == {200}
    assert (probes, readings) == (1, 1)


async def test_who_asks_for_metrics_without_end_does_not_get_new_ones_each_time() -> None:
    readings = 0

    async def figures() -> Figures:
        nonlocal readings
        readings += 1
        return Figures(readings, 0.0, 0, 0, 0)

    async with customer(service(figures=figures), None) as stranger:
        # From here on the allowance is filled again, however slow the machine is.
        began = asyncio.get_running_loop().time()
        for _ in range(9):
            await stranger.get("/metrics")
        newest = (await stranger.get("/metrics")).text
        assert readings == 10
        assert "order_core_open_charges 10.0" in newest
        answers = [await stranger.get("/metrics") for _ in range(60)]
        # Four a second is what a long stay would get.
        most = 20 + 4 * (asyncio.get_running_loop().time() - began) + 1
    assert {answer.status_code for answer in answers} == {200}
    assert 10 < readings <= most + 1
