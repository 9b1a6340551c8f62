"""When a model that handles overlap itself forgets its oracle."""

from __future__ import annotations

import pytest

from kame_ros.s2s.overlap import Overlap


@pytest.mark.parametrize(
    ('speech', 'words', 'oracle', 'dropped'),
    [
        ((1.0, 3.0), None, True, 1.7),
        ((1.0, 1.3), None, True, None),
        ((1.0, 1.4), (1.6, 'Stop.'), True, 1.6),
        ((1.0, 1.5), (1.6, 'Uh-huh.'), True, None),
        ((1.0, 3.0), None, False, None),
        ((1.0, 6.0), (2.0, 'No, the other one'), True, 1.7),
    ],
)
def test_overlap(speech, words, oracle: bool, dropped: float | None) -> None:
    overlap = Overlap()
    drops = []
    for k in range(100):
        now = k * 0.08
        if now - 0.08 < speech[0] <= now:
            overlap.on_speech(True, speech[0])
        if now - 0.08 < speech[1] <= now:
            overlap.on_speech(False, speech[1])
        if words and now - 0.08 < words[0] <= now:
            overlap.words.hear(1, words[1], *speech)
        if overlap.update(now, oracle and not drops):
            drops.append(now)
    if dropped is None:
        assert drops == []
    else:
        assert len(drops) == 1
        assert drops[0] == pytest.approx(dropped, abs=0.17)
