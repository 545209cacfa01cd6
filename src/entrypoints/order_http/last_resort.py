"""Answers what nobody else has answered, so that no request goes without."""

import logging

from order_http.problems import Problem
from order_http.request_id import current_request_id

_log = logging.getLogger("order_http.errors")


class AnswerBrokenOff(Exception):
    """Half an answer is out, and the other half will never come."""


def last_word(error: Exception, *, has_begun: bool) -> Problem:
    """What the client is told of `error`; `has_begun`: part of an answer is out.

    Raises:
        AnswerBrokenOff: then the server must break the connection, and logs in its own words
            what it gets.
    """
    if isinstance(error, Problem) and not has_begun:
        return error
    request_id = current_request_id.get()
    # The message stays free of the request: a traceback is enough to find the fault.
    extra = {"request_id": request_id}
    _log.error("request %s failed", request_id, exc_info=error, extra=extra)
    if has_begun:
        raise AnswerBrokenOff from None
    return Problem(
        "internal_error",
        "The service failed in a way nobody foresaw. Its log names this request.",
    )
