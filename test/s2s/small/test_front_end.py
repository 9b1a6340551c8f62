"""Conversations with the `small` front-end, whose model does what its window says."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from fake_vad import FakeVad
from obedient_small import BuzzingVoice, ObedientStepper
from spelled_pieces import END, SpelledPieces

from kame_ros.s2s.front_end import Event, FrontEnd, Piece
from kame_ros.s2s.mux.mux import OracleMux
from kame_ros.s2s.small.front_end import SmallFrontEnd
from kame_ros.s2s.small.heard_end import DOUBTS_S, HeardEnd
from kame_ros.s2s.small.own_words import OwnWords
from kame_ros.s2s.small.window import OracleWindow
from kame_ros.turns.end_of_turn import Decision
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.turn_tracker import LONGEST_PAUSE_S
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES
from kame_ros.wire.oracle import ChunkKind, Oracle, OracleChunk
from kame_ros.wire.turn import TurnKind

H = TurnKind
PARIS = 'The capital of France is Paris.'


@dataclass
class Talk:
    """A conversation: the node's loop without the node, the mux included."""

    vad: bool = True
    lead_in: str = ''
    fields: dict = field(default_factory=dict)
    front: SmallFrontEnd = field(init=False)

    def __post_init__(self) -> None:
        pieces = SpelledPieces()
        own = OwnWords((words, pieces(words)) for words in (['Well,'], ['Let', 'me', 'see.']))
        self.model = ObedientStepper(lead_in=[p for some in pieces([self.lead_in]) for p in some])
        vad = FakeVad() if self.vad else None
        window = OracleWindow(pieces, END, own)
        self.front = SmallFrontEnd(self.model, window, BuzzingVoice(), vad, **self.fields)
        self.mux = OracleMux()
        self.sound: list[np.ndarray] = []
        self.gains: list[float] = []
        self.asked: dict[int, str] = {}  # the words that a generation answers
        self.pieces: list[tuple[int, Piece]] = []
        self.events: list[tuple[int, Event]] = []
        self.frame = 0

    def run(self, frames: int, user: bool = False) -> 'Talk':
        for _ in range(frames):
            heard = np.full(FRAME_SAMPLES, 12_000 if user else 0, np.int16)
            oracle = self.mux.current()
            if oracle is not None:
                oracle = replace(oracle, asked=self.asked.get(oracle.generation, ''))
            step = self.front.step(heard, oracle)
            assert step.speech.dtype == np.int16
            assert step.speech.shape == (FRAME_SAMPLES,)
            self.sound.append(step.speech)
            self.gains.append(step.gain)
            self.pieces += [(self.frame, piece) for piece in step.pieces]
            self.events += [(self.frame, event) for event in step.events]
            for event in step.events:
                if event.kind == H.ORACLE_SPOKEN:
                    self.mux.spoken(event.source, event.generation)
            self.frame += 1
        return self

    def tell(self, text: str, generation: int = 1, **fields) -> 'Talk':
        fields = {'utterance': 0, 'revision': generation, **fields}
        for kind, part in ((0, ''), (1, text), (2, '')):
            self.mux.on_chunk(OracleChunk('llm', generation, ChunkKind(kind), part, **fields))
        return self

    @property
    def said(self) -> str:
        return ''.join(piece.text for _, piece in self.pieces)

    def when(self, kind: TurnKind) -> list[int]:
        return [frame for frame, event in self.events if event.kind == kind]

    def loud(self, frame: int) -> bool:
        return bool(np.abs(self.sound[frame].astype(int)).max() > 4000)


def test_it_says_what_the_oracle_says_and_tells_so():
    talk = Talk(lead_in='Well,').run(3).tell(PARIS).run(60)
    assert talk.said == f'Well, {PARIS}'
    assert [p.source for _, p in talk.pieces] == [''] + ['llm'] * 6
    kinds = [event.kind for _, event in talk.events]
    assert kinds == [
        H.ORACLE_APPLIED,
        H.ROBOT_SPEECH_START,
        H.ROBOT_SPEECH_END,
        H.ORACLE_SPOKEN,
    ]
    assert {(e.source, e.generation) for _, e in talk.events if 'ORACLE' in e.kind.name} == {
        ('llm', 1)
    }
    assert talk.mux.current() is None
    assert not any(talk.model.windows[-1])


