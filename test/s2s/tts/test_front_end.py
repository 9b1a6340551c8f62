"""Conversations with the `tts` front-end on the clock of the frames: a table and its edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from fake_vad import FakeVad
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.s2s.front_end import Event, FrontEnd, Piece
from kame_ros.s2s.mux.mux import OracleMux
from kame_ros.s2s.tts.config import TtsConfig
from kame_ros.s2s.tts.front_end import TtsFrontEnd
from kame_ros.s2s.tts.voice import Speech
from kame_ros.settings.param import BadParameter
from kame_ros.turns.end_of_turn import Decision
from kame_ros.turns.turn_tracker import TurnTracker
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES
from kame_ros.wire.oracle import ChunkKind, Oracle, OracleChunk
from kame_ros.wire.turn import TurnKind

WORD_S = 0.2


def by_words(**numbers):
    """The rule of words and silence tells when a turn is over, for good: it needs no model."""
    return TtsConfig(**{'end_of_turn': 'words', 'take_back_s': 0.0, **numbers})


BEGIN, TEXT, END, CLEAR = ChunkKind
H = TurnKind


class FakeVoice:
    """Each word is 0.2 s at half of full scale."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, words: Sequence[str]) -> Speech:
        self.said.append(' '.join(words))
        step = round(WORD_S * 24_000)
        sound = np.full(step * len(words), 0.5, np.float32)
        return Speech(sound, tuple(step * i for i in range(len(words))))


@dataclass
class Talk:
    """A conversation: the node's loop without the node, the mux included."""

    config: TtsConfig = field(default_factory=lambda: by_words(apology=''))
    front: TtsFrontEnd = field(init=False)
    voice: FakeVoice = field(init=False)

    def __post_init__(self) -> None:
        self.voice = FakeVoice()
        self.front = TtsFrontEnd(self.voice, FakeVad(), self.config)
        self.mux = OracleMux()
        self.sound: list[np.ndarray] = []
        self.gains: list[float] = []
        self.pieces: list[tuple[float, Piece]] = []
        self.events: list[tuple[float, Event]] = []
        self.now = 0.0
        self.asked: dict[int, str] = {}  # what the user had said, by revision

    def oracle(self) -> Oracle | None:
        oracle = self.mux.current()
        return oracle and replace(oracle, asked=self.asked.get(oracle.revision, ''))

    def run(self, seconds: float, user: Sequence[tuple[float, float]] = (), script=()) -> Talk:
        """`user`: (from, to) of his speech; `script`: (when, chunk or a call), in seconds."""
        todo = sorted(script, key=lambda item: item[0])
        while self.now < seconds - 1e-9:
            while todo and todo[0][0] <= self.now + 1e-9:
                item = todo.pop(0)[1]
                item(self) if callable(item) else self.mux.on_chunk(item)
            loud = any(start <= self.now + 1e-9 < end - 1e-9 for start, end in user)
            frame = np.full(FRAME_SAMPLES, 12_000 if loud else 0, np.int16)
            step = self.front.step(frame, self.oracle())
            assert step.speech.dtype == np.int16
            assert step.speech.shape == (FRAME_SAMPLES,)
            self.sound.append(step.speech)
            self.gains.append(step.gain)
            self.pieces += [(self.now, piece) for piece in step.pieces]
            self.events += [(self.now, event) for event in step.events]
            for event in step.events:
                if event.kind == H.ORACLE_SPOKEN:
                    self.mux.spoken(event.source, event.generation)
            self.now += FRAME_S
        return self

    @property
    def said(self) -> str:
        return ''.join(piece.text for _, piece in self.pieces)

    def when(self, kind: TurnKind) -> list[float]:
        return [round(t, 2) for t, event in self.events if event.kind == kind]

    def generations(self, kind: TurnKind) -> list[int]:
        return [event.generation for _, event in self.events if event.kind == kind]

    def count(self, name: str) -> int:
        return int(self.front.counters()[name])


def words(
    t: float, generation: int, text: str, *, each: float = 0.0, end: bool = True, **fields
) -> list[tuple[float, OracleChunk]]:
    """A generation that comes at `t`, a word each `each` seconds."""
    fields.setdefault('utterance', 0)
    fields.setdefault('revision', generation)
    source = fields.pop('source', 'llm')

    def chunk(kind: ChunkKind, text: str = '') -> OracleChunk:
        return OracleChunk(source, generation, kind, text, **fields)

    script = [(t, chunk(BEGIN))]
    for i, word in enumerate(text.split()):
        script.append((t + i * each, chunk(TEXT, word if i == 0 else f' {word}')))
    if end:
        script.append((t + (len(text.split()) - 1) * each, chunk(END)))
    return script


def interrupt(talk: Talk) -> None:
    talk.front.interrupt()


def fall_silent(talk: Talk) -> None:
    talk.front.fall_silent()


ASK = [(0.4, 1.44)]  # the user's question; his turn ends about 2.1 s
PARIS = 'The capital of France is Paris.'
LYON = 'The capital of France is Lyon.'


