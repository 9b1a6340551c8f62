"""An engine that fails for a while: what it heard stays, once, and it is not hammered."""

import math

import pytest
from fake_speech import FakeRecogniser, check, finals, speech, words_of
from fake_vad import FakeVad

from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.recogniser import RecogniserError
from kame_ros.stt.transcriber import Transcriber
from kame_ros.wire.transcript import Transcript

SCRIPT = words_of(' '.join(f'w{i}' for i in range(250)), 1.0)
STEP_S = TranscriberConfig().step_s


class Away(FakeRecogniser):
    """Fails while `now` is in the span."""

    now = 0.0
    away = (0.0, 0.0)
    asked = 0  # while it was away

    def recognise(self, sound, final):
        if self.away[0] <= self.now < self.away[1]:
            self.asked += 1
            raise RecogniserError('away')
        return super().recognise(sound, final)


def hear(away, max_sound_s, script=SCRIPT):
    """What is said of a monologue that fails in this span, and the transcriber. Takes no time."""
    recogniser = Away(script, max_sound_s=max_sound_s)
    recogniser.away = away
    transcriber = Transcriber(recogniser, FakeVad(), meter=lambda: 0.0)
    outputs = []
    for frame in speech([(1.0, script[-1].end)], script[-1].end + 2.0):
        recogniser.now = frame.end
        outputs += [(frame.end, o) for o in transcriber.feed(frame)]
        for _ in range(100):
            if not transcriber.busy:
                break
            outputs += [(frame.end, o) for o in transcriber.work()]
        assert not transcriber.busy, f'decodes on and on at {frame.end} s'
    check(outputs)
    return outputs, transcriber, recogniser


def runs(words):
    """The numbers of the words w0, w1, ... as [first, last] of what is without a gap."""
    out = []
    for word in words:
        i = int(word[1:])
        if out and i == out[-1][1] + 1:
            out[-1][1] = i
        else:
            out.append([i, i])
    return out


@pytest.mark.parametrize('max_sound_s', [4.0, 8.0, 13.0, 25.0, math.inf])
@pytest.mark.parametrize('begin', [2.0, 6.0, 21.3])
def test_an_engine_away_for_a_minute_costs_only_the_sound_that_was_dropped(max_sound_s, begin):
    """What it heard before is not heard again after it, and not lost either."""
    outputs, transcriber, recogniser = hear((begin, begin + 69.0), max_sound_s)
    (final,) = finals(outputs)
    counters = transcriber.counters()
    known = [o for t, o in outputs if isinstance(o, Transcript) and t <= begin + 69.0][-1]
    before = [w for w in known.text.split() if w.startswith('w')]  # no half a word at the edge
    assert known.committed_text.split() == before[: len(known.committed_text.split())]
    every = final.text.split()
    words = [w for w in every if w.startswith('w')]
    assert len(every) - len(words) <= 1  # the half word at the edge when it failed
    assert words[: len(before)] == before
    gaps = runs(words)
    assert gaps[0][0] == 0
    assert gaps[-1][1] == 249
    assert len(gaps) == 2, gaps  # one hole
    missing = gaps[1][0] - gaps[0][1] - 1
    assert 0 < missing <= counters['dropped_s'] / 0.4 + 1
    assert counters['failed'] == recogniser.asked
    assert recogniser.asked <= 69.0 / STEP_S + 1


@pytest.mark.parametrize('max_sound_s', [4.0, 8.0, 13.0, math.inf])
def test_an_engine_away_for_less_than_the_backlog_costs_nothing(max_sound_s):
    for begin in (6.0, 33.0):
        outputs, transcriber, _ = hear((begin, begin + 40.0), max_sound_s)
        (final,) = finals(outputs)
        assert final.text.split() == [f'w{i}' for i in range(250)]
        assert transcriber.counters()['dropped_s'] == 0.0


def test_an_engine_that_never_comes_back_leaves_what_was_known():
    outputs, transcriber, recogniser = hear((6.0, math.inf), 8.0)
    (final,) = finals(outputs)
    partials = [o for _, o in outputs if isinstance(o, Transcript) and not o.final]
    assert final.text == partials[-1].text
    assert final.text.split()[:11] == [f'w{i}' for i in range(11)]
    assert recogniser.asked <= 96.0 / STEP_S + 1
    assert transcriber.counters()['failed'] == recogniser.asked
