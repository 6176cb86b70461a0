"""Streams for tests that give pads of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpcd.protocols.rounds import Words
from mpcd.ring.streams import Streams


class OpenedStreams(Streams[int]):
    """Every way to draw goes through `open_named`, for sub-classes to replace it."""

    def draw_few(self, iv: bytes, wanted: Sequence[tuple[int, int]], size: int) -> Words:
        step = size + size % 2
        slices = [s for key, n in wanted for s in self.open_named(key, iv).draw_slices([size] * n)]
        pads = np.zeros((len(slices), step), np.uint64)
        pads[:, :size] = slices
        return pads.reshape(-1)