@pytest.mark.parametrize(
    ('user', 'script', 'said', 'counts'),
    [
        pytest.param(ASK, words(1.0, 1, PARIS), PARIS, {'clauses': 1}, id='an answer'),
        pytest.param([], words(1.0, 1, PARIS), PARIS, {}, id='nobody spoke'),
        pytest.param(ASK, [], '', {}, id='no oracle'),
        pytest.param(
            ASK, words(1.0, 1, PARIS, each=0.4), PARIS, {'clauses': 1}, id='a slow model'
        ),
        pytest.param(
            ASK, words(1.0, 1, 'Yes, it is. I know it well', each=0.3),
            'Yes, it is. I know it well', {'clauses': 3}, id='clause by clause',
        ),
        pytest.param(
            ASK, words(1.0, 1, 'a b c d e f g h i j k l m n'), 'a b c d e f g h i j k l m n',
            {'clauses': 2}, id='no punctuation',
        ),
        pytest.param(
            ASK, words(1.0, 1, 'I know that', end=False), 'I know', {'clauses': 1},
            id='a text that stalls is said but for the word that may grow',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, 'No idea, sir'), *words(1.6, 2, PARIS)], PARIS,
            {'corrections': 0, 'words_dropped': 0}, id='a newer answer before he begins',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), *words(3.0, 2, 'the capital of france is PARIS')], PARIS,
            {'corrections': 0, 'words_dropped': 0}, id='a newer answer, the same words',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), *words(6.0, 2, 'the capital of france is PARIS')], PARIS,
            {'words_spoken': 6}, id='the same words when all was said',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), *words(6.0, 2, PARIS + ' It is old.')],
            PARIS + ' It is old.', {'corrections': 0}, id='more when all was said',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), *words(6.0, 2, 'The capital of France')], PARIS,
            {'corrections': 0}, id='less when all was said',
        ),
        pytest.param(
            ASK,
            [*words(1.0, 1, PARIS), *words(2.7, 2, 'The capital of France is Lyon.')],
            LYON, {'corrections': 0, 'words_dropped': 1}, id='the unsaid differs',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), *words(2.7, 2, 'The capital of Spain is Madrid.')],
            'The capital of France Actually, The capital of Spain is Madrid.',
            {'corrections': 1, 'words_dropped': 2}, id='the said differs',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), *words(6.0, 2, LYON)], f'{PARIS} Actually, {LYON}',
            {'corrections': 1}, id='a correction when all was said',
        ),
        pytest.param(
            ASK,
            [*words(1.0, 1, 'I know it. ' + PARIS), *words(6.0, 2, 'I know it. ' + LYON)],
            f'I know it. {PARIS} Actually, {LYON}', {'corrections': 1},
            id='only the sentence that was wrong',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), (2.7, OracleChunk('llm', 1, CLEAR))],
            'The capital of France', {'words_dropped': 2}, id='cleared',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), (2.7, interrupt)], 'The capital of France',
            {'words_dropped': 2, 'interrupts': 1, 'barge_ins': 0}, id='interrupted',
        ),
        pytest.param(
            ASK, [*words(1.0, 1, PARIS), (2.7, fall_silent)], 'The capital of France',
            {'words_dropped': 2, 'interrupts': 0, 'barge_ins': 0}, id='ended, as nobody asked for',
        ),
        pytest.param(
            [*ASK, (2.4, 4.0)], words(1.0, 1, PARIS), 'The capital of',
            {'barge_ins': 1, 'words_dropped': 3}, id='barge-in',
        ),
        pytest.param(
            [*ASK, (2.4, 4.0)], [*words(1.0, 1, PARIS), *words(3.0, 2, PARIS, revision=1)],
            'The capital of', {'barge_ins': 1},
            id='a late answer to what was interrupted',
        ),
        pytest.param(
            [*ASK, (2.4, 4.0)],
            [*words(1.0, 1, PARIS), *words(3.9, 2, 'Well, no.', utterance=1)],
            'The capital of Well, no.', {'barge_ins': 1}, id='a new answer after it',
        ),
        pytest.param(
            [*ASK, (2.4, 4.0)],
            [*words(1.0, 1, PARIS, revision=3), *words(3.9, 2, LYON, revision=5)],
            f'The capital of {LYON}', {'barge_ins': 1, 'corrections': 0},
            id='he had only paused and goes on',
        ),
        pytest.param(
            [*ASK, (2.72, 2.88)], words(1.0, 1, PARIS), PARIS, {'barge_ins': 0}, id='a cough'
        ),
        pytest.param(
            [*ASK, (2.4, 4.0)], words(1.0, 1, PARIS, priority=1), PARIS, {'barge_ins': 0},
            id='no barge-in on a priority',
        ),
        pytest.param(
            [*ASK, (6.0, 7.0)], [*words(1.0, 1, PARIS), *words(6.5, 2, 'Rome.', utterance=1)],
            PARIS + ' Rome.', {'barge_ins': 0, 'corrections': 0}, id='two turns',
        ),
        pytest.param(
            [*ASK, (6.0, 7.0)], [*words(1.0, 1, PARIS), *words(6.5, 2, PARIS, utterance=1)],
            f'{PARIS} {PARIS}', {}, id='the same answer to another question',
        ),
        pytest.param(
            [*ASK, (6.0, 7.0)], [*words(1.0, 1, PARIS), *words(6.5, 2, 'Rome.')],
            PARIS + ' Rome.', {'corrections': 0}, id='no correction in a new turn',
        ),
        pytest.param(
            ASK,
            [*words(1.0, 1, PARIS), *words(2.7, 7, 'Battery low.', source='x', priority=5,
                                           utterance=-1)],
            'The capital of France Battery low. is Paris.', {'corrections': 0},
            id='a priority interrupts and gives the word back',
        ),
        pytest.param(
            [],
            [*words(1.0, 1, 'Hello.', utterance=-1), *words(3.0, 2, 'Hello.', utterance=-1)],
            'Hello. Hello.', {}, id='a node may say the same twice',
        ),
        pytest.param(
            [],
            [*words(1.0, 1, 'Door two is open.', utterance=-1),
             *words(1.3, 2, 'Door ten is open.', utterance=-1)],
            'Door two Actually, Door ten is open.', {'corrections': 1}, id='a node corrects itself',
        ),
        pytest.param(
            [(0.4, 3.0)], words(1.0, 1, 'Stop!', priority=5, utterance=-1), 'Stop!', {},
            id='a priority waits for silence',
        ),
        pytest.param(
            ASK, words(1.0, 1, 'Yes — it is −5 °C at x_y, 😀 see 你好.'),
            'Yes it is −5 °C at x_y, see', {}, id='as it was written',
        ),
        pytest.param(
            ASK, words(1.0, 1, '**Yes** 😀, see [the docs](https://a.b/c_d) — it *is* `x_y`.'),
            'Yes see the docs it is x_y.', {}, id='markup',
        ),
        pytest.param(ASK, words(1.0, 1, '😀 ** —'), '', {'clauses': 0}, id='nothing to say'),
    ],
)  # fmt: skip
def test_what_is_said(user, script, said: str, counts: dict[str, int]) -> None:
    talk = Talk().run(14.0, user, script)
    assert talk.said == said
    assert {name: talk.count(name) for name in counts} == counts


