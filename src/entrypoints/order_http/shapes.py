"""From a JSON value to the shape of a body, with every mistake named."""

from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from order_http.problems import FieldError, invalid, pointer_to

Shape = TypeVar("Shape", bound=BaseModel)


def read_shape(shape: type[Shape], body: object) -> Shape:
    """`body` as a `shape`.

    Raises:
        Problem: 422, with every member that is missing, unknown or of a wrong type.
    """
    try:
        return shape.model_validate(body)
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False, include_context=False, include_input=False)
        raise invalid([_shape_error(error) for error in errors]) from None


_CODE_OF_SHAPE: Final = {
    "missing": ("missing", "is required"),
    "extra_forbidden": ("unknown_field", "is not a field of this object"),
    "int_type": ("wrong_type", "must be an integer, written without a decimal point"),
    "string_type": ("wrong_type", "must be text"),
    "string_unicode": ("forbidden_character", "must not contain lone surrogates"),
    "bool_type": ("wrong_type", "must be true or false"),
    "list_type": ("wrong_type", "must be an array"),
    "model_type": ("wrong_type", "must be an object"),
}


def _shape_error(error: ErrorDetails) -> FieldError:
    code, detail = _CODE_OF_SHAPE.get(error["type"], (error["type"], error["msg"]))
    return FieldError(pointer_to(error["loc"]), code, detail)