def test_a_word_is_told_in_the_frame_in_which_it_is_heard():
    talk = Talk().run(2).tell('Yes no.').run(12)
    first = talk.pieces[0][0]
    assert talk.loud(first)
    assert not talk.loud(first - 1)
    assert talk.when(H.ROBOT_SPEECH_START) == [first]


def test_who_speaks_over_it_is_given_way_to():
    talk = Talk().tell(f'{PARIS} It is on the river Seine.').run(16)
    assert talk.loud(15)
    talk.run(12, user=True)
    assert len(talk.when(H.BARGE_IN)) == 1
    at = talk.when(H.BARGE_IN)[0]
    assert talk.gains[at] == 0.0
    assert min(talk.gains[:at]) == 0.25  # first it speaks more softly
    assert not any(talk.loud(frame) for frame in range(at + 1, talk.frame))
    assert np.abs(talk.sound[at][-100:].astype(int)).max() == 0
    assert any(talk.model.silent)
    talk.run(30)
    assert not any(talk.loud(frame) for frame in range(at + 1, talk.frame))
    assert 'Seine' not in talk.said
    assert not talk.when(H.ORACLE_SPOKEN)
    counters = talk.front.counters()
    assert (counters['barge_ins'], counters['ducks']) == (1, 1)
    assert counters['words_cleared'] > 0
    said = talk.said
    talk.tell('Sorry.', 2, utterance=1).run(20)
    assert talk.said == f'{said} Sorry.'


def test_a_remark_lets_it_go_on():
    talk = Talk().tell(PARIS).run(10)
    talk.run(3, user=True)
    talk.front.hear_words(1, 'uh-huh', -0.2, 0.0)
    talk.run(8).tell('Great.', 2, utterance=1).run(60)
    assert talk.said == PARIS
    assert talk.front.counters()['false_alarms'] == 1
    assert talk.gains[-1] == 1.0


def test_an_interrupt_silences_it_without_a_click():
    talk = Talk().tell(PARIS).run(14)
    talk.front.interrupt()
    talk.run(20)
    fading = np.abs(talk.sound[14].astype(int))
    assert fading[0] > 7000
    assert fading[400] < 1500
    assert not fading[480:].any()
    assert not any(talk.loud(frame) for frame in range(15, 34))
    assert sum(talk.model.silent) == 12
    assert not talk.when(H.BARGE_IN)
    assert talk.front.counters()['words_unheard'] <= 1


def test_the_words_that_were_not_heard_are_not_told():
    talk = Talk().tell('Yes no yes no yes no.').run(6)
    spoken = talk.front.counters()['words_spoken']
    while talk.front.counters()['words_spoken'] == spoken:
        talk.run(1)
    told = talk.said
    talk.front.interrupt()
    talk.run(5)
    assert talk.said == told
    assert talk.front.counters()['words_unheard'] == 1


@pytest.mark.parametrize('vad', [True, False])
def test_a_model_that_does_not_begin_has_to(vad):
    talk = Talk(vad=vad, fields={'patience_s': 2.0})
    talk.model.deaf = True
    talk.tell(PARIS).run(20, user=True).run(60)
    begun = talk.model.eager.index(True)
    # 2 s after the turn, which is over 0.6 s after the voice; where nobody listens, 1.2 s.
    assert begun - 20 == pytest.approx((2.6 if vad else 3.2) / FRAME_S, abs=2)
    talk.model.deaf = False
    talk.run(60)
    assert talk.said == PARIS
    assert talk.front.counters()['stalled'] == talk.model.eager.count(True)


def test_a_model_that_was_asked_has_to_open():
    talk = Talk()
    talk.model.deaf = True
    talk.run(10, user=True)
    talk.front.hear_words(0, 'What is the capital of France?', -0.8, -0.1, False)
    talk.run(20)
    assert talk.model.eager.count(True) == 1
    assert talk.model.eager.index(True) - 10 == pytest.approx(0.6 / FRAME_S, abs=1)


