"""What `order-core verify` found, by invariant, in bounded memory."""

import json
from dataclasses import asdict, replace
from typing import Any, Final

from order_core.invariants import INVARIANTS, Rule
from order_core.use_cases.verify_orders import (
    SEEN_ACROSS,
    SEEN_PROMISES,
    UNSEEN,
    Finding,
    Page,
)

# A sentence may quote what stood in the database, and nobody knows how long that is.
_LONGEST_DETAIL: Final = 500


class Report:
    """Counts every violation, and keeps the first `limit` of them."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        of_one = [i for i in INVARIANTS if i.name not in UNSEEN]
        rules: tuple[Rule, ...] = (*SEEN_PROMISES, *of_one, *SEEN_ACROSS)
        self._says = {rule.name: rule.says for rule in rules}
        self._counts = dict.fromkeys(self._says, 0)
        self._kept: list[Finding] = []
        self._orders = self._claims = 0
        self._in_flight = self._overdue = self._left_to_people = 0
        self._complete = False
        self.unfinished_because = ""
        """Why not everything was looked at, if so."""

    def add(self, page: Page) -> None:
        """Take what a page came to."""
        if page.of is None:
            self._orders += page.seen
        else:
            self._claims += page.seen
        self._in_flight += page.in_flight
        self._overdue += page.overdue
        self._left_to_people += page.left_to_people
        for finding in page.findings:
            self._counts[finding.invariant] += 1
            if len(self._kept) < self._limit:
                self._kept.append(replace(finding, detail=finding.detail[:_LONGEST_DETAIL]))

    def complete(self) -> None:
        """Everything was looked at."""
        self._complete = True

    def cut_short(self, because: str) -> None:
        """The rest could not be looked at."""
        self.unfinished_because = because

    @property
    def found(self) -> int:
        """How many violations there are."""
        return sum(self._counts.values())

    def as_json(self) -> str:
        """One document for programs."""
        document: dict[str, Any] = {
            "complete": self._complete,
            "unfinished_because": self.unfinished_because or None,
            "orders": {
                "checked": self._orders,
                "in_flight": self._in_flight,
                "overdue": self._overdue,
                "left_to_people": self._left_to_people,
            },
            "claims": self._claims,
            "violations": self.found,
            "by_invariant": self._counts,
            "shown": [asdict(finding) for finding in self._kept],
        }
        return json.dumps(document, indent=2)

    def as_text(self) -> str:
        """For people: what was looked at, then what is broken, then where."""
        lines = [
            f"{self._orders:,} orders and {self._claims:,} claims across orders were checked"
            + ("." if self._complete else ", and the rest could not be."),
            f"{self._in_flight:,} orders are in flight, {self._overdue:,} of them overdue.",
            f"{self._left_to_people:,} orders are left to people.",
        ]
        if self._overdue:
            lines.append(
                "Does a worker run? For over an hour nobody looked after the overdue orders."
            )
        if not self.found:
            lines += ["", "Nothing contradicts the invariants." if self._complete else ""]
            return "\n".join(lines).rstrip()
        lines += ["", f"{self.found:,} violations:"]
        width = max(len(name) for name, count in self._counts.items() if count)
        lines += [
            f"  {name:<{width}}  {count:>7,}  {self._says[name]}"
            for name, count in self._counts.items()
            if count
        ]
        lines.append("")
        lines += [
            f"{f.invariant}: order {_plain(f.order_id)}: {_plain(f.detail)}" for f in self._kept
        ]
        if hidden := self.found - len(self._kept):
            lines.append(f"... and {hidden:,} more; see --limit-violations.")
        return "\n".join(lines)


def _plain(text: str) -> str:
    # What stands in a sentence may come from a provider: no control codes to the terminal.
    return "".join(each if each.isprintable() else "?" for each in text)