@pytest.mark.parametrize('name', ['filler', 'hum', 'apology', 'correction'])
def test_what_it_says_of_itself_can_be_said(name: str) -> None:
    with pytest.raises(BadParameter, match=rf"^{name} is '日本': .*not Chinese characters"):
        TtsConfig(**{name: '日本'})
    for text in ('', ' ', 'Mhm.'):
        assert getattr(TtsConfig(**{name: text}), name) == text


def test_a_turn_in_time() -> None:
    talk = Talk().run(5.0, ASK, words(1.0, 1, PARIS))
    assert [event.kind for _, event in talk.events] == [
        H.USER_SPEECH_START, H.USER_SPEECH_END, H.TURN_ENDED, H.ROBOT_SPEECH_START,
        H.ORACLE_APPLIED, H.ROBOT_SPEECH_END, H.ORACLE_SPOKEN,
    ]  # fmt: skip
    (start,), (end,) = talk.when(H.ROBOT_SPEECH_START), talk.when(H.ROBOT_SPEECH_END)
    assert 2.04 - FRAME_S <= start <= 2.04 + 2 * FRAME_S  # 1.44 + end_of_turn_s
    sound = np.concatenate(talk.sound)
    voiced = np.flatnonzero(sound)
    assert voiced[0] // FRAME_SAMPLES == round(start / FRAME_S)
    assert voiced[-1] // FRAME_SAMPLES == round(end / FRAME_S)
    assert len(voiced) == round(6 * WORD_S * 24_000)


def test_each_piece_comes_with_the_frame_in_which_its_word_begins() -> None:
    talk = Talk().run(5.0, ASK, words(1.0, 1, PARIS))
    t0 = talk.pieces[0][0]
    for i, (t, piece) in enumerate(talk.pieces):
        assert t - 1e-6 <= t0 + i * WORD_S < t + FRAME_S + 1e-6
        assert (piece.source, piece.generation) == ('llm', 1)


def test_one_frame_out_per_frame_in_and_silence_without_text() -> None:
    talk = Talk().run(8.0)
    assert len(talk.sound) == talk.count('frames') == 100
    assert not np.concatenate(talk.sound).any()


def test_the_same_words_in_a_newer_generation_are_reported_spoken_too() -> None:
    talk = Talk().run(9.0, ASK, [*words(1.0, 1, PARIS), *words(6.0, 2, PARIS)])
    assert talk.generations(H.ORACLE_SPOKEN) == [1, 2]
    assert talk.generations(H.ORACLE_APPLIED) == [1, 2]
    assert talk.mux.current() is None
    assert len(talk.when(H.ROBOT_SPEECH_START)) == 1


def test_a_long_text_that_grows_slowly_is_begun_after_the_limit_of_a_clause() -> None:
    talk = Talk().run(16.0, [], words(0.0, 1, 'a b c d e f g h i j k l m n o p', each=0.5))
    assert talk.voice.said[0] == 'a b c d e f g h'
    assert talk.said == 'a b c d e f g h i j k l m n o p'


def test_a_word_is_never_split_and_may_grow_until_a_space_or_the_end() -> None:
    parts = ['un', 'believ', 'able', ' sto', 'ry']
    script = [(1.0, OracleChunk('llm', 1, BEGIN))]
    script += [(1.0 + 2 * i, OracleChunk('llm', 1, TEXT, part)) for i, part in enumerate(parts)]
    script += [(12.0, OracleChunk('llm', 1, END))]
    talk = Talk().run(15.0, [], script)
    assert talk.said == 'unbelievable story'
    assert talk.voice.said == ['unbelievable', 'story']


def loudness(talk: Talk, start: float, end: float) -> list[int]:
    """The peak of each frame given out in an interval."""
    part = talk.sound[round(start / FRAME_S) : round(end / FRAME_S)]
    return [int(np.abs(frame.astype(int)).max()) for frame in part]


def test_it_ducks_and_is_silent_within_200_ms_of_detected_speech() -> None:
    talk = Talk().run(8.0, [*ASK, (2.4, 4.0)], words(1.0, 1, LONG))
    (detected,) = [t for t in talk.when(H.USER_SPEECH_START) if t > 2.4]
    gains = dict(zip([round(k * FRAME_S, 2) for k in range(100)], talk.gains, strict=True))
    assert gains[detected] == 0.25
    silent = next(t for t, gain in gains.items() if gain == 0.0)
    assert silent - detected <= 0.2
    # What is given out is silent as soon: a fade of 20 ms, no click.
    sound = np.concatenate(talk.sound[round(silent / FRAME_S) :])
    assert np.flatnonzero(sound)[-1] < 0.02 * 24_000
    assert np.all(np.diff(np.abs(sound[:480].astype(int))) <= 0)
    (when,) = talk.when(H.BARGE_IN)
    assert when - 2.4 <= 0.7 + 2 * FRAME_S
    assert talk.generations(H.BARGE_IN) == [1]
    assert gains[round(when + FRAME_S, 2)] == 1.0
    assert talk.when(H.ROBOT_SPEECH_END) == [silent]
    assert talk.generations(H.ORACLE_SPOKEN) == []