def test_a_model_that_has_opened_does_not_have_to():
    talk = Talk(lead_in='Well,')
    talk.run(10, user=True).tell(PARIS)
    talk.front.hear_words(0, 'What is the capital of France?', -0.8, -0.1, False)
    talk.run(60)
    assert talk.said == f'Well, {PARIS}'
    assert not any(talk.model.eager)


def test_a_model_that_halts_for_want_of_text_goes_on_with_it():
    talk = Talk()
    for kind, text in ((0, ''), (1, 'The capital of France, ')):
        talk.mux.on_chunk(OracleChunk('llm', 1, ChunkKind(kind), text))
    talk.run(40)
    assert talk.said == 'The capital of France,'
    talk.model.deaf = True
    assert not any(talk.model.eager)
    talk.mux.on_chunk(OracleChunk('llm', 1, ChunkKind.TEXT, 'is Paris. '))
    talk.run(3)
    assert talk.model.eager[-3:] == [False, False, True]
    talk.model.deaf = False
    talk.run(12)
    assert talk.said == PARIS.replace('France', 'France,')
    assert talk.front.counters()['stalled'] == 1


def test_a_model_that_is_not_asked_to_speak_is_not_told_to():
    talk = Talk(vad=False, fields={'patience_s': 1.0}).tell('Yes.').run(100)
    assert talk.said == 'Yes.'
    assert talk.front.counters()['stalled'] == 0
    assert not talk.front.judges_barge_in
    assert set(talk.gains) == {1.0}


def test_without_ears_nobody_is_given_way_to():
    talk = Talk(vad=False).tell(PARIS).run(60, user=True)
    talk.front.hear_words(0, 'stop', -1, 0)
    talk.front.excuse()
    assert talk.said == PARIS
    assert not talk.when(H.BARGE_IN)


def test_a_new_session_knows_nothing_of_the_last_one():
    talk = Talk().tell(PARIS).run(12)
    talk.front.reset()
    talk.mux = OracleMux()
    del talk.pieces[:], talk.sound[:], talk.events[:]
    talk.run(5)
    assert not any(sound.any() for sound in talk.sound)
    assert talk.pieces == []
    assert [event.kind for _, event in talk.events] == [H.ROBOT_SPEECH_END]
    talk.tell('Yes.').run(10)
    assert talk.said == 'Yes.'
    assert len(talk.when(H.ROBOT_SPEECH_END)) == 1


def test_an_answer_of_which_nothing_can_be_said_is_over_at_once():
    talk = Talk()
    talk.front._window._pronounce.unspeakable = 'q'
    talk.tell('qq').run(10)
    assert talk.when(H.ORACLE_SPOKEN)
    assert talk.mux.current() is None
    assert talk.front.counters()['words_unspeakable'] == 1


def test_it_is_a_front_end_that_tells_how_fast_it_is():
    ticks = iter(range(1000))
    front = Talk().front
    assert isinstance(front, FrontEnd)
    assert front.hears_oracle
    slow = SmallFrontEnd(
        ObedientStepper(),
        OracleWindow(SpelledPieces(), END, OwnWords([])),
        BuzzingVoice(),
        clock=lambda: next(ticks) * 0.1,
    )
    slow.warm_up()
    assert slow.counters()['steps'] == 0
    for _ in range(130):
        slow.step(np.zeros(FRAME_SAMPLES, np.int16), None)
    assert slow.counters()['step_median_ms'] == pytest.approx(100)
    assert slow.counters()['slow_steps'] == 130
    assert 'needs 1.25 s for each second' in slow.complaint()
    assert FRAME_S == 0.08
    assert slow.step(np.zeros(FRAME_SAMPLES, np.int16), Oracle('a', 1, 'b', True)).pieces == ()


