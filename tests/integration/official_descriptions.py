"""The providers' official descriptions with their checker, which lie beside the project."""

import importlib.util
import warnings
from functools import cache
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[3] / "shared"


@cache
def described_in(file: str) -> Any:
    """The checker of the description in `specs/<file>`; None where they are not at hand."""
    tool, description = SHARED / "tools/contract.py", SHARED / "specs" / file
    if not (tool.exists() and description.exists()):
        return None
    spec = importlib.util.spec_from_file_location("contract", tool)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        # The checker leaves its file to the garbage collector, which warns about it.
        warnings.simplefilter("ignore", ResourceWarning)
        return module.Spec(str(description))