LONG = 'Paris is the capital of France and has been so for a very long time.'


def heard(text: str, start: float, end: float, utterance: int = 1):
    """The stt node tells at the time of the script what was said from `start` to `end`."""

    def tell(talk: Talk) -> None:
        talk.front.hear_words(utterance, text, start - talk.now, end - talk.now)

    return tell


def revised(revision: int, text: str):
    """A revision of the user's first question, of which an oracle can say that it answers it."""

    def tell(talk: Talk) -> None:
        talk.asked[revision] = text
        heard(text, 0.4, 1.44, utterance=0)(talk)

    return tell


LEGS, ELECTORS = 'How many legs does a spider have?', 'How many electors are'
EIGHT = 'A spider has eight legs.'
OLD = [(1.2, revised(1, ELECTORS)), *words(1.3, 1, 'There are many electors.')]


@pytest.mark.parametrize(
    ('script', 'said', 'start', 'counts'),
    [
        pytest.param(
            [(1.9, revised(2, LEGS)), *words(2.4, 2, EIGHT)], EIGHT, 2.4, {'corrections': 0},
            id='the newer answer comes soon',
        ),
        pytest.param(
            [(1.9, revised(2, LEGS)), *words(5.0, 2, EIGHT)],
            f'There are many electors. Actually, {EIGHT}', 3.04, {'corrections': 1},
            id='it comes too late',
        ),
        pytest.param(
            [(1.9, revised(2, LEGS))], 'There are many electors.', 3.04, {'corrections': 0},
            id='it never comes',
        ),
        pytest.param(
            [(1.9, revised(2, 'how many, uh, electors are there?'))], 'There are many electors.',
            2.04, {},
            id='the same words and more',
        ),
        pytest.param(
            [(1.6, revised(2, LEGS)), *words(1.7, 2, EIGHT)], EIGHT, 2.04, {'clauses_ready': 1},
            id='it is there already',
        ),
        pytest.param(
            [(1.9, revised(2, LEGS)), *words(1.95, 2, EIGHT), (2.5, revised(3, 'How many?')),
             *words(2.6, 3, EIGHT)], EIGHT, 2.04, {'corrections': 0},
            id='once it speaks nothing is awaited',
        ),
        pytest.param(
            [(1.9, revised(2, LEGS)), *words(1.95, 9, 'Low.', source='x', utterance=-1,
                                             priority=1)],
            'Low. There are many electors.', 1.95, {}, id='what answers nobody waits for nothing',
        ),
    ],
)  # fmt: skip
def test_an_answer_to_words_that_have_changed_waits_for_a_newer_one(
    script, said: str, start: float, counts: dict[str, int]
) -> None:
    talk = Talk().run(14.0, ASK, [*OLD, *script])
    assert talk.said == said
    assert talk.when(H.ROBOT_SPEECH_START)[0] == pytest.approx(start, abs=0.2)
    assert {name: talk.count(name) for name in counts} == counts


def test_who_has_a_filler_says_it_while_the_newer_answer_is_awaited() -> None:
    talk = Talk(by_words(filler='Well,', apology=''))
    talk.run(8.0, ASK, [*OLD, (1.9, revised(2, LEGS)), *words(2.6, 2, EIGHT)])
    assert (talk.said, talk.count('fillers')) == (f'Well, {EIGHT}', 1)


def test_who_does_not_wait_for_a_newer_answer_corrects_themselves() -> None:
    talk = Talk(by_words(newer_answer_s=0.0, apology=''))
    talk.run(8.0, ASK, [*OLD, (1.9, revised(2, LEGS)), *words(2.4, 2, EIGHT)])
    assert talk.said == f'There are Actually, {EIGHT}'


QUESTION = [(1.9, heard('What is the capital?', 0.4, 1.44, utterance=0))]


@pytest.mark.parametrize(
    ('user', 'script', 'counts'),
    [
        pytest.param((2.4, 2.56), [], {'holds': 0, 'false_alarms': 1}, id='a cough only ducks'),
        pytest.param((2.4, 2.72), [], {'holds': 1, 'false_alarms': 1}, id='a short sound'),
        pytest.param(
            (2.4, 2.88), [*QUESTION, (3.3, heard('Uh-huh.', 2.4, 2.88))],
            {'holds': 1, 'false_alarms': 1}, id='uh-huh',
        ),
        pytest.param(
            (2.4, 2.88), [*QUESTION, (3.0, heard('Okay', 2.4, 2.8)),
                          *words(3.1, 2, 'Fine.', utterance=1)],
            {'holds': 1, 'false_alarms': 1}, id='an answer to okay is not given',
        ),
        pytest.param(
            (2.4, 2.88), QUESTION, {'holds': 1, 'false_alarms': 1}, id='words that never come',
        ),
        pytest.param(
            (2.4, 2.88), [*QUESTION, (3.0, lambda talk: talk.front.excuse())],
            {'holds': 1, 'false_alarms': 1}, id='noise, says the stt node',
        ),
    ],
)  # fmt: skip
def test_what_is_no_interruption_does_not_stop_it(user, script, counts) -> None:
    talk = Talk().run(14.0, [*ASK, user], [*words(1.0, 1, LONG), *script])
    assert talk.when(H.BARGE_IN) == []
    assert {name: talk.count(name) for name in counts} == counts
    said = talk.said.split()
    assert list(dict.fromkeys(said)) == list(dict.fromkeys(LONG.split()))  # all of it
    assert len(said) - len(LONG.split()) <= 3  # and not much of it twice
    assert talk.generations(H.ORACLE_SPOKEN)[0] == 1
    assert talk.gains[-1] == 1.0


