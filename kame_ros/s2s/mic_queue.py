"""Queues the frames that one robot has heard and the front-end has not answered yet."""

from __future__ import annotations

from collections import deque

from kame_ros.runtime.inbox import Inbox
from kame_ros.wire.frame import FRAME_S, Frame

BOUND = 25  # frames: what waits longer than 2 s is not answered any more
MAX_CONCEALED = 25  # frames: a longer gap in the numbers is a new stream, not a loss


class MicQueue:
    """Frames in, with the time they came; the same frames out, and silence for those that are lost.

    Any thread may `put`, one thread reads. When it is full, the oldest frame goes; its number is
    missing then, so that silence stands for it too. `missing` counts those that never came, beside
    those that were dropped here.
    """

    def __init__(self) -> None:
        self.missing = 0
        self._came: Inbox[tuple[float, Frame]] = Inbox(BOUND)
        self._due: deque[tuple[float, Frame]] = deque()  # one frame, and the gap before it
        self._expected: int | None = None  # the number of the next frame
        self._explained = 0  # frames that were dropped here, and whose gap was seen

    def put(self, frame: Frame, now: float) -> None:
        """A frame came at `now`, in seconds."""
        self._came.put((now, frame))

    def open(self) -> None:
        """Empty, and a new stream may come; the counters go on."""
        self.forget()
        self._came.open()

    def close(self) -> None:
        """Wakes the reader; what is there can still be taken, no more comes in."""
        self._came.close()

    def pull(self, timeout: float = 0.0) -> bool:
        """Whether a frame is due, or comes within `timeout` seconds."""
        if not self._due:
            came = self._came.get(timeout)
            if came is not None:
                now, frame = came
                self._due.extend((now, each) for each in self._with_concealed(frame))
                self._expected = frame.seq + 1
        return bool(self._due)

    @property
    def waiting_since(self) -> float | None:
        """When the frame came that is due, or None."""
        return self._due[0][0] if self.pull() else None

    def take(self) -> Frame:
        """The frame that is due; IndexError if there is none."""
        return self._due.popleft()[1]

    @property
    def in_gap(self) -> bool:
        """Whether the frame taken last was silence in the place of a lost one."""
        return bool(self._due)

    def forget(self) -> int:
        """Drops all that waits and the count of the stream; gives how many frames that were."""
        dropped = len(self._due) + len(self._came.drain())
        self._due.clear()
        self._expected = None
        self._explained = self._came.dropped
        return dropped

    def counters(self) -> dict[str, float]:
        """Depth and losses, for diagnostics."""
        return {'frames_missing': self.missing, **self._came.counters('frames')}

    def _with_concealed(self, frame: Frame) -> list[Frame]:
        missing = frame.seq - self._expected if self._expected is not None else 0
        if self._expected is None or missing > MAX_CONCEALED:
            self._explained = self._came.dropped  # a new stream: its gaps are its own
        if not 0 < missing <= MAX_CONCEALED:
            return [frame]
        dropped = min(missing, self._came.dropped - self._explained)
        self._explained += dropped
        self.missing += missing - dropped
        return [
            Frame(seq, frame.t - (frame.seq - seq) * FRAME_S)
            for seq in range(frame.seq - missing, frame.seq)
        ] + [frame]
