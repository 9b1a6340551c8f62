from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.runtime import weights
from kame_ros.s2s.tts.mouth import Mark, Mouth
from kame_ros.s2s.tts.voice import HibariVoice, Speech, spread
from kame_ros.text.spoken_words import words_of
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind

ANSWER = (
    'The capital of France is Paris. It lies on the river Seine, and about 2 million people live '
    'in the city. Most visitors come in summer, when the days are long and the cafes are full.'
)


def test_spread_follows_the_letters() -> None:
    assert spread(1_000, ['abcd', 'abc', '']) == (0, 500, 900)
    assert spread(1_000, []) == ()


@given(st.integers(1, 10_000), st.lists(st.text(max_size=9), min_size=1, max_size=9))
def test_spread_is_in_order_and_inside(length: int, words: list[str]) -> None:
    starts = spread(length, words)
    assert list(starts) == sorted(starts)
    assert len(starts) == len(words)
    assert starts[0] >= 0
    assert starts[-1] < length


def test_trimming_keeps_the_voice_and_moves_the_words() -> None:
    sound = np.zeros(1_000, np.float32)
    sound[100:300] = 0.5
    speech = Speech(sound, (0, 150, 900)).trimmed()
    assert len(speech.samples) == 200
    assert speech.starts == (0, 50, 199)
    assert Speech(np.zeros(9, np.float32), (0, 3)).trimmed().starts == (0, 0)


def mark(start: int) -> Mark:
    (word,) = words_of(f'w{start}', ended=True)
    return Mark(start, word)


def full(n: int) -> np.ndarray:
    return np.full(n, 0.5, np.float32)


def test_a_mouth_plays_all_in_order_with_pauses_between() -> None:
    mouth = Mouth()
    mouth.say(full(FRAME_SAMPLES + 10), [mark(0), mark(FRAME_SAMPLES)], pause_s=9.0)
    mouth.say(full(20), [mark(0)], pause_s=0.04)
    frames = [mouth.pull() for _ in range(3)]
    assert [len(frame.marks) for frame in frames] == [1, 2, 0]
    assert [(frame.starts, frame.ends) for frame in frames] == [
        (True, False), (False, True), (False, False),
    ]  # fmt: skip
    assert np.flatnonzero(frames[1].samples).tolist() == [*range(10), *range(970, 990)]
    assert not frames[2].samples.any()


def test_a_cut_drops_from_a_word_on() -> None:
    mouth = Mouth()
    mouth.say(full(9_000), [mark(0), mark(3_000), mark(6_000)])
    mouth.pull()
    dropped = mouth.cut(lambda m: m.word.text == 'w6000')
    assert [m.word.text for m in dropped] == ['w6000']
    rest = np.concatenate([mouth.pull().samples for _ in range(6)])
    assert np.flatnonzero(rest)[-1] == pytest.approx(6_000 - FRAME_SAMPLES, abs=5)
    assert mouth.cut() == []


