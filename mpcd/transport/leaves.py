"""The TLS leaf that a daemon shows at present; it renews itself and never touches the disk."""

from __future__ import annotations

from datetime import timedelta

from mpcd.clock import Clock
from mpcd.identity.certificates import DEFAULT_LEAF_VALID_S, Leaf, issue_leaf
from mpcd.identity.keys import Identity

_RENEW_AT = 2 / 3


class Leaves:
    """Leaves of one identity, one after another; a new one when two thirds of the old one's time are over."""

    def __init__(self, identity: Identity, clock: Clock, valid_s: float = DEFAULT_LEAF_VALID_S) -> None:
        self._identity = identity
        self._clock = clock
        self._valid_s = valid_s
        self._issue()

    def current(self) -> Leaf:
        """The leaf for the next handshake."""
        if self._clock.now() >= self._renew_at:
            self._issue()
        return self._leaf

    def _issue(self) -> None:
        now = self._clock.now()
        self._leaf = issue_leaf(self._identity, now=now, valid_s=self._valid_s)
        self._renew_at = now + timedelta(seconds=self._valid_s * _RENEW_AT)
        self.expires = now + timedelta(seconds=self._valid_s)
