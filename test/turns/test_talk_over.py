"""When a model that handles overlap itself forgets its oracle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kame_ros.turns.talk_over import Overlap
from kame_ros.wire.oracle import Oracle

ANSWER = Oracle('llm', 1, 'The capital of France is Paris.', utterance=4)


@pytest.mark.parametrize(
    ('speech', 'words', 'oracle', 'dropped'),
    [
        ((1.0, 3.0), None, ANSWER, 1.7),
        ((1.0, 1.3), None, ANSWER, None),
        ((1.0, 1.4), (1.6, 'Stop.'), ANSWER, 1.6),
        ((1.0, 1.5), (1.6, 'Uh-huh.'), ANSWER, None),
        ((1.0, 3.0), None, None, None),
        ((1.0, 6.0), (2.0, 'No, the other one'), ANSWER, 1.7),
        # The answer to what he is saying, and what another node has to say, are not spoken over.
        ((1.0, 3.0), (1.6, 'What is the capital?'), replace(ANSWER, utterance=5), None),
        ((1.0, 3.0), (1.6, 'Stop.'), replace(ANSWER, source='battery', priority=20), None),
    ],
)
def test_overlap(speech, words, oracle: Oracle | None, dropped: float | None) -> None:
    overlap = Overlap()
    drops = []
    for k in range(100):
        now = k * 0.08
        if now - 0.08 < speech[0] <= now:
            overlap.on_speech(True, speech[0], 5)
        if now - 0.08 < speech[1] <= now:
            overlap.on_speech(False, speech[1])
        if words and now - 0.08 < words[0] <= now:
            overlap.words.hear(1, words[1], *speech)
        if overlap.update(now, None if drops else oracle):
            drops.append(now)
    if dropped is None:
        assert drops == []
    else:
        assert len(drops) == 1
        assert drops[0] == pytest.approx(dropped, abs=0.17)
