"""What requirements/*.txt pin."""

import re
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
SHIPPED = REQUIREMENTS / "service.txt"
"""What the service runs with. The others are for those who build, test and audit it."""
LOCKS = tuple(sorted(REQUIREMENTS.glob("*.txt")))

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^    #(?: via|  ) (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pin:
    """One package in one version; a lock may pin two versions, for two versions of Python."""

    name: str
    version: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]
    """Names of packages, and of what is written by hand: `order-core`, a path of ours."""

    @property
    def purl(self) -> str:
        """The package as a URL that names no registry."""
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(lock: Path) -> tuple[Pin, ...]:
    """Everything that this lock pins, in its order."""
    text = lock.read_text(encoding="utf-8")
    starts = [*_PIN.finditer(text)]
    ends = [*(match.start() for match in starts[1:]), len(text)]
    return tuple(
        Pin(
            match[1],
            match[2],
            tuple(_HASH.findall(text, match.start(), end)),
            tuple(_VIA.findall(text, match.start(), end)),
        )
        for match, end in zip(starts, ends, strict=True)
    )


def normalized(name: str) -> str:
    """As PEP 503 has it: `Foo_Bar` and `foo-bar` are one package."""
    return re.sub(r"[-_.]+", "-", name).lower()
