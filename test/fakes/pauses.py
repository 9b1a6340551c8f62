"""Pauses for tests of end-of-turn strategies, as the tracker would show them."""

from __future__ import annotations

import numpy as np

from kame_ros.turns.end_of_turn import Pause
from kame_ros.turns.recent_sound import RecentSound
from kame_ros.turns.words_heard import WordsHeard


def pause_of(silence_s, text=None, *, voice_end_s=2.0, earlier_s=(), covers=True, language=''):
    """The user spoke from 0.5 s to `voice_end_s`; `text` is known of it (None: nobody listens)."""
    words = WordsHeard()
    if text is not None:
        words.expected, words.language = True, language
        words.hear(0, text, 0.5, voice_end_s - (0.0 if covers else 0.6))
    sound = RecentSound()
    sound.push(np.zeros(64_000, np.float32))
    return Pause(0.5, voice_end_s, voice_end_s + silence_s, words, sound, earlier_s)


def silence_that_ends(strategy, text=None, step_s=0.02, **others):
    """After how much silence the strategy says that the turn is over, s, and why; most 5 s."""
    for k in range(1, 251):
        decision = strategy.decide(pause_of(k * step_s, text, **others))
        if decision.over:
            return round(k * step_s, 2), decision.why
    return None
