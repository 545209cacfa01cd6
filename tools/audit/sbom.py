"""Write requirements/order-core.cdx.json: what the service runs with, as CycloneDX.

    tools/audit/sbom.py

It says what the lock says, and is the same for the same lock: no time, no number by chance, and
no registry. The wheel carries it in `.dist-info/sboms/` (PEP 770).
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tools.audit.locks import REQUIREMENTS, SHIPPED, Pin, pins  # noqa: E402

TARGET = REQUIREMENTS / "order-core.cdx.json"


def _component(pin: Pin) -> Component:
    # The schema puts the hashes of a package's archives beside a URL; its own is one.
    archives = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(pin.purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pin.hashes],
    )
    return Component(
        type=ComponentType.LIBRARY,
        name=pin.name,
        version=pin.version,
        purl=PackageURL.from_string(pin.purl),
        bom_ref=pin.purl,
        external_references=[archives],
    )


def document() -> str:
    """The bill of materials."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref=project["name"],
    )
    locked = pins(SHIPPED)
    components = {pin: _component(pin) for pin in locked}
    bom = Bom(components=components.values())
    bom.metadata.component = ours
    bom.metadata.tools.components.clear()
    bom.register_dependency(
        ours, [components[pin] for pin in locked if project["name"] in pin.wanted_by]
    )
    for pin, component in components.items():
        needed = [components[each] for each in locked if pin.name in each.wanted_by]
        bom.register_dependency(component, needed)
    written: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    del written["serialNumber"], written["metadata"]["timestamp"]
    text = json.dumps(written, indent=1, sort_keys=True) + "\n"
    if mistake := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"This is no CycloneDX: {mistake}")
    return text


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
