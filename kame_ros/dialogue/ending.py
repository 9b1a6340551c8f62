"""Has the answer ended? Tells when a conversation with a recording can be closed."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.dialogue.happening import Kind, TurnEvent

_RUN_OUT = (Kind.GENERATION_ENDED, Kind.GENERATION_CANCELLED, Kind.GENERATION_FAILED)

NO_ANSWER = 'the LLM has not answered'
_SPEECH = 'the speech of an answer'


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    `settle`: after the input ended, before it counts as silence; `quiet`: after the last sound of
    the robot; `stuck`: when something is owed and nothing happens; `babble`: for a robot that goes
    on speaking when nothing else is owed any more; `limit`: in all, after the end of the input.
    """

    settle: float = 2.0
    quiet: float = 1.5
    stuck: float = 20.0
    babble: float = 20.0
    limit: float = 90.0


class Ending:
    """Follows what is owed: an open utterance, an answer being written, an oracle not yet spoken.

    `thinks` says whether the graph has an oracle node; without one, the robot's silence is the end.
    """

    def __init__(self, thinks: bool, patience: Patience | None = None) -> None:
        self._thinks = thinks
        self._patience = patience or Patience()
        self._input_end: float | None = None
        self._last_change = 0.0  # events and sounds
        self._last_event = 0.0  # what is not the robot's own speech
        self._last_sound = 0.0
        self._speaking = False
        self._user_speaks = False
        self._unanswered: set[int] = set()  # utterances that are final and have no answer yet
        self._heard = 0
        self._running: set[int] = set()
        self._newest: int | None = None  # the newest generation that was written to its end
        self._spoken: set[int] = set()
        self._failed: dict[int, str] = {}  # utterance -> why the LLM has not answered it

    def on_event(self, event: TurnEvent) -> None:
        """Takes note of an event of the topic `turn`."""
        kind, generation = event.kind, event.generation
        self._last_change = max(self._last_change, event.t)
        if kind not in (Kind.ROBOT_SPEECH_START, Kind.ROBOT_SPEECH_END):
            self._last_event = self._last_change
        if kind == Kind.INPUT_ENDED:
            self._input_end = event.t
        elif kind == Kind.USER_SPEECH_START:
            self._user_speaks = True
        elif kind in (Kind.USER_SPEECH_END, Kind.SILENT):
            self._user_speaks = False
            if kind == Kind.SILENT:
                self._unanswered.discard(event.utterance)
        elif kind == Kind.GENERATION_BEGUN:
            self._running.add(generation)
        elif kind in _RUN_OUT:
            self._running.discard(generation)
            if kind != Kind.GENERATION_CANCELLED:
                self._unanswered.discard(event.utterance)
            if kind == Kind.GENERATION_FAILED and event.utterance >= 0:
                self._failed[event.utterance] = event.text
            elif kind == Kind.GENERATION_ENDED:
                self._failed.pop(event.utterance, None)
            if kind == Kind.GENERATION_ENDED and event.text.strip():
                self._newest = generation
        elif kind == Kind.ORACLE_SPOKEN:
            self._spoken.add(generation)
        elif kind == Kind.BARGE_IN:
            self._newest = None

    def on_final(self, utterance: int, t: float, answered: bool) -> None:
        """A final transcript came; `answered` if its answer was written from a partial already."""
        self._last_event = self._last_change = max(self._last_change, t)
        self._heard += 1
        if self._thinks and not answered:
            self._unanswered.add(utterance)

    def on_sound(self, t: float, loud: bool) -> None:
        """A frame was played."""
        self._speaking = loud
        if loud:
            self._last_sound = t
            self._last_change = max(self._last_change, t)

    @property
    def _reached(self) -> str:
        if self._failed:
            # The newest one; what was asked again and answered is not in it.
            why = next(reversed(self._failed.values())).strip()
            return f'{NO_ANSWER}: {why}' if why else NO_ANSWER
        return 'answered' if self._heard or not self._thinks else 'nothing heard'

    @property
    def _owed(self) -> str:
        if self._user_speaks:
            return 'the end of what the user says'
        if self._running or self._unanswered:
            return 'an answer'
        if self._newest is not None and self._newest not in self._spoken:
            return _SPEECH
        return ''

    def done(self, now: float) -> str:
        """Empty while it goes on; then `answered`, `nothing heard`, or what is missing, and why."""
        patience = self._patience
        if self._input_end is None or now - self._input_end < patience.settle:
            return ''
        if now - self._input_end > patience.limit:
            return f'gave up after {patience.limit:g} s'
        owed = self._owed
        if self._speaking or now - self._last_sound < patience.quiet:
            talked = now - max(self._last_event, self._input_end)
            return self._reached if owed in ('', _SPEECH) and talked > patience.babble else ''
        if owed:
            stuck = now - max(self._last_change, self._input_end) > patience.stuck
            return f'waited {patience.stuck:g} s in vain for {owed}' if stuck else ''
        return self._reached
