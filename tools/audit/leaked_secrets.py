"""Look for secrets in everything that git keeps.

    tools/audit/leaked_secrets.py             exit status 1: there is what looks like a secret
    tools/audit/leaked_secrets.py --baseline  write invented_secrets.toml anew, reasons kept

Tests are full of made-up passwords, and words like "password" beside a text mean nothing there;
they are searched for what has the form of a real key. `invented_secrets.toml` beside this file
names what was looked at and is no secret: by file and digest, so that the next one is told.
"""

import json
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
INVENTED = Path(__file__).with_name("invented_secrets.toml")
_TOLD_BY_WORDS = ("KeywordDetector", "BasicAuthDetector")
_TOLD_BY_CHANCE = ("Base64HighEntropyString", "HexHighEntropyString")
# Hashes of archives, packed scripts, our own digests: nothing but what looks random.
_RANDOM = (":!requirements/*", ":!*.gz", f":!{INVENTED.relative_to(ROOT)}")
_TESTS = ("tests", "tools/mutants")
_UNTOLD = "TODO: say why it is no secret"

Finding = tuple[str, str]
"""A file, and the digest of what was found in it."""


def findings() -> dict[Finding, str]:
    """Everything that looks like a secret, and where it is: `file:line (kind)`."""
    elsewhere = tuple(f":!{folder}" for folder in _TESTS)
    with ThreadPoolExecutor() as pool:
        here = pool.submit(_scanned, (".", *elsewhere), ())
        there = pool.submit(_scanned, _TESTS, (*_TOLD_BY_WORDS, *_TOLD_BY_CHANCE))
        return here.result() | there.result()


def _scanned(paths: tuple[str, ...], without: tuple[str, ...]) -> dict[Finding, str]:
    listed = subprocess.run(  # noqa: S603 - all arguments are ours
        ["git", "ls-files", "-z", "--", *paths, *_RANDOM],  # noqa: S607 - the git of the reader
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    scan = [
        *(str(Path(sys.executable).parent / "detect-secrets"), "scan"),
        # What is found is not tried out at whoever it may belong to.
        "--no-verify",
        *(f"--disable-plugin={plugin}" for plugin in without),
    ]
    asked = subprocess.run(  # noqa: S603 - all arguments are ours
        [*scan, *files], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {
        (file, each["hashed_secret"]): f"{file}:{each['line_number']} ({each['type']})"
        for file, found in json.loads(asked.stdout)["results"].items()
        for each in found
    }


def invented() -> dict[Finding, str]:
    """What was looked at, and why it is no secret."""
    listed = tomllib.loads(INVENTED.read_text(encoding="utf-8")).get("invented", [])
    return {(each["file"], each["sha1"]): each["why"] for each in listed}


def write_baseline(found: dict[Finding, str]) -> None:
    """Keep the reasons that are there, and ask for the others."""
    reasons = invented()
    rows = [
        f'\n[[invented]]\nfile = "{file}"\nsha1 = "{sha1}"\n'
        f'why = "{reasons.get((file, sha1), _UNTOLD)}"\n'
        for file, sha1 in sorted(found)
    ]
    head = "# What looks like a secret and is none: tools/audit/leaked_secrets.py --baseline\n"
    INVENTED.write_text(head + "".join(rows), encoding="utf-8")


def complaints(found: dict[Finding, str], known: dict[Finding, str]) -> list[str]:
    """A line for each finding that was not looked at, and each excuse that excuses nothing."""
    return [
        *(f"SECRET?    {found[each]}" for each in sorted(found.keys() - known.keys())),
        *(f"NO REASON  {file}, {sha1}" for (file, sha1), why in known.items() if why == _UNTOLD),
        *(f"GONE       {file}, {sha1}" for file, sha1 in sorted(known.keys() - found.keys())),
    ]


def main(arguments: list[str]) -> int:
    """Answer with the exit status."""
    found = findings()
    if arguments == ["--baseline"]:
        write_baseline(found)
        return 0
    known = invented()
    lines = complaints(found, known)
    print(*lines, sep="\n")
    new = len(found.keys() - known.keys())
    print(f"Of {len(found)} texts that look like a secret, {new} were never looked at")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
