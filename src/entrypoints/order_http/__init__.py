"""The HTTP service."""

from order_http.app import build_app
from order_http.metrics import Figures
from order_http.request_id import current_request_id
from order_http.settings import HttpSettings

__all__ = ["Figures", "HttpSettings", "build_app", "current_request_id"]
