"""Draw the faults of one run from its seed, as plain data: what happens, when, and for how long."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from typing import Literal

from tests.chaos.driver.poison import KINDS, TOPICS
from tests.chaos.driver.proxy import API_KEYS

Kind = Literal[
    "kill", "stop", "skew", "join", "leave", "full-disk", "broker-kill", "broker-pause", "hold", "cut",
    "poison", "refuse", "lose", "late", "limit", "redirect", "endless", "partitions", "remake",
]  # fmt: skip

#: How often each kind is drawn, relative to the others.
WEIGHTS: dict[Kind, int] = {
    "kill": 10, "stop": 4, "skew": 3, "join": 4, "leave": 4, "full-disk": 1, "broker-kill": 1, "broker-pause": 3,
    "hold": 8, "cut": 3, "poison": 16, "refuse": 4, "lose": 4, "late": 3, "limit": 2,
    "redirect": 1, "endless": 2, "partitions": 1, "remake": 1,
}  # fmt: skip
#: Seconds between two steps, on average.
PAUSE = 4.0
#: The longest a step lasts (seconds).
LONGEST = 15.0


@dataclass(frozen=True)
class Step:
    """One fault: `at` and `lasts` are seconds, `what` names its object (a role, receiver, topic or request type)."""

    at: float
    kind: Kind
    what: str = ""
    detail: str = ""
    lasts: float = 0.0


def draw(seed: int, seconds: float) -> list[Step]:
    """Draw the steps of one run; the same seed gives the same steps, and a longer run begins as a shorter one."""
    dice, at, steps = random.Random(seed), 0.0, []
    while True:
        at += dice.expovariate(1 / PAUSE)
        kind = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        step = Step(round(at, 2), kind, *_object(dice, kind), round(dice.uniform(0.5, LONGEST), 2))
        if at > seconds:
            return steps
        steps.append(step)


def _object(dice: random.Random, kind: Kind) -> tuple[str, str]:
    match kind:
        case "kill" | "stop" | "skew" | "join" | "leave":
            what = dice.choices(["worker", "poller"], [3, 1])[0]
            return what, f"{dice.uniform(-25, 25):.1f}"
        case "full-disk":
            return "worker", ""
        case "hold":
            return dice.choice(list(API_KEYS)), ""
        case "poison":
            return dice.choice(TOPICS), dice.choice(list(KINDS))
        case "refuse" | "lose" | "late" | "limit" | "redirect" | "endless":
            return dice.choice(["desk", "wire"]), ""
        case _:
            return "", ""


def dump(steps: list[Step]) -> str:
    """Write steps as JSON lines, for `--steps`."""
    return "".join(json.dumps(asdict(step)) + "\n" for step in steps)


def load(text: str) -> list[Step]:
    """Read what `dump` wrote."""
    return [Step(**json.loads(line)) for line in text.splitlines() if line.strip()]
