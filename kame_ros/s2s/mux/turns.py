"""Chooses which source is said next, so that nobody waits for ever, whatever others send."""

from __future__ import annotations

from kame_ros.s2s.mux.source import MuxSource

WAIT_S = 15.0
TURN_S = 15.0
_TORN_S = 10.0  # after so much more, it is not waited for the end of a sentence


class Turns:
    """Gives the turn to the source of the highest priority, and among equals to the first.

    But who has waited for WAIT_S is next, whatever the priority: when the text that is being said
    is over, or between two of its sentences once its turn has lasted for TURN_S; it goes on
    behind that. Texts that nobody ended, and sources that make many mistakes, come last, and are
    no reason to wait. Who came late keeps the turn until all is said. Times are in seconds.
    """

    def __init__(self) -> None:
        self.paused = 0  # texts that were interrupted for one that waited
        self.holder: MuxSource | None = None

    def choose(self, waiting: list[MuxSource], now: float) -> MuxSource | None:
        """The source whose text is to be said; all that are `waiting` have one."""
        holder = self.holder if self.holder in waiting else None
        for source in waiting:
            said = source.said
            assert said is not None
            if source is not holder and source.reliable(now):
                said.overdue = said.overdue or now - said.queued >= WAIT_S
        rivals = [s for s in waiting if holder is None or not self._waits_for(holder, s, now)]
        best = min(rivals, key=lambda source: self._rank(source, now), default=None)
        if best is not self.holder:
            self._pass(holder, best, now)
        return best

    def over(self, source: MuxSource, now: float) -> bool:
        """Whether what this source says, ended by nobody, has had its time."""
        said = source.said
        assert said is not None
        if source is not self.holder or source.unruly(now):
            return True
        return now - said.turn >= TURN_S

    def _waits_for(self, holder: MuxSource, source: MuxSource, now: float) -> bool:
        """Whether one who has waited for long still waits for this one."""
        said, mine = holder.said, source.said
        assert said is not None
        assert mine is not None
        if source is holder or not mine.overdue or not holder.reliable(now):
            return False
        # Of those who are kept, nobody waits for one turn after the other.
        began = min(said.turn, mine.queued) if source.kept else said.turn
        torn = now - began >= TURN_S + _TORN_S
        return holder.kept or now - began < TURN_S or not (said.between or torn)

    def _rank(self, source: MuxSource, now: float) -> tuple[int, bool, int, int, str]:
        said = source.said
        assert said is not None
        last = source.unruly(now) or (said.stale and self.over(source, now))
        group = 0 if said.overdue else 2 if last else 1
        return group, said.overdue and not source.kept, -said.priority, said.since, source.name

    def _pass(self, holder: MuxSource | None, best: MuxSource | None, now: float) -> None:
        if holder is not None and holder.said is not None:
            holder.said.queued, holder.said.overdue = now, False
            self.paused += bool(best and best.said and best.said.overdue)
        self.holder = best
        if best is not None and best.said is not None:
            best.said.turn = now
