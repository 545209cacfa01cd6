"""Run the payment gateways' contract suite, and write down who does what.

`python tools/contract_table.py` writes docs/providers/README.md; a row is a test of the
suite, a column a provider. A skip is a promise that the provider cannot make, with the
reason in its own page.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "providers" / "README.md"
SUITES = {
    "Sandbox": "tests/integration/test_sandbox_gateway.py::TestSandboxGateway",
    "Stripe": "tests/integration/test_stripe_contract.py::TestStripeGateway",
    "PayPal": "tests/integration/test_paypal_contract.py::TestPayPalGateway",
    "Square": "tests/integration/test_square_gateway.py::TestSquareGateway",
    "Adyen": "tests/integration/test_adyen_gateway.py::TestAdyenGateway",
}
HEAD = """# Providers

[Stripe](stripe.md), [PayPal](paypal.md), [Square](square.md) and [Adyen](adyen.md) have a page
each: what to set, what to do in their dashboards, which currencies, and what was never tried
live. The sandbox is for play and tests.

Every gateway runs the same suite (`order_memory.contracts.PaymentGatewayContract`), each with the
real SDK against its emulator. Written by `tools/contract_table.py` from a run:

"""
NOTE = """

A dash is a test that is skipped, with its reason beside it: the provider has no such thing, or,
with Adyen, the test asks by look-up what only an event can tell, or shows the buyer a page, which
is not supported there.
"""


def results(suite: str) -> dict[str, str]:
    """What became of each test of one provider's suite."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(  # noqa: S603 - our own tests
            [sys.executable, "-m", "pytest", "--quiet", f"--junitxml={report}", suite],
            cwd=ROOT,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        cases = ET.parse(report).iter("testcase")  # noqa: S314 - what pytest has just written
        found: dict[str, str] = {}
        for case in cases:
            name = case.attrib["name"].partition("[")[0].removeprefix("test_").replace("_", " ")
            bad = case.find("failure") is not None or case.find("error") is not None
            skipped = case.find("skipped") is not None
            word = "**no**" if bad else "–" if skipped else "yes"  # noqa: RUF001 - a dash for readers
            found[name] = max(found.get(name, word), word) if not bad else word
        return found


def main() -> None:
    """Write the table."""
    columns = {provider: results(suite) for provider, suite in SUITES.items()}
    promised = columns["Sandbox"]
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for behaviour in promised:
        row = " | ".join(columns[provider].get(behaviour, "") for provider in columns)
        lines.append(f"| {behaviour} | {row} |")
    TARGET.write_text(HEAD + "\n".join(lines) + NOTE, encoding="utf-8")


if __name__ == "__main__":
    main()
