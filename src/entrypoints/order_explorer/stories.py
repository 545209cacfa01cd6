"""What a participant does next: a tree that grows by one answer at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from order_core.assembly import assemble
from order_core.payment_terms import Policy
from order_core.ports import WebhookEvent
from order_explorer.interning import Numbered
from order_explorer.live import PROVIDER
from order_explorer.scenario import Participant, Stage
from order_explorer.steps import Run, SteppedClock, SteppedPort
from order_memory import ManualClock, ScriptedGateway, SequentialIds, TrustedPrices

BEGIN: Final = -1
"""The answer that a participant begins with."""

MOST_TURNS: Final = 120
"""A participant that takes more is going round in circles."""


class EndlessStory(AssertionError):
    """A participant never comes to an end."""


@dataclass(slots=True)
class Node:
    """A participant after so many answers: about to make `call`, or over with `result`."""

    tree: "Tree"
    path: tuple[tuple[int, datetime], ...]
    call: int | None
    result: Any = None
    waiting: Run | None = None
    """The coroutine that has come here, until somebody goes on with it."""


class Story:
    """One round of one participant, under one clock."""

    def __init__(
        self, participant: Participant, prefix: str, policy: Policy, wrong_by: timedelta
    ) -> None:
        self.participant = participant
        self.prefix = prefix
        self.wrong_by = wrong_by
        self._policy = policy

    def begin(self) -> Run:
        """The real coroutine, before its first step."""
        clock = SteppedClock(self.wrong_by)
        provider = SteppedPort("provider")
        incoming = _Incoming()
        core = assemble(
            orders=SteppedPort("orders"),
            work=SteppedPort("work"),
            outbox=SteppedPort("orders"),
            gateways={PROVIDER: SteppedPort("gateway", ScriptedGateway(ManualClock()))},
            default_provider=PROVIDER,
            prices=TrustedPrices(),
            notifier=SteppedPort("orders"),
            clock=clock,
            ids=SequentialIds(self.prefix),
            policy=self._policy,
            webhooks={PROVIDER: incoming},
        )
        stage = Stage(core, provider)
        incoming.stage = stage
        return Run(self.participant.act(stage), clock)


class _Incoming:
    """A webhook parser that believes its stage."""

    stage: Stage

    async def parse(self, body: bytes, headers: Any, /) -> WebhookEvent:  # noqa: ANN401, ARG002
        facts = self.stage.incoming
        name = "-".join(f"{fact.reference}-{type(fact.outcome).__name__}" for fact in facts)
        return WebhookEvent(name, name, facts)


class Tree:
    """Everything that this story ever turned out to be."""

    def __init__(self, story: Story, calls: Numbered, answers: Numbered, nodes: list[Node]) -> None:
        self.story = story
        self._calls = calls
        self._answers = answers
        self._nodes = nodes
        self._next: dict[tuple[int, int, datetime | None], int] = {}
        self.root = len(nodes)
        nodes.append(Node(self, (), None))

    def after(self, node: int, answer: int, now: datetime) -> int:
        """The number of the node that this answer, heard at this time, leads to."""
        known = self._next.get((node, answer, None))
        if known is None:
            known = self._next.get((node, answer, now))
        return self._grown(node, answer, now) if known is None else known

    def _grown(self, node: int, answer: int, now: datetime) -> int:
        at = self._nodes[node]
        path = (*at.path, (answer, now))
        if len(path) > MOST_TURNS:
            raise EndlessStory(f"{self.story.participant.name} took {MOST_TURNS} turns")
        # The first to go on from here takes the coroutine that waits here; it is not copied,
        # so any other one begins anew.
        run, at.waiting = at.waiting, None
        heard_since = path[-1:]
        if run is None:
            run, heard_since = self.story.begin(), path
        result: Any = None
        for heard, time in heard_since:
            try:
                run.go_on(None if heard == BEGIN else self._answers.values[heard], time)
            except Exception as refusal:  # noqa: BLE001 - a bug is told with its story, too
                result = refusal
        over = run.call is None or result is not None
        grown = len(self._nodes)
        if over:
            self._nodes.append(Node(self, path, None, result or run.result))
        else:
            self._nodes.append(Node(self, path, self._calls.number_of(run.call), waiting=run))
        # What never looked at the clock would have gone on like this at any time.
        self._next[node, answer, now if run.clock.was_read else None] = grown
        return grown
