"""Run the chaos driver once, or until a run fails: `python -m tests.chaos.driver`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from agents.process.embedded import free_port
from tests.brokers import ApacheKafka
from tests.chaos.driver.proxy import KafkaProxy
from tests.chaos.driver.run import Run, say
from tests.chaos.driver.shrink import shrink
from tests.chaos.driver.steps import Step, draw, dump, load


def main() -> int:
    options = _options()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each attempt to reach a broker
    port = free_port()
    broker = ApacheKafka(proxy=port)
    say(f"chaos: seed {seed}, {options.minutes:g} minutes")
    broker.start()
    try:
        return asyncio.run(_runs(seed, options, broker, port))
    finally:
        broker.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="the seed of the first run, random without")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the faults of one run last")
    parser.add_argument("--runs", type=int, default=1, help="how many runs, with seeds that follow each other")
    parser.add_argument("--steps", type=Path, help="play these steps (JSON lines) instead of drawing any")
    parser.add_argument("--shrink", type=int, default=12, help="at most this many more runs to find few steps")
    parser.add_argument("--keep", type=Path, help="keep logs and steps in this folder")
    return parser.parse_args()


async def _runs(seed: int, options: argparse.Namespace, broker: ApacheKafka, port: int) -> int:
    folder = options.keep or Path(tempfile.mkdtemp(prefix="summitry-chaos-"))
    seconds = options.minutes * 60
    async with KafkaProxy(port) as proxy:
        proxy.upstream = broker.port

        async def violations(steps: list[Step], number: int) -> list[str]:
            return await Run(broker, proxy, folder / f"{seed}-{number}", seed).play(steps, seconds)

        for seed in range(seed, seed + options.runs):  # noqa: B020, PLR1704  # the seed that failed is told below
            steps = load(options.steps.read_text()) if options.steps else draw(seed, seconds)
            began = time.monotonic()
            found = await violations(steps, 0)
            say(f"chaos: seed {seed}, {len(steps)} steps, {time.monotonic() - began:.0f} s: {found or 'clean'}")
            if found:
                break
        else:
            return 0
        tries = iter(range(1, options.shrink + 1))

        async def fails(fewer: list[Step]) -> bool:
            again = await violations(fewer, next(tries))
            say(f"chaos: {len(fewer)} steps: {again or 'clean'}")
            return bool(again)

        left = await shrink(steps, fails, options.shrink) if options.shrink else steps
    (folder / "steps.jsonl").write_text(dump(left))
    say("\n".join(["chaos: FAILED", *found, f"chaos: {len(left)} steps still fail (logs and steps in {folder}):"]))
    sys.stdout.write(dump(left))
    return 1


if __name__ == "__main__":
    sys.exit(main())
