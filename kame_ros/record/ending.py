"""Tells when a conversation with a recording is over: nothing is owed, and all is silent."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.wire.turn import TurnEvent, TurnKind

_RUN_OUT = (TurnKind.GENERATION_ENDED, TurnKind.GENERATION_CANCELLED, TurnKind.GENERATION_FAILED)

NO_ANSWER = 'the LLM has not answered'
_SPEECH = 'the speech of an answer'
_WORDS = 'the words of what the user said'


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    `settle_s`: after the input ended, before it counts as silence; `quiet_s`: after the last sound
    of the robot; `stuck_s`: when something is owed and nothing happens; `words_s`: for the words of
    speech that ended, which a busy machine is late with; `babble_s`: for a robot
    that goes on speaking when nothing else is owed any more; `limit_s`: in all, after the end of
    the input.
    """

    settle_s: float = 2.0
    quiet_s: float = 1.5
    stuck_s: float = 20.0
    words_s: float = 8.0
    babble_s: float = 20.0
    limit_s: float = 90.0


# A model that nobody tells what to say owes nothing that one could wait for: it may begin late.
OF_ITS_OWN = Patience(settle_s=4.0, quiet_s=3.0)


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
        self._untold = False  # speech has ended, and its words are not known yet
        self._unanswered: set[int] = set()  # utterances that are final and have no answer yet
        self._heard = 0
        self._told: set[int] = set()  # utterances whose words are known
        self._silent: set[int] = set()  # utterances that need no answer
        self._running: set[int] = set()
        self._newest: int | None = None  # the newest generation that was written to its end
        self._spoken: set[int] = set()
        self._failed: dict[int, str] = {}  # utterance -> why the LLM has not answered it

    def on_event(self, event: TurnEvent) -> None:
        """Takes note of an event of the topic `turn`."""
        kind, generation = event.kind, event.generation
        self._last_change = max(self._last_change, event.t)
        if kind not in (TurnKind.ROBOT_SPEECH_START, TurnKind.ROBOT_SPEECH_END):
            self._last_event = self._last_change
        if kind == TurnKind.INPUT_ENDED:
            self._input_end = event.t
        elif kind == TurnKind.USER_SPEECH_START:
            self._user_speaks, self._untold = True, False
        elif kind in (TurnKind.USER_SPEECH_END, TurnKind.SILENT):
            self._user_speaks = False
            ended = kind == TurnKind.USER_SPEECH_END
            self._untold = ended and event.utterance not in self._told
            if kind == TurnKind.SILENT:
                self._silent.add(event.utterance)
                self._unanswered.discard(event.utterance)
        elif kind == TurnKind.GENERATION_BEGUN:
            self._running.add(generation)
        elif kind in _RUN_OUT:
            self._running.discard(generation)
            if kind != TurnKind.GENERATION_CANCELLED:
                self._unanswered.discard(event.utterance)
            if kind == TurnKind.GENERATION_ENDED:  # who was interrupted gets no answer to the rest
                self._unanswered = {u for u in self._unanswered if u > event.utterance}
            if kind == TurnKind.GENERATION_FAILED and event.utterance >= 0:
                self._failed[event.utterance] = event.text
            elif kind == TurnKind.GENERATION_ENDED:
                self._failed.pop(event.utterance, None)
            if kind == TurnKind.GENERATION_ENDED and event.text.strip():
                self._newest = generation
        elif kind == TurnKind.ORACLE_SPOKEN:
            self._spoken.add(generation)
        elif kind == TurnKind.BARGE_IN:
            self._newest = None

    def on_final(self, utterance: int, t: float, answered: bool) -> None:
        """A final transcript came; `answered` if its answer was written from a partial already."""
        self._last_event = self._last_change = max(self._last_change, t)
        self._heard += 1
        self._told.add(utterance)
        self._untold = False
        if self._thinks and not answered and utterance not in self._silent:
            self._unanswered.add(utterance)

    def on_no_words(self) -> None:
        """What was heard had no words: nobody waits for them."""
        self._untold = False

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
        if self._untold:
            return _WORDS
        if self._running or self._unanswered:
            return 'an answer'
        if self._newest is not None and self._newest not in self._spoken:
            return _SPEECH
        return ''

    def done(self, now: float) -> str:
        """Empty while it goes on; then `answered`, `nothing heard`, or what is missing, and why."""
        patience = self._patience
        if self._input_end is None or now - self._input_end < patience.settle_s:
            return ''
        if now - self._input_end > patience.limit_s:
            return f'gave up after {patience.limit_s:g} s'
        owed = self._owed
        if self._speaking or now - self._last_sound < patience.quiet_s:
            talked = now - max(self._last_event, self._input_end)
            return self._reached if owed in ('', _SPEECH) and talked > patience.babble_s else ''
        if owed:
            waited = now - max(self._last_change, self._input_end)
            if owed == _WORDS:  # some noise has none, and nobody tells that
                return self._reached if waited > patience.words_s else ''
            stuck = waited > patience.stuck_s
            return f'waited {patience.stuck_s:g} s in vain for {owed}' if stuck else ''
        return self._reached
