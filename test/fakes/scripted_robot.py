"""A front-end without a model: it answers by rules, and its voice is a tone."""

import numpy as np

from kame_ros.s2s.front_end import Event, FrontEnd, Piece, Step
from kame_ros.wire.frame import FRAME_SAMPLES
from kame_ros.wire.turn import TurnKind

_TONE = (6000 * np.sin(2 * np.pi * 440 * np.arange(FRAME_SAMPLES) / 24_000)).astype(np.int16)
_SILENCE = np.zeros(FRAME_SAMPLES, np.int16)
WORD = 3  # frames of each


class ScriptedRobot(FrontEnd):
    """Opens `waits` frames after the user is silent, with `lead_in`, and says the newest oracle.

    `corrects` is said where another oracle takes the place of one, `at_a_loss` where none comes.
    With `yields` it stops when the user speaks over it and the words are more than one. Any sound
    above `hears` is the user's.
    """

    def __init__(
        self, waits=2, lead_in='Well,', corrects='I mean,', at_a_loss='', yields=True, hears=300
    ):
        self._waits, self._lead_in, self._corrects = waits, lead_in, corrects
        self._at_a_loss, self._yields, self._hears = at_a_loss, yields, hears
        self.reset()

    def reset(self):
        self._quiet = 0  # frames since the user
        self._asked = self._opened = False
        self._key, self._said, self._stopped = None, 0, None
        self._queue = []  # what is said next: (text, generation)
        self._left = 0  # frames of the word that is being said
        self._words = 0  # of the user, over the robot

    def hear_words(self, utterance, text, start, end, final=True):
        self._words = len(text.split()) if utterance else 0

    def interrupt(self):
        self._queue, self._left = [], 0

    def step(self, user, oracle):
        loud = np.abs(user.astype(int)).max() > self._hears
        self._asked |= bool(loud)
        self._quiet = 0 if loud else self._quiet + 1
        events = self._give_way(oracle)
        pieces = ()
        if not self._left:
            self._choose(oracle)
            if self._queue:
                text, generation = self._queue.pop(0)
                pieces, self._left = (Piece(f'{text} ', 'trial', generation),), WORD
        sound = _TONE if self._left else _SILENCE
        self._left = max(0, self._left - 1)
        return Step(sound, pieces, events)

    def _give_way(self, oracle):
        if not self._yields or self._words < 2 or self._stopped is not None:
            return ()
        self.interrupt()
        self._stopped = oracle.key if oracle else ()
        return (Event(TurnKind.BARGE_IN),)

    def _choose(self, oracle):
        """Puts into the queue what is to be said next."""
        if self._queue or not self._asked or (self._quiet < self._waits and not self._opened):
            return
        if not self._opened:
            self._opened = True
            self._queue = [(word, -1) for word in self._lead_in.split()]
            return
        if oracle is None:
            if self._at_a_loss and self._quiet == 40:
                self._queue = [(word, -1) for word in self._at_a_loss.split()]
            return
        if oracle.key == self._stopped:
            return
        if oracle.key != self._key:
            begun, self._key, self._said = self._said > 0, oracle.key, 0
            if begun:
                self._queue = [(word, -1) for word in self._corrects.split()]
                return
        words = oracle.text.split()
        if self._said < len(words):
            self._queue = [(words[self._said], oracle.generation)]
            self._said += 1
