"""Find few steps that still fail, by leaving out halves, quarters and so on (delta debugging, Zeller 1999)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def shrink(steps: Sequence[T], fails: Callable[[list[T]], Awaitable[bool]], budget: int) -> list[T]:
    """Give a shorter list that `fails`, trying at most `budget` lists."""
    left, parts = list(steps), 2
    while budget > 0 and len(left) > 1:
        size = -(-len(left) // parts)
        for start in range(0, len(left), size):
            rest = left[:start] + left[start + size :]
            budget -= 1
            if rest and await fails(rest):
                left, parts = rest, max(2, parts - 1)
                break
            if budget <= 0:
                return left
        else:
            if parts >= len(left):
                return left
            parts = min(len(left), 2 * parts)
    return left