@pytest.mark.parametrize(
    ('text', 'answered'),
    [
        ('Do you want some of the tea?', True),
        ('"Do you want some of the tea?"', True),
        ('I would like some of the tea.', False),  # "yes" only asks it to go on
        ('Is it so? I want some tea.', False),
    ],
)
def test_a_yes_over_the_end_of_its_question_is_an_answer(text: str, answered: bool) -> None:
    yes = (3.12, 3.52)  # over the last word, which begins about 3.2 s
    script = [*words(1.0, 1, text), *QUESTION, (4.2, heard('Yes.', *yes))]
    answer = words(4.4, 2, 'I bring it.', utterance=1)
    talk = Talk().run(12.0, [*ASK, yes], [*script, *answer])
    assert (talk.count('barge_ins'), talk.count('false_alarms')) == (0, 1)
    assert talk.said.endswith('I bring it.') is answered


@pytest.mark.parametrize(
    ('user', 'text', 'latest'),
    [((2.4, 4.4), '', 4.0), ((2.4, 2.8), 'Stop.', 3.1), ((2.4, 3.0), 'No, wait', 3.1)],
)
def test_what_is_an_interruption(user, text: str, latest: float) -> None:
    script = [*words(1.0, 1, LONG), *QUESTION]
    if text:
        script.append((3.0, heard(text, *user)))
    talk = Talk().run(8.0, [*ASK, user], script)
    (when,) = talk.when(H.BARGE_IN)
    assert when <= latest
    assert not any(loudness(talk, 2.9, 8.0))


def test_it_goes_on_with_the_word_that_was_cut() -> None:
    talk = Talk().run(10.0, [*ASK, (2.4, 2.72)], words(1.0, 1, LONG))
    (stopped, _), (_, again) = talk.when(H.ROBOT_SPEECH_END), talk.when(H.ROBOT_SPEECH_START)
    before = [p.text.strip() for t, p in talk.pieces if t <= stopped]
    after = [p.text.strip() for t, p in talk.pieces if t >= again]
    assert LONG.split()[: len(before)] == before
    assert LONG.split()[-len(after) :] == after
    assert 1 <= len(before) + len(after) - len(LONG.split()) <= 2
    assert np.abs(np.diff(np.concatenate(talk.sound).astype(int))).max() > 0


@pytest.mark.parametrize(
    ('text', 'silence'),
    [
        ('I would like to', 1.8),
        ('If a train leaves at noon', 1.8),
        ('What is the capital of France?', 0.6),
        ('', 1.2),
    ],
)
def test_the_words_tell_whether_the_turn_is_over(text: str, silence: float) -> None:
    talk = Talk()
    talk.front.hear_words(7, 'Hello.', -2.0, -1.0)  # somebody transcribes
    script = words(1.0, 1, PARIS, utterance=8)
    if text:
        script.append((1.7, heard(text, 0.4, 1.44, utterance=8)))
    talk.run(6.0, ASK, script)
    (start, *_) = talk.when(H.ROBOT_SPEECH_START)
    assert start - 1.44 == pytest.approx(silence, abs=0.16)


def test_no_click_where_the_unsaid_is_cut() -> None:
    talk = Talk().run(6.0, ASK, [*words(1.0, 1, PARIS), (2.7, OracleChunk('llm', 1, CLEAR))])
    sound = np.concatenate(talk.sound).astype(int)
    assert np.abs(np.diff(sound[np.flatnonzero(sound)[0] + 1 :])).max() < 100


@pytest.mark.parametrize(
    ('config', 'user', 'script', 'said', 'counts'),
    [
        pytest.param(
            {}, ASK, [], 'I cannot think right now.', {'apologies': 1}, id='no oracle: an apology'
        ),
        pytest.param(
            {}, ASK, words(12.0, 1, PARIS), f'I cannot think right now. {PARIS}',
            {'apologies': 1}, id='late, but it came',
        ),
        pytest.param({}, ASK, words(9.0, 1, PARIS), PARIS, {'apologies': 0}, id='within patience'),
        pytest.param({}, [(0.4, 0.56)], [], '', {'apologies': 0}, id='a cough is owed nothing'),
        pytest.param({}, [], [], '', {'apologies': 0}, id='silence is owed nothing'),
        pytest.param(
            {}, [*ASK, (4.0, 4.16)], [], 'I cannot think right now.', {'apologies': 1},
            id='a cough does not make up for an answer',
        ),
        pytest.param({'apology': ''}, ASK, [], '', {'apologies': 0}, id='apology off'),
        pytest.param(
            {'patience_s': 1.0}, [*ASK, (4.0, 5.04)], [],
            'I cannot think right now. I cannot think right now.', {'apologies': 2},
            id='one for each turn',
        ),
        pytest.param(
            {'filler': 'Hmm,'}, ASK, words(4.0, 1, PARIS), f'Hmm, {PARIS}', {'fillers': 1},
            id='a filler',
        ),
        pytest.param(
            {'filler': 'Hmm,'}, ASK, words(1.0, 1, PARIS), PARIS, {'fillers': 0},
            id='no filler when the answer is there',
        ),
        pytest.param(
            {'correction': ''}, ASK, [*words(1.0, 1, PARIS), *words(6.0, 2, LYON)],
            f'{PARIS} {LYON}', {'corrections': 1}, id='a correction without words',
        ),
        pytest.param(
            {'barge_in': False, 'apology': ''}, [*ASK, (2.4, 4.0)], words(1.0, 1, PARIS), PARIS,
            {'barge_ins': 0}, id='barge-in off',
        ),
        pytest.param(
            {'wait_for_turn_end': False, 'apology': ''}, [(0.4, 6.0)], words(1.0, 1, PARIS), PARIS,
            {'barge_ins': 0}, id='speaks while the user speaks',
        ),
        pytest.param(
            {'end_of_turn_s': 1.5}, [(0.4, 1.2), (2.2, 3.0)], words(1.0, 1, PARIS), PARIS,
            {'barge_ins': 0}, id='a pause is no end',
        ),
        pytest.param(
            {'clause_words': 2}, ASK, words(1.0, 1, 'a b c d e f g h'), 'a b c d e f g h',
            {'clauses': 3}, id='short clauses',
        ),
    ],
)  # fmt: skip
def test_the_parameters(config, user, script, said: str, counts: dict[str, int]) -> None:
    talk = Talk(by_words(**config)).run(18.0, user, script)
    assert talk.said == said
    assert {name: talk.count(name) for name in counts} == counts


