"""Whatever an engine answers: the transcript can be sent, its times are inside the sound."""

import math

import pytest
from fake_speech import FakeRecogniser, check, run, speech
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.mended import mended
from kame_ros.stt.recogniser import Hypothesis
from kame_ros.wire.transcript import Transcript, Word

NAN = math.nan
WORD = st.builds(
    Word,
    st.text(max_size=12),
    st.floats(),
    st.floats(),
    st.floats(),
)


@given(st.lists(WORD, max_size=40), st.floats(0.1, 30.0), st.floats(), st.integers(-9, 99))
def test_any_answer_becomes_one_that_can_be_used(words, seconds, number, settled):
    answer = Hypothesis(tuple(words), number, number, 'e\x00n', settled)
    out, _ = mended(answer, seconds)
    assert out.text.encode().decode() == out.text
    assert '\x00' not in out.text + out.language
    assert '\n' not in out.text
    starts = [w.start for w in out.words]
    assert starts == sorted(starts)
    assert all(
        0.0 <= w.start <= w.end <= seconds and 0.0 <= w.probability <= 1.0 for w in out.words
    )
    assert all(map(math.isfinite, (out.log_probability, out.no_speech)))
    assert 0 <= out.settled <= len(out.words)
    assert mended(out, seconds) == (out, False)


def test_what_is_right_stays_as_it_is():
    answer = Hypothesis(
        (Word(' Hi,', 0.1, 0.4, 0.9), Word(' Zoë.', 0.4, 0.8, 1.0)), -0.1, 0.0, 'en'
    )
    assert mended(answer, 1.0) == (answer, False)


@pytest.mark.parametrize(
    ('word', 'text'),
    [
        (Word(' a\x00b', 0.0, 0.1), ' a b'),
        (Word(' a\ud800', 0.0, 0.1), ' a '),
        (Word(' می\u200cروم', 0.0, 0.1), ' می\u200cروم'),
    ],
)
def test_text_that_no_message_holds(word, text):
    out, odd = mended(Hypothesis((word,)), 1.0)
    assert out.words[0].text == text
    assert odd == (text != word.text)


def test_a_flood_of_words_is_bounded():
    out, odd = mended(Hypothesis((Word(' a', 0.0, 1.0),) * 100_000), 1.0)
    assert odd
    assert len(out.words) < 50
    out, odd = mended(Hypothesis((Word(' ' + 'a' * 1_000_000, 0.0, 1.0),)), 1.0)
    assert (out.text, odd) == ('', True)


class Odd(FakeRecogniser):
    """Fails in its own way at each call, or answers nonsense."""

    def recognise(self, sound, final):
        self.calls.append(len(sound))
        answers = (
            None,
            Hypothesis((Word(' a\x00\ud800', NAN, NAN, NAN),) * 3),
            7,
            SystemExit,
        )
        answer = answers[len(self.calls) % 4]
        if answer is SystemExit:
            raise answer('of somebody')
        return answer


def test_no_answer_and_no_error_of_an_engine_ends_the_owner():
    frames = speech([(1.0, 40.0)], 43.0)
    outputs, transcriber = run(Odd([]), frames, TranscriberConfig(word_times=True))
    check(outputs)
    assert transcriber.counters()['failed'] > 3
    assert transcriber.counters()['odd'] > 3
    assert transcriber.take_error()
    for _, o in outputs:
        if isinstance(o, Transcript):
            assert o.text.encode()
            assert '\x00' not in o.text


def test_an_engine_that_hears_too_little_is_refused():
    from fake_vad import FakeVad

    from kame_ros.stt.transcriber import Transcriber

    for seconds in (0.0, 2.0, math.nan):
        with pytest.raises(ValueError, match='at least 4 s'):
            Transcriber(FakeRecogniser([], max_sound_s=seconds), FakeVad())
