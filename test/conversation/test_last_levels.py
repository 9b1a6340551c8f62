import numpy as np
import pytest
from scripted_conversation import LOUD, SILENT

from kame_ros.conversation.last_levels import LastLevels
from kame_ros.record.voiced import voiced
from kame_ros.wire.frame import FRAME_S, Frame


def test_it_finds_what_a_whole_recording_finds():
    sounds = [SILENT] * 10 + [LOUD] * 10 + [SILENT] * 20 + [LOUD] * 5 + [SILENT] * 3
    levels = LastLevels()
    for seq, sound in enumerate(sounds):
        levels.add(Frame(seq, 50.0 + seq * FRAME_S, sound))
    expected = [(50.0 + s.start, 50.0 + s.end) for s in voiced(np.concatenate(sounds))]
    assert [(s.start, s.end) for s in levels.speech()] == [pytest.approx(e) for e in expected]


def test_late_frames_and_jumps():
    levels = LastLevels(1.0)
    levels.add(Frame(1, 10.08, LOUD))
    levels.add(Frame(0, 10.0, LOUD))
    (speech,) = levels.speech()
    assert (speech.start, speech.end) == (pytest.approx(10.0), pytest.approx(10.16))
    levels.add(Frame(2, 10.9, LOUD))
    assert len(levels.speech()) == 2
    levels.add(Frame(3, 99.0, SILENT))
    assert levels.speech() == []
    assert levels.dbfs == -90.0
    levels.add(Frame(4, 5.0, LOUD))
    assert levels.start == pytest.approx(4.08)
    assert levels.dbfs > -20.0