def goes_on(*, rest_frames=8, lead_in='', wait_frames=7, **fields):
    """The user has asked, the robot has begun to answer, and the user goes on."""
    talk = Talk(fields={'speak': 'after_turn', **fields}, lead_in=lead_in)
    talk.run(5, user=True).tell(PARIS).run(5, user=True)
    talk.front.hear_words(0, 'What is the capital of France?', -0.8, -0.1)
    talk.run(8 + wait_frames)
    return talk.run(rest_frames, user=True)


def test_who_goes_on_is_heard_out_and_answered_once():
    talk = goes_on()
    (back,) = talk.when(H.TAKEN_BACK)
    assert back <= 25 + 3
    told = [event.before_s for _, event in talk.events if event.kind == H.TAKEN_BACK]
    ended = talk.when(H.TURN_ENDED)[0]
    assert told[0] == pytest.approx((back - ended) * FRAME_S, abs=0.09)
    begun = talk.said
    assert begun
    talk.front.hear_words(1, 'And of Italy?', -0.6, -0.1)
    talk.run(20)
    assert talk.said == begun
    assert not any(talk.loud(frame) for frame in range(back + 4, talk.frame))
    talk.tell('Rome.', 2, utterance=1).run(20)
    assert talk.said == f'{begun} Rome.'
    assert len(talk.when(H.TURN_ENDED)) == 2
    assert not talk.when(H.BARGE_IN)
    assert set(talk.gains) == {1.0}
    assert talk.front.counters()['turns_taken_back'] == 1


@pytest.mark.parametrize('words', [None, 'Uh-huh.'])
def test_what_is_no_more_of_the_turn_only_makes_it_pause(words):
    talk = goes_on(rest_frames=4)
    assert len(talk.when(H.TAKEN_BACK)) == 1
    if words is None:
        talk.run(2).front.excuse()
    else:
        talk.front.hear_words(1, words, -0.3, 0.0)
        talk.tell('You are welcome.', 2, utterance=1)
    talk.run(5)
    begun = talk.said
    talk.run(80)
    assert begun != PARIS
    assert talk.said == PARIS


def test_its_opening_ends_too_when_the_user_goes_on():
    talk = goes_on(lead_in='Well, well, well, well, well, well,', wait_frames=4)
    (back,) = talk.when(H.TAKEN_BACK)
    begun = talk.said
    talk.run(4, user=True)
    assert talk.said == begun
    assert not any(talk.loud(frame) for frame in range(back + 4, talk.frame))


def test_who_judges_for_itself_takes_nothing_back():
    assert goes_on(speak='always').when(H.TAKEN_BACK) == []


def test_it_waits_between_two_words_while_the_user_speaks_over_it():
    talk = Talk().tell(f'{PARIS} It is on the river Seine.').run(12)
    talk.front.hear_words(0, 'What is it?', -2, -1)  # somebody transcribes: words are awaited
    talk.run(14, user=True)
    held = talk.model.silent[12:]
    assert any(held)
    assert not talk.when(H.BARGE_IN)
    since = 12 + held.index(True)
    assert not any(talk.loud(frame) for frame in range(since + 5, talk.frame))
    said = talk.said
    assert said.split() == PARIS.split()[: len(said.split())]
    talk.front.hear_words(1, 'uh-huh', -0.8, 0.0)
    talk.run(80)
    assert talk.said == f'{PARIS} It is on the river Seine.'


class SureHead:
    """Is sure that the user has finished as soon as nothing is heard."""

    odds = -np.inf

    def hear(self, heard):
        self.odds = -9.0 if heard[0] > 0.2 else 9.0

    def reset(self):
        self.odds = -np.inf


def test_a_turn_is_over_as_soon_as_the_model_hears_it():
    judge = HeardEnd(SureHead(), WordsAndSilence())
    talk = Talk(fields={'end_of_turn': judge, 'speak': 'after_turn'})
    talk.run(2).run(12, user=True).tell(PARIS).run(30)
    (ended,) = talk.when(H.TURN_ENDED)
    assert ended - 14 <= 2  # 0.6 s of silence would be 8 frames
    assert talk.model.opens[ended]
    assert not any(talk.model.opens[:ended])
    assert not any(talk.model.opens[ended + 6 :])
    assert talk.said == PARIS
    assert talk.front.counters()['turns_ended.ear'] == 1


