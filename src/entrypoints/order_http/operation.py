"""One operation of the OpenAPI document: what it takes, and every answer it can give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from order_http.problem_codes import CODES, type_of
from order_http.problems import MEDIA_TYPE

Json = dict[str, Any]

_MEANING_OF_HEADER: Final[dict[str, Json]] = {
    "Location": {
        "description": "The address of the order.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": "The next page, if there is one, as rel=next.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which asking again makes sense.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit": {
        "description": "What is left, by draft-ietf-httpapi-ratelimit-headers-10.",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The limits that RateLimit speaks of.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "The challenge of RFC 6750.",
        "schema": {"type": "string"},
    },
}
_SOMETIMES: Final = frozenset({"Link", "RateLimit", "RateLimit-Policy"})
_LIMITS: Final = ("RateLimit", "RateLimit-Policy")
_HEADER_OF_STATUS: Final = {
    401: "WWW-Authenticate",
    402: "Location",
    429: "Retry-After",
    503: "Retry-After",
}
_HEADER_OF_CODE: Final = {
    "insufficient_scope": "WWW-Authenticate",
    "request_in_progress": "Retry-After",
}
"""Of one code among others that share its status, so that it is not always there."""
_REQUEST_ID: Final = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}

# What any request can meet, before anybody has read what it wants.
_ALWAYS: Final = ("bad_request", "body_too_large", "headers_too_large", "internal_error")
_WITH_TOKEN: Final = (
    "token_missing",
    "invalid_token",
    "insufficient_scope",
    "invalid_request",
    "token_unverifiable",
    "rate_limited",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its model (or schema), an example, and the headers it brings."""

    meaning: str
    body: type[BaseModel] | Json
    example: object
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """`codes` are the problems that only this operation has, beside those that all have."""

    method: str
    path: str
    id: str
    summary: str
    answers: Mapping[int, Answer]
    codes: tuple[str, ...] = ()
    scope: str | None = None
    parameters: tuple[Json, ...] = ()
    body: type[BaseModel] | Json | None = None
    body_example: Json | None = None
    body_is_optional: bool = False
    body_media_type: str = "application/json"
    proves_client: bool = False
    """Whether the caller is a program that proves itself by HTTP Basic."""

    def document(self) -> Json:
        """This operation, in OpenAPI 3.1."""
        document: Json = {
            "operationId": self.id,
            "summary": self.summary,
            "parameters": [*self.parameters, {"$ref": "#/components/parameters/RequestId"}],
            "responses": self._responses(),
        }
        if self.scope:
            for response in document["responses"].values():
                response["headers"] |= {name: _header(name, always=False) for name in _LIMITS}
        if self.body is not None:
            content = {"schema": _schema(self.body), "example": self.body_example}
            document["requestBody"] = {
                "required": not self.body_is_optional,
                "content": {self.body_media_type: content},
            }
        if self.scope:
            document["security"] = [{"bearer": [self.scope]}]
        if self.proves_client:
            document["security"] = [{"client": []}]
        return document

    def _responses(self) -> Json:
        responses = _problems((*self.codes, *_ALWAYS, *(_WITH_TOKEN if self.scope else ())))
        for status, answer in self.answers.items():
            own = _success(answer)
            if problem := responses.get(str(status)):
                # An operation with errors of its own form can still meet one of ours.
                own["content"] |= problem["content"]
            responses[str(status)] = own
        return dict(sorted(responses.items()))


def reference(model: type[BaseModel]) -> Json:
    """Where the document keeps the schema of `model`."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _success(answer: Answer) -> Json:
    return {
        "description": answer.meaning,
        "headers": {name: _header(name, always=name not in _SOMETIMES) for name in answer.headers}
        | _REQUEST_ID,
        "content": {answer.media_type: {"schema": _schema(answer.body), "example": answer.example}},
    }


def _schema(shape: type[BaseModel] | Json) -> Json:
    return shape if isinstance(shape, dict) else reference(shape)


def _problems(codes: Sequence[str]) -> dict[str, Json]:
    codes_of_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        codes_of_status.setdefault(CODES[code][0], []).append(code)
    return {str(status): _problem(status, own) for status, own in sorted(codes_of_status.items())}


def _problem(status: int, codes: list[str]) -> Json:
    only = {"properties": {"code": {"enum": codes}, "status": {"const": status}}}
    headers = {
        header: _header(header, always=False)
        for code, header in _HEADER_OF_CODE.items()
        if code in codes
    }
    if header := _HEADER_OF_STATUS.get(status):
        headers[header] = _header(header, always=True)
    return {
        "description": "; ".join(dict.fromkeys(CODES[code][1] for code in codes)) + ".",
        "headers": headers | _REQUEST_ID,
        "content": {
            MEDIA_TYPE: {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, only]},
                "examples": {code: {"value": _problem_example(code)} for code in codes},
            }
        },
    }


def _header(name: str, *, always: bool) -> Json:
    return {**_MEANING_OF_HEADER[name], "required": always}


def _problem_example(code: str) -> Json:
    status, title = CODES[code]
    return {
        "type": type_of(code),
        "title": title,
        "status": status,
        "detail": title + ".",
        "instance": "urn:order-core:request:5f0c8d5e1b7a4f4e9d8c7b6a59483726",
        "code": code,
    }
