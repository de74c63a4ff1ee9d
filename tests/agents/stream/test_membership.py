"""Test for how long a process may count on owning its partitions."""

from __future__ import annotations

from agents.stream.membership import Membership


class Hands:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Coordinator:
    """Answers heartbeats as a test wants, `takes` seconds later."""

    def __init__(self, hands: Hands) -> None:
        self.alive, self.takes, self.sent = True, 0.0, 0
        self._hands = hands

    async def _do_heartbeat(self) -> bool:
        self.sent += 1
        self._hands.now += self.takes
        return self.alive


def followed() -> tuple[Membership, Coordinator, Hands]:
    hands = Hands()
    membership, coordinator = Membership(7.0, hands), Coordinator(hands)
    membership.follow(coordinator)
    membership.follow(coordinator)
    return membership, coordinator, hands


async def test_it_holds_for_a_while_after_joining_and_after_each_answered_heartbeat() -> None:
    membership, coordinator, hands = followed()
    assert not membership.holds()
    membership.renew()
    hands.now += 6.9
    assert membership.holds()
    assert await coordinator._do_heartbeat()
    assert coordinator.sent == 1, "following twice does not send twice"
    hands.now += 6.9
    assert membership.holds()
    hands.now += 0.2
    assert not membership.holds()


async def test_a_heartbeat_that_is_not_answered_well_renews_nothing() -> None:
    membership, coordinator, hands = followed()
    membership.renew()
    hands.now += 5
    coordinator.alive = False
    assert not await coordinator._do_heartbeat()
    hands.now += 3
    assert not membership.holds()


async def test_it_counts_from_before_the_heartbeat_was_sent() -> None:
    membership, coordinator, _ = followed()
    coordinator.takes = 7.5  # suspended between the answer and its reading
    await coordinator._do_heartbeat()
    assert not membership.holds()