def after_turn(head=None, other=None, lead_in='Well,', **fields):
    """A conversation in which the robot waits for the end of the turn."""
    judge = HeardEnd(head or SureHead(), other or WordsAndSilence())
    return Talk(lead_in=lead_in, fields={'end_of_turn': judge, 'speak': 'after_turn', **fields})


def test_whoever_has_the_answer_when_the_turn_ends_begins_with_it():
    asked = after_turn().run(2).run(12, user=True).tell(PARIS).run(40)
    assert asked.said == PARIS
    (ended,) = asked.when(H.TURN_ENDED)
    assert asked.pieces[0][0] <= ended + 1  # the voice is a frame late


def test_a_lead_in_is_said_where_no_answer_is_there_in_time():
    late = after_turn()
    late.model.opener = True
    late.run(2).run(12, user=True).run(8).tell(PARIS).run(60)
    assert late.said == f'Well, {PARIS}'


def test_what_there_is_to_say_is_out_of_sight_until_the_turn_ends():
    talk = after_turn(lead_in='').run(2).run(4, user=True).tell(PARIS).run(8, user=True)
    hidden = len(talk.model.windows)
    assert talk.when(H.ORACLE_APPLIED)  # it is there
    assert not any(window.any() for window in talk.model.windows)
    assert not any(talk.model.marks)
    talk.run(6)
    (ended,) = talk.when(H.TURN_ENDED)
    seen = [window.any() for window in talk.model.windows]
    # The frame of the decision is heard twice, the second time with the answer in sight.
    assert seen.index(True) == ended + 1 >= hidden
    assert talk.model.marks.index(1) == ended + 1
    assert sum(talk.model.marks) == 1


def test_who_hears_on_after_an_end_that_was_none_sees_no_answer():
    talk = goes_on()
    (back,) = talk.when(H.TAKEN_BACK)
    before = len(talk.model.windows)
    talk.run(4, user=True)
    assert talk.frame > back
    assert not any(window.any() for window in talk.model.windows[before:])


class DeafHead(SureHead):
    """Hears no end, whatever it hears."""

    def hear(self, heard):
        self.odds = -9.0


class Guesses:
    """Never sure that a turn is over; from `after_s` of silence on it guesses so."""

    min_silence_s = 0.16

    def __init__(self, after_s):
        self._after_s = after_s

    def decide(self, pause):
        return Decision(pause.silence_s >= self._after_s, 'guess', goes_on=0.4)

    def reset(self):
        pass


@pytest.mark.parametrize(
    ('after_s', 'longest_s'), [(0.2, DOUBTS_S), (2.0, 2.0), (99.0, LONGEST_PAUSE_S)]
)
def test_a_head_that_hears_no_end_keeps_no_turn_open(after_s, longest_s):
    talk = after_turn(DeafHead(), Guesses(after_s)).run(2).run(12, user=True).tell(PARIS)
    talk.run(round(LONGEST_PAUSE_S / FRAME_S) + 40)
    (ended,) = talk.when(H.TURN_ENDED)
    assert (ended - 13) * FRAME_S == pytest.approx(longest_s, abs=0.2)
    assert talk.said == PARIS


class NearHead(SureHead):
    """Never quite sure of an end, but soon knows that nobody speaks to it."""

    def hear(self, heard):
        self.odds = -9.0 if self.user else 0.9


def test_a_room_in_which_people_talk_keeps_no_turn_open():
    NearHead.user = True
    talk = after_turn(NearHead()).run(2).run(12, user=True)
    NearHead.user = False  # what is heard now is others
    talk.front.hear_words(0, 'What is the capital of France?', -1.0, 0.0)
    talk.tell(PARIS).run(60, user=True)
    (ended,) = talk.when(H.TURN_ENDED)
    assert (ended - 13) * FRAME_S < 2.5
    assert talk.said == PARIS


