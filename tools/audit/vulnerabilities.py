"""Ask whether a vulnerability is known of anything that the locks pin.

    tools/audit/vulnerabilities.py      exit status 1: there is one, or a package was not checked

pip-audit asks PyPI about each version. A mirror may know only the page of the newest one; where
that is the one we have, it says the same. Whatever nobody answers for is named, and is a failure:
silence is no sign of health.

`accepted.toml` beside this file holds the vulnerabilities that do not reach us: `id`, `why`, and
the day `until` which that is believed.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tools.audit.locks import LOCKS, Pin, normalized, pins  # noqa: E402

Found = dict[Pin, list[str]]

_PAGE = "https://pypi.org/pypi/{}/json"
_SECONDS = 15
_ACCEPTED = Path(__file__).with_name("accepted.toml")


def asked_by_pip_audit(locked: Iterable[Pin]) -> Found:
    """The vulnerabilities of those packages that it got an answer about."""
    command = [
        *(str(Path(sys.executable).parent / "pip-audit"), "--disable-pip", "--require-hashes"),
        *("--format=json", "--progress-spinner=off", f"--timeout={_SECONDS}"),
        *(f"--requirement={lock}" for lock in LOCKS),
    ]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        answers = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"pip-audit gave no answer: {asked.stderr.strip()[-500:]}")
        return {}
    known = {
        (normalized(answer["name"]), answer["version"]): [each["id"] for each in answer["vulns"]]
        for answer in answers
        if "vulns" in answer
    }
    return {pin: known[key] for pin in locked if (key := (pin.name, pin.version)) in known}


def asked_by_page(pin: Pin) -> list[str] | None:
    """What the page of the newest version says; None if we have another, or nobody answers."""
    try:
        answer = requests.get(_PAGE.format(pin.name), timeout=_SECONDS)
        answer.raise_for_status()
        page: dict[str, Any] = answer.json()
        if page["info"]["version"] != pin.version:
            return None
        return [each["id"] for each in page["vulnerabilities"] if not each.get("withdrawn")]
    except (requests.RequestException, ValueError, KeyError):
        return None


def accepted(today: date) -> set[str]:
    """The ids that are accepted on this day."""
    listed = tomllib.loads(_ACCEPTED.read_text(encoding="utf-8")).get("accepted", [])
    return {each["id"] for each in listed if each["why"] and today <= each["until"]}


def complaints(locked: Iterable[Pin], found: Found, harmless: Collection[str]) -> list[str]:
    """A line for each package that is vulnerable, and for each that nobody answered for."""
    lines = []
    for pin in locked:
        if pin not in found:
            lines.append(f"NOT CHECKED  {pin.name} {pin.version}: nobody answered for this version")
        elif ids := sorted(set(found[pin]) - set(harmless)):
            lines.append(f"VULNERABLE   {pin.name} {pin.version}: {', '.join(ids)}")
    return lines


def main() -> int:
    """Answer with the exit status."""
    by_purl = {pin.purl: pin for lock in LOCKS for pin in pins(lock)}
    locked = [by_purl[purl] for purl in sorted(by_purl)]
    found = asked_by_pip_audit(locked)
    left = [pin for pin in locked if pin not in found]
    with ThreadPoolExecutor(8) as pool:
        pages = zip(left, pool.map(asked_by_page, left), strict=True)
        found |= {pin: ids for pin, ids in pages if ids is not None}

    lines = complaints(locked, found, accepted(datetime.now(UTC).date()))
    print(*lines, sep="\n")
    unchecked = len(locked) - len(found)
    print(
        f"Of {len(locked)} packages {len(lines) - unchecked} have a known vulnerability, "
        f"{unchecked} could not be checked"
    )
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