@pytest.mark.parametrize('when', [1.8, 3.0])
def test_no_apology_for_what_needed_no_answer(when: float) -> None:
    def excuse(talk: Talk) -> None:
        talk.front.excuse()

    assert Talk(by_words()).run(14.0, ASK, [(when, excuse)]).said == ''
    again = Talk(by_words()).run(18.0, [*ASK, (4.0, 5.0)], [(when, excuse)])
    assert again.count('apologies') == 1


def test_own_words_belong_to_no_oracle() -> None:
    talk = Talk(by_words()).run(14.0, ASK)
    assert {(piece.source, piece.generation) for _, piece in talk.pieces} == {('', -1)}
    assert talk.when(H.ORACLE_APPLIED) == []


def test_end_of_turn_is_a_parameter() -> None:
    starts = []
    for end_of_turn_s in (0.3, 0.6, 1.2):
        config = by_words(end_of_turn_s=end_of_turn_s)
        talk = Talk(config).run(6.0, ASK, words(1.0, 1, PARIS))
        starts += talk.when(H.ROBOT_SPEECH_START)
    assert [start - 1.44 for start in starts] == pytest.approx([0.3, 0.6, 1.2], abs=0.16)


def test_reset_starts_a_new_session() -> None:
    talk = Talk().run(2.6, ASK, words(1.0, 1, PARIS))
    talk.front.reset()
    talk.mux.clear()
    first = len(talk.pieces)
    talk.run(6.0, [], words(3.0, 1, LYON))
    assert ''.join(piece.text for _, piece in talk.pieces[first:]) == LYON


def test_a_reset_ends_its_speech_once_for_everybody_who_listens() -> None:
    talk = Talk().run(2.6, ASK, words(1.0, 1, PARIS))
    assert len(talk.when(H.ROBOT_SPEECH_START)) == 1
    assert not talk.when(H.ROBOT_SPEECH_END)
    talk.front.reset()
    talk.front.reset()
    talk.mux.clear()
    talk.run(4.0)
    assert talk.when(H.ROBOT_SPEECH_END) == [2.64]
    talk.front.reset()  # nothing is being said
    talk.run(5.0)
    assert len(talk.when(H.ROBOT_SPEECH_END)) == 1


def test_after_an_interrupt_the_dialogue_goes_on() -> None:
    script = [*words(1.0, 1, PARIS), (2.7, interrupt), *words(4.0, 2, 'Rome.', utterance=1)]
    talk = Talk().run(6.0, ASK, script)
    assert talk.said == 'The capital of France Rome.'


def test_many_sources_are_forgotten_in_time() -> None:
    script = [
        item for i in range(80) for item in words(i * 0.4, 0, 'a.', source=f's{i}', utterance=-1)
    ]
    talk = Talk().run(50.0, [], script)
    assert talk.said.count('a.') == 80
    assert len(talk.front._scripts) <= 32


