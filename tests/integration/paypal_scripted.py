"""PayPal's API by a script, for answers that the pretended PayPal never gives."""

from collections.abc import Callable
from typing import Any

from order_paypal import ApiAnswer, ApiRequest, PayPalGateway


class ScriptedApi:
    """Answers each request with the next of its answers, or raises it."""

    def __init__(self, *answers: ApiAnswer | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[ApiRequest] = []

    def call(
        self, request: ApiRequest, /, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


def a_scripted_gateway(*answers: ApiAnswer | Exception) -> PayPalGateway:
    return PayPalGateway(ScriptedApi(*answers), account="scripted")


def capture_of(status: str, **but: Any) -> ApiAnswer:
    capture = {
        "id": "2GG279541U471931P",
        "status": status,
        "amount": {"currency_code": "EUR", "value": "25.00"},
        "custom_id": "tx-5,default",
        **but,
    }
    return ApiAnswer(201, {"purchase_units": [{"payments": {"captures": [capture]}}]})
