"""The generations in flight, and which of them must go."""

from __future__ import annotations

from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.oracle.policy.decision import Cancel, Start
from kame_ros.oracle.policy.stream import Stream
from kame_ros.text.compare import normalise
from kame_ros.wire.transcript import Transcript


class Streams:
    """A bounded table of streams, oldest first; times in seconds."""

    def __init__(self) -> None:
        self._streams: dict[int, Stream] = {}

    @property
    def running(self) -> tuple[int, ...]:
        """Their generations."""
        return tuple(self._streams)

    @property
    def asks(self) -> list[Start]:
        """What they were asked."""
        return [stream.ask for stream in self._streams.values()]

    def add(self, ask: Start, t: float) -> None:
        """A stream begins."""
        self._streams[ask.gen] = Stream(ask, t)

    def get(self, gen: int) -> Stream | None:
        """The stream of this generation, if it runs."""
        return self._streams.get(gen)

    def remove(self, gen: int) -> Stream | None:
        """The stream has ended; returns it if it ran."""
        return self._streams.pop(gen, None)

    def stop(self, gen: int, why: str) -> Cancel:
        """Takes it out, with the decision to cancel it."""
        self._streams.pop(gen, None)
        return Cancel(gen, why)

    def deadlines(self, config: PolicyConfig) -> list[float]:
        """When patience with each of them ends."""
        return [stream.due(config) for stream in self._streams.values()]

    def overdue(self, t: float, config: PolicyConfig) -> list[tuple[Start, str]]:
        """Those that took too long, and in which way."""
        found = [(s.ask, s.overdue(t, config)) for s in self._streams.values()]
        return [(ask, why) for ask, why in found if why]

    def free_at(self, config: PolicyConfig, disproved: bool = False) -> float | None:
        """When a partial may have a stream; None: when one of them gives a word or ends.

        With all streams taken, one that has spoken for a while gives way to newer words; at once
        where these have `disproved` what was asked last.
        """
        if len(self._streams) < config.max_streams:
            return float('-inf')
        spoken = [s.first_word for s in self._streams.values() if s.first_word is not None]
        hold_s = 0.0 if disproved else config.hold_s
        return min(spoken) + hold_s if spoken else None

    def make_room(self, config: PolicyConfig, oldest: bool = False) -> list[Cancel]:
        """Stops as many as it takes to start one more.

        Those go first that have not said anything: what they were asked is not all of it. With
        `oldest`, the oldest goes.
        """
        stopped = []
        while len(self._streams) >= config.max_streams:
            silent = [g for g, s in self._streams.items() if s.first_word is None]
            gen = min(self._streams) if oldest or not silent else min(silent)
            stopped.append(self.stop(gen, 'newer words need the stream'))
        return stopped

    def stop_stale(self, newest: Transcript, opening_words: int) -> list[Cancel]:
        """Stops those that answer a part of `newest` and have given their opening (0: none)."""
        said = normalise(newest.text)
        stale = [
            gen
            for gen, stream in self._streams.items()
            if 0 < opening_words <= stream.words
            and not stream.ask.final
            and stream.ask.utterance == newest.utterance
            and normalise(stream.ask.text) != said
        ]
        return [self.stop(gen, 'the user has said more') for gen in stale]