@pytest.mark.parametrize(
    'bad',
    [
        {'end_of_turn_s': 0.0}, {'patience_s': float('nan')}, {'barge_in_s': -1.0},
        {'clause_words': 0}, {'lookahead_s': 0.01}, {'stall_s': 1e9},
    ],
)  # fmt: skip
def test_bad_parameters_are_named(bad: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        by_words(**bad)


VOCABULARY = st.sampled_from(['Paris', 'is', 'big.', 'well,', '😀', '42', 'so'])
MOMENT = st.floats(0.0, 6.0)
ANSWERS = st.lists(
    st.tuples(MOMENT, st.lists(VOCABULARY, min_size=1, max_size=6), st.integers(0, 2)), max_size=5
)
SPEECH = st.lists(st.tuples(MOMENT, st.floats(0.1, 1.5)), max_size=3)


@settings(max_examples=60, deadline=None)
@given(ANSWERS, SPEECH)
def test_the_rhythm_and_the_books_are_kept(answers, speech) -> None:
    script = []
    for generation, (t, text, utterance) in enumerate(sorted(answers, key=lambda a: a[0])):
        script += words(t, generation, ' '.join(text), each=0.1, utterance=utterance)
    user = [(start, start + length) for start, length in speech]
    talk = Talk(by_words()).run(24.0, user, script)
    front: FrontEnd = talk.front
    assert front.counters()['frames'] == len(talk.sound) == 300
    assert talk.count('words_spoken') == len(talk.pieces)
    starts, ends = talk.when(H.ROBOT_SPEECH_START), talk.when(H.ROBOT_SPEECH_END)
    assert len(starts) == len(ends)
    assert all(a <= b for a, b in zip(starts, ends, strict=True))
    spoken = talk.generations(H.ORACLE_SPOKEN)
    assert len(spoken) == len(set(spoken))
    applied = talk.generations(H.ORACLE_APPLIED)
    assert set(spoken) <= set(applied)
    assert len(applied) == len(set(applied))
    for i, frame in enumerate(talk.sound):
        inside = any(a - 1e-6 <= i * FRAME_S <= b + 1e-2 for a, b in zip(starts, ends, strict=True))
        assert inside or not frame.any()


def test_an_oracle_may_come_without_a_mux() -> None:
    front: FrontEnd = TtsFrontEnd(FakeVoice(), FakeVad(), by_words())
    front.warm_up()
    quiet = np.zeros(FRAME_SAMPLES, np.int16)
    oracle = Oracle('llm', 1, 'Hello there.', ended=True)
    steps = [front.step(quiet, oracle) for _ in range(30)]
    assert ''.join(p.text for step in steps for p in step.pieces) == 'Hello there.'


@pytest.mark.parametrize('text', ['-'.join(['word'] * 80), '9' * 400, 'A' * 900, 'x^2+' * 90])
def test_an_endless_word_is_said_in_short_clauses(text: str) -> None:
    talk = Talk().run(9.0, [], words(1.0, 1, text, utterance=-1))
    assert talk.voice.said
    assert max(map(len, talk.voice.said)) <= 130
    assert talk.said.replace(' ', '') == text[: len(talk.said.replace(' ', ''))]


def test_a_voice_that_fails_ends_nothing() -> None:
    class Failing(FakeVoice):
        def say(self, words: Sequence[str]) -> Speech:
            if 'bad,' in words:
                raise IndexError('list index out of range')
            return super().say(words)

    talk = Talk()
    talk.front._voice = Failing()
    talk.run(9.0, [], words(1.0, 1, 'One, bad, two.', utterance=-1))
    assert talk.said == 'One, two.'
    assert talk.front.counters()['voice_errors'] == 1


def taken_back(*speech, script=()) -> Talk:
    """The user has asked something, the robot has begun to answer; a turn can be taken back."""
    talk = Talk(by_words(take_back_s=1.0, apology=''))
    return talk.run(14.0, [*ASK, *speech], [*words(1.0, 1, LONG), *script])


def test_who_goes_on_is_heard_out_and_answered_once() -> None:
    more = (3.6, heard('of Italy and Spain?', 2.4, 3.4))
    talk = taken_back((2.4, 3.4), script=[*QUESTION, more, *words(3.7, 2, PARIS, utterance=1)])
    (back,) = talk.when(H.TAKEN_BACK)
    assert back <= 2.4 + 3 * FRAME_S
    stopped = talk.when(H.ROBOT_SPEECH_END)[0]
    assert stopped - back <= WORD_S + FRAME_S
    ended = talk.when(H.TURN_ENDED)
    assert len(ended) == 2
    assert not any(loudness(talk, stopped + FRAME_S, ended[1]))
    begun = [piece.text for t, piece in talk.pieces if t <= stopped]
    assert talk.said == ''.join(begun) + ' ' + PARIS
    assert talk.when(H.BARGE_IN) == []
    assert (talk.count('turns_taken_back'), talk.count('holds')) == (1, 0)
    assert talk.count('words_dropped') == len(LONG.split()) - len(begun)


@pytest.mark.parametrize(
    'script',
    [
        pytest.param([], id='a noise'),
        pytest.param([*QUESTION, (3.0, heard('Uh-huh.', 2.4, 2.7)),
                      *words(3.1, 2, 'Fine.', utterance=1)], id='a remark'),
    ],
)  # fmt: skip
def test_what_is_no_more_of_the_turn_only_makes_it_pause(script) -> None:
    talk = taken_back((2.4, 2.72), script=script)
    assert talk.count('turns_taken_back') == 1
    assert talk.said == LONG
    assert talk.generations(H.ORACLE_SPOKEN) == [1]
    assert talk.count('words_dropped') == 0


@pytest.mark.parametrize(
    ('late', 'said'),
    [
        pytest.param([(3.1, heard('of Italy?', 2.0, 2.8))], PARIS, id='its words come'),
        pytest.param([], PARIS, id='its answer comes before them'),
        pytest.param([(3.1, lambda talk: talk.front.excuse())], f'{LONG} {PARIS}', id='noise'),
        pytest.param([(3.1, heard('Uh-huh.', 2.0, 2.8))], f'{LONG} {PARIS}', id='a remark'),
    ],
)  # fmt: skip
def test_what_answers_the_turn_only_up_to_a_pause_waits(late, said) -> None:
    talk = Talk(by_words(apology=''))
    talk.front._user = TurnTracker(FakeVad(), Patient())
    answered = 3.6 if said == PARIS else 8.0
    script = [*words(1.0, 1, LONG), *QUESTION, *late, *words(answered, 2, PARIS, utterance=1)]
    talk.run(14.0, [*ASK, (2.0, 2.8)], script)
    (ended,) = talk.when(H.TURN_ENDED)
    assert ended < 3.1
    assert talk.said == said


def test_while_it_waits_there_is_nothing_to_say() -> None:
    talk = Talk(by_words(apology='', filler='Well,'))
    talk.front._user = TurnTracker(FakeVad(), Patient())
    more = (2.5, heard('of Italy?', 2.0, 2.8))
    script = [*words(1.0, 1, LONG), *QUESTION, more, *words(3.6, 2, PARIS, utterance=1)]
    talk.run(14.0, [*ASK, (2.0, 2.8)], script)
    assert talk.said == f'Well, {PARIS}'


def test_what_answers_the_turn_only_up_to_a_pause_does_not_wait_for_ever() -> None:
    talk = Talk(by_words(apology=''))
    talk.front._user = TurnTracker(FakeVad(), Patient())
    talk.run(14.0, [*ASK, (2.0, 2.8)], [*words(1.0, 1, LONG), *QUESTION])
    assert talk.said == LONG
    assert talk.when(H.ROBOT_SPEECH_START)[0] == pytest.approx(2.8 + 1.2, abs=0.2)


def test_long_after_its_end_a_turn_is_not_taken_back() -> None:
    talk = taken_back((3.4, 4.4))
    assert talk.when(H.TAKEN_BACK) == []
    assert len(talk.when(H.BARGE_IN)) == 1


@pytest.mark.parametrize('priority', [5, 0])
def test_what_is_no_answer_is_said_whole_though_the_user_went_on(priority: int) -> None:
    text = f'{LONG} So be it, and so it was, and so it will be again in the end of all days.'
    said = [
        OracleChunk('battery', 1, kind, text, priority)
        for kind, text in ((BEGIN, ''), (TEXT, text), (END, ''))
    ]
    script = [*((1.0, chunk) for chunk in said), *QUESTION, (3.2, heard('of Italy?', 2.4, 3.0))]
    talk = Talk(by_words(take_back_s=1.0, apology='')).run(16.0, [*ASK, (2.4, 3.0)], script)
    assert talk.said == text
    assert talk.generations(H.ORACLE_SPOKEN) == [1]
    assert (talk.count('turns_taken_back'), talk.count('words_dropped')) == (1, 0)
    paused = talk.when(H.ROBOT_SPEECH_END)[0] < 3.6
    assert paused == (priority == 0)


class FlatMelody:
    """A strategy for tests: they go on, until they have been silent for 1.2 s."""

    min_silence_s = 0.1

    def decide(self, pause):
        return Decision(pause.silence_s >= 1.2, 'silence', 0.8)

    def reset(self):
        pass


class Quick(FlatMelody):
    """A strategy for tests: over after 0.16 s."""

    def decide(self, pause):
        return Decision(pause.silence_s >= 0.16, 'quick')


class Patient(FlatMelody):
    """A strategy for tests: over after 0.16 s, but not before 2.5 s."""

    def decide(self, pause):
        return Decision(pause.now_s > 2.5 and pause.silence_s >= 0.16, 'late')


@pytest.mark.parametrize(
    ('late', 'said'),
    [
        pytest.param([(3.7, heard('of Italy?', 2.4, 3.0)), *words(3.8, 2, PARIS, utterance=1)],
                     PARIS, id='words'),
        pytest.param([(3.7, lambda talk: talk.front.excuse())], LONG, id='noise'),
        pytest.param([], LONG, id='nothing'),
    ],
)  # fmt: skip
def test_half_an_answer_waits_for_the_words_of_the_rest(late, said) -> None:
    talk = Talk(by_words(take_back_s=1.0, apology=''))
    talk.front._user = TurnTracker(FakeVad(), Quick(), 1.0)
    talk.run(14.0, [*ASK, (2.0, 3.0)], [*words(1.0, 1, LONG), *QUESTION, *late])
    assert talk.count('turns_taken_back') == 1
    ended = talk.when(H.TURN_ENDED)[-1]
    assert ended < 3.3
    assert not any(loudness(talk, ended, 3.6))
    begun = [piece.text for t, piece in talk.pieces if t <= ended]
    assert talk.said == (said if said == LONG else f'{"".join(begun)} {said}')


def test_the_first_clause_is_ready_before_the_turn_is_over() -> None:
    talk = Talk().run(1.9, ASK, words(1.0, 1, LONG))
    assert talk.when(H.TURN_ENDED) == []
    made = len(talk.voice.said)
    assert made == 1
    talk.run(2.4, ASK)
    assert talk.when(H.TURN_ENDED) == talk.when(H.ROBOT_SPEECH_START)
    assert (talk.count('clauses'), talk.count('clauses_ready')) == (1, 1)
    assert len(talk.voice.said) == made


def test_what_was_ready_is_not_said_if_the_user_goes_on() -> None:
    longer = [(ASK[0][0], 1.2), (1.7, 2.4)]
    script = [*words(0.6, 1, LONG), *words(2.0, 2, PARIS)]
    talk = Talk().run(8.0, longer, script)
    assert talk.said == PARIS
    assert (talk.count('clauses'), talk.count('words_dropped')) == (1, 0)


TALE = [(0.4, 5.0), (5.8, 8.0)]  # a long turn with a pause


def told(hum: str, text: str = 'I went to the shop, and it was closed,', script=()) -> Talk:
    talk = Talk(by_words(hum=hum, hum_every_s=3.0))
    talk.front._user = TurnTracker(FakeVad(), FlatMelody())
    listen = [(0.5, heard('I', 0.4, 0.5, utterance=0)), (5.2, heard(text, 0.4, 5.0, utterance=0))]
    return talk.run(14.0, TALE, [*listen, *script])


def test_it_hums_in_a_long_turn_and_that_is_no_word() -> None:
    talk = told('Mhm.')
    assert (talk.count('hums'), talk.voice.said) == (1, ['Mhm.'])
    assert any(loudness(talk, 5.2, 5.8))
    assert max(loudness(talk, 0.0, 14.0)) < 0.3 * 32_767
    assert talk.said == ''
    assert talk.when(H.ROBOT_SPEECH_START) == talk.when(H.ROBOT_SPEECH_END) == []
    assert (talk.count('holds'), talk.count('barge_ins'), talk.gains[-1]) == (0, 0, 1.0)
    assert len(talk.when(H.TURN_ENDED)) == 1


@pytest.mark.parametrize(('hum', 'text'), [('', 'It was closed.'), ('Mhm.', 'It was closed and')])
def test_it_does_not_hum_unless_asked_to_nor_in_mid_sentence(hum: str, text: str) -> None:
    assert not any(loudness(told(hum, text), 0.0, 14.0))


def test_an_answer_after_a_hum_is_one() -> None:
    talk = told('Mhm.', script=words(9.0, 1, PARIS))
    assert talk.said == PARIS
    assert len(talk.when(H.ROBOT_SPEECH_START)) == len(talk.when(H.ROBOT_SPEECH_END)) == 1
