"""Sound that is held and goes on."""

from __future__ import annotations

import numpy as np
import pytest

from kame_ros.s2s.tts.mouth import Mark, Mouth
from kame_ros.text.spoken_words import words_of
from kame_ros.wire.frame import FRAME_SAMPLES

WORDS = words_of('a b c d e', ended=True)
WORD = 4_800  # samples: 0.2 s


def mouth(pulls: int) -> Mouth:
    mouth = Mouth()
    sound = np.repeat(np.arange(1, 6) / 10, WORD).astype(np.float32)
    mouth.say(sound, [Mark(k * WORD, word) for k, word in enumerate(WORDS)])
    for _ in range(pulls):
        mouth.pull()
    return mouth


def drain(mouth: Mouth) -> tuple[np.ndarray, list[str]]:
    sound, words = [], []
    while mouth.remaining_s > 0:
        pulled = mouth.pull()
        sound.append(pulled.samples)
        words += [mark.word.text for mark in pulled.marks]
    return np.concatenate(sound), words


@pytest.mark.parametrize(
    ('rewind', 'again'), [(0.0, 'c d e'), (0.1, 'b c d e'), (9.0, 'a b c d e')]
)
def test_it_goes_on_with_the_word_before(rewind: float, again: str) -> None:
    held = mouth(6)  # 0.48 s: in the third word
    held.hold(rewind)
    tail = held.pull()
    assert tail.ends
    assert tail.samples[0] > 9_000
    assert not tail.samples[480:].any()
    assert not held.pull().samples.any()
    assert held.remaining_s == pytest.approx(0.2 * len(again.split()))
    held.go_on()
    sound, words = drain(held)
    assert ' '.join(words) == again
    assert np.abs(np.diff(sound[:480].astype(int))).max() < 60  # it fades in


def test_stopping_while_held_counts_only_what_was_never_begun() -> None:
    held = mouth(6)
    held.hold(0.1)
    assert [mark.word.text for mark in held.stop()] == ['d', 'e']
    assert not held.held
    assert np.abs(held.pull().samples[480:].astype(int)).max() == 0
    assert held.remaining_s == 0


def test_what_is_said_while_held_is_said_after() -> None:
    held = mouth(12)
    held.hold(0.0)
    held.say(np.full(FRAME_SAMPLES, 0.5, np.float32), [Mark(0, WORDS[0])])
    held.go_on()
    assert drain(held)[1] == ['e', 'a']


def test_holding_silence_is_harmless() -> None:
    held = Mouth()
    held.hold()
    held.hold()
    assert not held.pull().samples.any()
    held.go_on()
    assert held.remaining_s == 0
