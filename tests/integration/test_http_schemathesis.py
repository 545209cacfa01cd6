"""Whatever the OpenAPI document permits or forbids, the service answers as documented."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.unit.http_service import customer, in_memory_shop, order_body, service

shop = in_memory_shop()
app = service(shop.core)
schema = schemathesis.openapi.from_asgi("/openapi.json", app)

bounded = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schema.parametrize()
@bounded
def test_every_answer_is_documented(case: schemathesis.Case[Any]) -> None:
    # A schema cannot say that a currency exists, or that an origin is allowed: what it permits
    # may still be refused. That check is off; every other one is on.
    case.call_and_validate(
        headers={"Authorization": "Bearer ann"}, excluded_checks=[positive_data_acceptance]
    )


@pytest.mark.parametrize("authorization", ["Bearer staff", "Bearer forged"])
@schema.include(path_regex="^/api/orders").parametrize()
@settings(bounded, max_examples=3)
def test_whoever_calls_every_answer_is_documented(
    case: schemathesis.Case[Any], authorization: str
) -> None:
    # Who may not come in is told so before anybody looks at what else is wrong.
    case.call_and_validate(
        headers={"Authorization": authorization},
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
    )


@pytest.fixture(scope="module")
def known_order() -> str:
    async def place() -> str:
        async with customer(app) as ann:
            answer = await ann.post(
                "/api/orders/create", json=order_body(allow_duplicate=True, payment_method="ok")
            )
            return str(answer.json()["order_id"])

    return asyncio.run(place())


@schema.include(path_regex="order_id").parametrize()
@bounded
def test_every_answer_about_an_order_that_exists_is_documented(
    case: schemathesis.Case[Any], known_order: str
) -> None:
    case.path_parameters["order_id"] = known_order
    # The id was made right, so a request whose id was the mistake is right too.
    case.call_and_validate(
        headers={"Authorization": "Bearer ann"},
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
    )