def after_a_question(asked: str, answer: str = 'It is late.', **fields) -> tuple[Talk, int]:
    """Somebody asked, and there is an answer to the words `asked`; also the end of their turn."""
    talk = after_turn(**fields).run(2).run(12, user=True)
    talk.asked[1] = asked
    talk.tell(answer)
    talk.front.hear_words(0, 'What is the capital of France?', -0.9, 0.0)
    talk.run(9)
    (ended,) = talk.when(H.TURN_ENDED)
    return talk, ended


@pytest.mark.parametrize(
    ('asked', 'begun'),
    [
        ('', True), ('What is the capital of France', True), ('What is', False),
        ('What is the cattle of France?', False),
    ],
)  # fmt: skip
def test_an_answer_to_some_of_the_words_waits_for_one_to_all_of_them(asked, begun):
    talk, _ = after_a_question(asked)
    assert bool(talk.said) is begun
    if not begun:
        talk.asked[2] = 'What is the capital of France?'
        assert talk.tell(PARIS, 2).run(50).said == PARIS


def test_an_answer_waits_for_the_last_words_which_it_cannot_know():
    talk = after_turn().run(2).run(12, user=True)
    talk.asked[1] = 'What is the capital'
    talk.tell('It is late.')
    talk.front.hear_words(0, 'What is the capital', -0.9, -0.4)
    talk.run(6)
    assert len(talk.when(H.TURN_ENDED)) == 1
    assert talk.said == ''
    talk.front.hear_words(0, 'What is the capital?', -1.38, -0.48)  # it was all
    assert talk.run(12).said == 'It is late.'


def test_where_no_answer_to_all_of_the_words_comes_the_one_that_is_there_is_given():
    talk, ended = after_a_question('What is')
    talk.run(40)
    assert talk.said == 'It is late.'
    assert (talk.pieces[0][0] - ended) * FRAME_S == pytest.approx(1.0, abs=0.2)
    talk, ended = after_a_question('What is', newer_answer_s=0.0)
    assert talk.said.startswith('It is')


def test_an_answer_that_is_being_said_is_not_broken_off_for_a_newer_one():
    talk, _ = after_a_question('What is the capital of France?', PARIS)
    assert talk.said == 'The capital'
    talk.asked[2] = 'What is the capital of France'  # nor does the newer one know all of the words
    talk.front.hear_words(0, 'What is the capital of France, please?', -2.0, -1.2)
    talk.tell('The capital of France is Lyon.', 2)
    assert talk.run(50).said == 'The capital of France is Lyon.'
    assert talk.front.counters()['words_cleared'] == 0


def test_a_new_session_waits_for_no_answer_of_the_last_one():
    talk = Talk(
        fields={'end_of_turn': HeardEnd(SureHead(), WordsAndSilence()), 'speak': 'after_turn'}
    )
    for generation in (1, 2):
        talk.run(2 + 60 * (generation == 1)).run(12, user=True)
        talk.asked[generation] = 'What is'
        talk.tell('It is late.', generation)
        talk.front.hear_words(0, 'What is the capital of France?', -0.9, 0.0)
        talk.run(9)
        assert talk.said == ''
        if generation == 1:
            talk.mux.clear()
            talk.front.reset()
    assert talk.run(40).said == 'It is late.'


@pytest.mark.parametrize('coming', [True, False])
def test_a_lead_in_is_rather_short_at_once_and_while_the_answer_is_coming(coming):
    talk = after_turn().run(2).run(12, user=True)
    shunned = talk.front._window.long_openings
    if coming:  # no whole word of it is there yet
        for kind, text in ((0, ''), (1, 'Pa')):
            talk.mux.on_chunk(OracleChunk('llm', 1, ChunkKind(kind), text, utterance=0, revision=1))
    assert len(talk.model.shunned) == 14
    assert not any(talk.model.shunned)
    talk.run(14)
    (ended,) = talk.when(H.TURN_ENDED)
    assert len(shunned) == 1
    later = talk.model.shunned[ended + 5 :]
    assert talk.model.shunned[ended : ended + 5] == [shunned] * 5
    assert later == [shunned if coming else ()] * (23 - ended)
