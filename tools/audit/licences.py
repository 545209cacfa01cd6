"""List the licences of everything that the locks pin, and refuse those that nobody agreed to.

    tools/audit/licences.py PYTHON...     of the environments in which the packages are installed

`licences.toml` beside this file says which licences are welcome, and names the packages with
another one that are welcome all the same, with the reason.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tools.audit.locks import LOCKS, normalized, pins  # noqa: E402

_ALTERNATIVES = re.compile(r"^\((.*)\)$")
_RULES = Path(__file__).with_name("licences.toml")


def installed(python: str) -> dict[str, str]:
    """Package -> licence, as the metadata of this environment has it."""
    command = [
        *(str(Path(sys.executable).parent / "pip-licenses"), f"--python={python}"),
        *("--format=json", "--from=mixed", "--with-system"),
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return {normalized(each["Name"]): each["License"] for each in json.loads(listed.stdout)}


def is_welcome(licence: str, welcome: frozenset[str]) -> bool:
    """Whether every part of it is welcome; of alternatives, one."""
    return all(
        part in welcome
        or any(one in welcome for one in _ALTERNATIVES.sub(r"\1", part).split(" OR "))
        for part in re.split(r" AND |; ", licence)
    )


def refused(licences: Mapping[str, str]) -> list[str]:
    """A sentence for each package of the locks that may not be used."""
    rules = tomllib.loads(_RULES.read_text(encoding="utf-8"))
    welcome = frozenset(rules["welcome"])
    agreed = {each["package"]: each["licence"] for each in rules["agreed"]}
    sentences = []
    for name in sorted({pin.name for lock in LOCKS for pin in pins(lock)}):
        licence = licences.get(name)
        if name in agreed:
            # One that was agreed to need not be installed: some are for other systems.
            if licence not in {agreed[name], None}:
                sentences.append(f"{name}: {agreed[name]} was agreed to, and it is {licence}")
        elif licence is None:
            sentences.append(f"{name}: it is not installed, so its licence is not known")
        elif not is_welcome(licence, welcome):
            sentences.append(f"{name}: nobody agreed to {licence}")
    return sentences


def main(pythons: list[str]) -> int:
    """Answer with the exit status."""
    licences: dict[str, str] = {}
    for python in pythons:
        licences |= installed(python)
    locked = {pin.name for lock in LOCKS for pin in pins(lock)}
    by_licence: dict[str, list[str]] = {}
    for name in sorted(locked & licences.keys()):
        by_licence.setdefault(licences[name], []).append(name)
    for licence, names in sorted(by_licence.items()):
        print(f"{licence}: {', '.join(names)}")
    wrong = refused(licences)
    for sentence in wrong:
        print(f"REFUSED  {sentence}")
    print(f"Of {len(locked)} packages {len(wrong)} have a licence that nobody agreed to")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
