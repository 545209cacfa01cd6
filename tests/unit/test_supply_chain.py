"""What the service is made of is listed as it is locked, and what the audit cannot tell is red."""

import json
import os
import tomllib
from datetime import date
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
from tools.audit import leaked_secrets, licences, vulnerabilities
from tools.audit.locks import LOCKS, REQUIREMENTS, SHIPPED, Pin, pins

ROOT = Path(__file__).parents[2]
SBOM: dict[str, Any] = json.loads((REQUIREMENTS / "order-core.cdx.json").read_text("utf-8"))
PLAIN = Pin("plain", "1.2", (), ())
FANCY = Pin("fancy", "3.4", (), ("plain",))


def test_the_bill_of_materials_is_the_lock_hash_by_hash() -> None:
    listed = {
        component["purl"]: sorted(each["content"] for each in reference["hashes"])
        for component in SBOM["components"]
        for reference in component["externalReferences"]
    }

    assert listed == {pin.purl: sorted(pin.hashes) for pin in pins(SHIPPED)}, "make sbom"


def test_the_bill_of_materials_says_what_needs_what() -> None:
    needs = {each["ref"]: each.get("dependsOn", []) for each in SBOM["dependencies"]}
    ours = {pin.purl for pin in pins(SHIPPED) if "order-core" in pin.wanted_by}

    assert set(needs["order-core"]) == ours
    assert any(ref.startswith("pkg:pypi/anyio@") for ref in needs[_ref("starlette")])


def _ref(name: str) -> str:
    return str(next(each["purl"] for each in SBOM["components"] if each["name"] == name))


def test_the_bill_of_materials_is_of_this_version_and_names_no_registry() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    described = SBOM["metadata"]["component"]

    assert (described["name"], described["version"]) == (project["name"], project["version"])
    text = json.dumps({name: value for name, value in SBOM.items() if name != "$schema"})
    assert not any(address in text for address in ("://", "simple/", str(ROOT)))


@pytest.mark.skipif(os.environ.get("TESTED_AS") != "wheel", reason="is in the wheel only")
def test_the_wheel_carries_its_bill_of_materials() -> None:
    (carried,) = [
        each for each in files("order-core") or () if each.match("*.dist-info/sboms/*.cdx.json")
    ]

    assert json.loads(carried.read_text("utf-8")) == SBOM


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_of_a_lock_has_hashes_and_somebody_who_wants_it(lock: Path) -> None:
    assert pins(lock)
    assert not [pin for pin in pins(lock) if not pin.hashes or not pin.wanted_by]


# The audit -------------------------------------------------------------------------------------


def test_a_package_that_nobody_answers_for_is_not_healthy() -> None:
    assert vulnerabilities.complaints([PLAIN, FANCY], {PLAIN: []}, ()) == [
        "NOT CHECKED  fancy 3.4: nobody answered for this version"
    ]


def test_a_known_vulnerability_is_told_unless_it_is_accepted() -> None:
    found = {PLAIN: ["PYSEC-7", "GHSA-3"], FANCY: ["PYSEC-9"]}

    assert vulnerabilities.complaints([PLAIN, FANCY], found, {"PYSEC-7", "PYSEC-9"}) == [
        "VULNERABLE   plain 1.2: GHSA-3"
    ]


def test_nothing_is_accepted_for_ever() -> None:
    assert vulnerabilities.accepted(date(2999, 1, 1)) == set()


@pytest.mark.parametrize(
    ("licence", "welcome"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("UNKNOWN", False),
        ("MIT AND GPL-3.0-only", False),
        ("MIT; GNU Affero General Public License v3", False),
        ("GPL-2.0 OR MIT", True),
        ("BSD-3-Clause AND (GPL-2.0 OR MIT)", True),
        ("BSD-3-Clause AND (GPL-2.0 OR LGPL-3.0)", False),
        ("ISC License (ISCL)", True),
    ],
)
def test_a_licence_is_welcome_when_each_of_its_parts_is(licence: str, welcome: bool) -> None:
    allowed = frozenset({"MIT", "BSD-3-Clause", "ISC License (ISCL)"})

    assert licences.is_welcome(licence, allowed) is welcome


def test_a_licence_that_changed_is_not_the_one_that_was_agreed_to() -> None:
    known = dict.fromkeys({pin.name for lock in LOCKS for pin in pins(lock)}, "MIT")
    known |= {"starlette": "AGPL-3.0-only", "orjson": "Commons Clause"}
    del known["httpx"]
    told = licences.refused(known)

    assert "starlette: nobody agreed to AGPL-3.0-only" in told
    assert "httpx: it is not installed, so its licence is not known" in told
    assert any(each.startswith("orjson: MPL-2.0 AND") for each in told)


def test_a_secret_that_nobody_looked_at_is_told_and_so_is_an_idle_excuse() -> None:
    found = {("src/a.py", "aa"): "src/a.py:3 (Stripe Access Key)", ("docs/b.md", "bb"): "docs/b.md"}
    known = {("docs/b.md", "bb"): "It is an example.", ("src/c.py", "cc"): "It was one."}

    assert leaked_secrets.complaints(found, known) == [
        "SECRET?    src/a.py:3 (Stripe Access Key)",
        "GONE       src/c.py, cc",
    ]


def test_every_text_that_looks_like_a_secret_and_is_none_has_its_reason() -> None:
    assert all(
        (ROOT / file).exists() and why.endswith(".")
        for (file, _), why in leaked_secrets.invented().items()
    )