@given(st.lists(st.sampled_from(['say', 'pull', 'cut', 'stop']), max_size=40))
def test_every_start_of_speech_has_its_end(actions: list[str]) -> None:
    mouth, edges, said, begun, dropped = Mouth(), [], 0, 0, 0
    for action in [*actions, *['pull'] * 90]:
        if action == 'say':
            mouth.say(full(3_000), [mark(0), mark(1_500)], pause_s=0.01)
            said += 2
        elif action == 'pull':
            frame = mouth.pull()
            begun += len(frame.marks)
            edges += ['start'] * frame.starts + ['end'] * frame.ends
        else:
            dropped += len(mouth.cut() if action == 'cut' else mouth.stop())
    assert edges == ['start', 'end'] * (len(edges) // 2)
    assert said == begun + dropped
    assert mouth.remaining_s == 0


def test_an_absent_voice_is_named() -> None:
    with pytest.raises(weights.MissingWeights, match='no weights called'):
        HibariVoice('no-such-voice')
    with pytest.raises(ValueError, match='speed'):
        HibariVoice(speed=9.0)


@pytest.fixture(scope='module')
def voice() -> HibariVoice:
    try:
        return HibariVoice()
    except weights.MissingWeights as missing:
        pytest.skip(str(missing))


def hear(sound: np.ndarray) -> tuple[str, list[float]]:
    """What Whisper base hears, and when each word begins, s."""
    import soxr
    from faster_whisper import WhisperModel

    try:
        path = weights.find('whisper-base', 'stt')
    except weights.MissingWeights as missing:
        pytest.skip(str(missing))
    model = WhisperModel(str(path), device='cpu', compute_type='int8', cpu_threads=1)
    heard, _ = model.transcribe(
        soxr.resample(sound.astype(np.float32) / 32_768, 24_000, 16_000),
        language='en', beam_size=1, word_timestamps=True,
    )  # fmt: skip
    words = [word for segment in heard for word in segment.words or ()]
    return ''.join(word.word for word in words), [float(word.start) for word in words]


@pytest.mark.models
@pytest.mark.parametrize(
    'text',
    ['Yes,', '42 apples and 3.5 km', 'Dr. Smith has $3.50 at 9:30am', 'well-known', 'a b c', '1.'],
)
def test_word_times_are_in_order_and_within_the_voice(voice: HibariVoice, text: str) -> None:
    words = text.split()
    speech = voice.say(words).trimmed()
    assert speech.samples.dtype == np.float32
    assert len(speech.starts) == len(words)
    assert list(speech.starts) == sorted(set(speech.starts))
    assert speech.starts[0] >= 0
    assert speech.starts[-1] < len(speech.samples)


@pytest.mark.models
@pytest.mark.parametrize('text', ['', '😀', '...', '你好', '—'])
def test_what_cannot_be_said_is_no_sound(voice: HibariVoice, text: str) -> None:
    assert len(voice.say(text.split()).samples) == 0


@pytest.mark.models
def test_the_same_words_sound_the_same(voice: HibariVoice) -> None:
    first, second = (voice.say(['Hello', 'there.']).samples for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.models
def test_a_spoken_answer_is_heard_as_it_was_written(voice: HibariVoice) -> None:
    import jiwer

    from kame_ros.s2s.tts.config import TtsConfig
    from kame_ros.s2s.tts.front_end import TtsFrontEnd
    from kame_ros.text.compare import normalise
    from kame_ros.turns.vad import SileroVad

    front = TtsFrontEnd(voice, SileroVad(), TtsConfig(end_of_turn='words'))
    front.warm_up()
    question = voice.say(['What', 'is', 'the', 'capital', 'of', 'France?']).trimmed().samples
    answer = Oracle('llm', 1, ANSWER, ended=True, utterance=0)
    user = np.zeros(20 * 24_000, np.int16)
    user[12_000 : 12_000 + len(question)] = question * 32_767
    frames, times, pieces, events = [], [], '', {}
    for k, frame in enumerate(user.reshape(-1, FRAME_SAMPLES)):
        step = front.step(frame, answer if k > 10 else None)
        frames.append(step.speech)
        for piece in step.pieces:
            pieces += piece.text
            times.append(k * FRAME_S)
        for event in step.events:
            events.setdefault(event.kind, k * FRAME_S)
    assert pieces == ANSWER
    assert times == sorted(times)
    asked = 0.5 + len(question) / 24_000
    assert asked + 0.5 <= events[TurnKind.ROBOT_SPEECH_START] <= asked + 0.9
    assert TurnKind.ORACLE_SPOKEN in events
    heard, starts = hear(np.concatenate(frames))
    assert jiwer.wer(normalise(ANSWER), normalise(heard)) <= 0.15
    # Whisper's own word times are good to about 0.2 s; an even spread would be wrong by more.
    if len(starts) == len(times):
        assert np.median(np.abs(np.array(starts) - np.array(times))) <= 0.2


@pytest.mark.models
@given(text=st.text(st.characters(exclude_categories=[]), max_size=60))
@settings(deadline=None, max_examples=60)
def test_no_text_breaks_the_voice(voice: HibariVoice, text: str) -> None:
    words = words_of(text, ended=True)
    phonemes = voice._phonemes([word.speech for word in words])
    assert all(isinstance(sentence, str) for sentence in phonemes)


@pytest.mark.models
@pytest.mark.parametrize('word', ['9' * 40, '1' + ',000' * 13, '12' * 30 + 'th'])
def test_what_the_voice_cannot_read_is_left_out_and_counted(voice: HibariVoice, word: str) -> None:
    before = voice.failures
    speech = voice.say(['Hello', word, 'there.'])
    assert len(speech.starts) == 3
    assert len(speech.samples) > 10_000
    assert voice.failures > before
    for spoken in words_of(word, ended=True):  # but it is never given so
        before = voice.failures
        voice._phonemes([spoken.speech])
        assert voice.failures == before
