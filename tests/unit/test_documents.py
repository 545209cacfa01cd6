"""What the documents say is what the code does."""

import re
import runpy
from pathlib import Path

import pytest

from order_sandbox.plugin import SETTINGS
from order_sandbox.tokens import TOKENS
from order_wiring.settings import Settings

PROJECT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]+\]\((?!https?://|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("name", ["README.md", "docs/statuses.md"])
def test_the_drawn_status_machine_is_the_table_in_the_code(name: str) -> None:
    drawing = runpy.run_path(str(PROJECT / "tools" / "draw_status_machine.py"))
    text = (PROJECT / name).read_text(encoding="utf-8")

    assert drawing["BEGIN"] in text
    assert drawing["with_drawing"](text, Path(name).name) == text


def test_the_drawn_table_of_late_money_is_the_table_in_the_code() -> None:
    drawing = runpy.run_path(str(PROJECT / "tools" / "draw_late_money.py"))
    text = (PROJECT / "docs" / "late-money.md").read_text(encoding="utf-8")

    assert drawing["BEGIN"] in text
    assert drawing["with_drawing"](text) == text


@pytest.mark.parametrize(
    "document",
    sorted([PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")]),
    ids=lambda path: str(path.relative_to(PROJECT)),
)
def test_every_link_to_another_file_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if not (document.parent / link).exists()]

    assert missing == []


def _programs(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(_programs(PROJECT / "docs" / "library.md"))))
def test_every_program_in_the_library_guide_runs(
    number: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    source = _programs(PROJECT / "docs" / "library.md")[number]
    program.write_text(source, encoding="utf-8")
    shown = re.findall(r"#> (.*)", source)
    runpy.run_path(str(program), run_name="__main__")

    assert capsys.readouterr().out.splitlines() == shown
    assert shown, "a program that shows nothing proves nothing"


def test_the_guide_names_every_setting_and_every_payment_method_of_the_sandbox() -> None:
    guide = (PROJECT / "docs" / "running.md").read_text(encoding="utf-8")
    fields = {name.upper() for name in Settings.model_fields} - {"GATEWAY_SETTINGS"}
    plugins = {spec.name for spec in SETTINGS}
    missing = {name for name in fields | plugins | set(TOKENS) if f"`{name}`" not in guide}

    assert missing == set()


def test_what_the_proof_names_is_there() -> None:
    proof = (PROJECT / "docs" / "proof.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::([\w.:]+)", proof)

    assert len(named) > 70
    for file, symbol in named:
        roots = ("", "src", "src/adapters", "src/entrypoints")
        (found,) = (PROJECT / r / file for r in roots if (PROJECT / r / file).exists())
        last = re.split(r"[.:]+", symbol)[-1]
        assert re.search(rf"\b{last}\b", found.read_text(encoding="utf-8")), f"{file}::{symbol}"
