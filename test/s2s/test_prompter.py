from kame_ros.s2s.front_end import Event, FrontEnd, Piece, Step
from kame_ros.s2s.prompter import Prompter
from kame_ros.wire.frame import FRAME_S, Frame, silence
from kame_ros.wire.oracle import ChunkKind, OracleChunk, whole
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

T0 = 1_000.0


class Notes(FrontEnd):
    """A front-end that notes what it is told."""

    def __init__(self, judges=False):
        self.judges, self.notes = judges, []

    @property
    def judges_barge_in(self):
        return self.judges

    def hear_words(self, utterance, text, start, end, final=True):
        self.notes.append((utterance, text, round(start, 3), round(end, 3), final))

    def hear_language(self, language):
        self.notes.append(language)

    def excuse(self):
        self.notes.append('excuse')

    def interrupt(self):
        self.notes.append('interrupt')

    def fall_silent(self):
        self.notes.append('fall silent')

    def reset(self):
        self.notes.append('reset')

    def step(self, user, oracle):
        raise AssertionError('the prompter makes no step')


class Trial:
    """A prompter, its front-end, and what was told of both."""

    def __init__(self, judges=False, drop=True):
        self.events, self.unsaid = [], []
        self.prompter = Prompter(None, self.events.append, lambda *why: self.unsaid.append(why))
        self.mouth = Notes(judges)
        self.prompter.join(self.mouth, drop)

    def frame(self):
        number = self.prompter.frames
        return Frame(number, T0 + number * FRAME_S)

    def prompt(self, *chunks, own=()):
        frame = self.frame()
        return frame, self.prompter.prompt(frame, chunks, own)

    def text(self):
        oracle = self.prompter.mux.current()
        return oracle.text if oracle else None

    def speaks_over(self, frames):
        """The user speaks from now on; in which frame the oracle was dropped."""
        start = TurnEvent(TurnKind.USER_SPEECH_START, self.frame().t, utterance=7)
        self.prompter.on_turn(start)
        return [number for number in range(frames) if self.prompt()[1]]


def test_what_the_user_says_is_told_with_the_next_frame():
    t = Trial()
    t.prompter.hear(Transcript(3, 0, 'what', 0, False, T0 - 0.5, T0 - 0.1, 'en'))
    t.prompter.on_turn(TurnEvent(TurnKind.SILENT, T0))
    assert t.mouth.notes == []
    t.prompt()
    assert t.mouth.notes == ['en', (3, 'what', -0.5, -0.1, False), 'excuse']


def test_an_oracle_comes_with_the_words_that_it_answers():
    t = Trial()
    t.prompter.hear(Transcript(3, 0, 'how many', 0, False, T0, T0 + 0.5))
    t.prompter.hear(Transcript(3, 1, 'how many legs', 0, False, T0, T0 + 0.9))

    def asked(generation, revision, utterance=3):
        which = {'utterance': utterance, 'revision': revision}
        begin = OracleChunk('llm', generation, ChunkKind.BEGIN, **which)
        t.prompt(begin, OracleChunk('llm', generation, ChunkKind.TEXT, 'Eight.', **which))
        return t.prompter.current().asked

    assert t.prompter.current() is None
    assert [asked(1, 0), asked(2, 1), asked(3, 2), asked(4, -1, utterance=-1)] == [
        'how many', 'how many legs', '', '',
    ]  # fmt: skip
    for revision in range(2, 70):  # so many that the first ones are forgotten
        t.prompter.hear(Transcript(3, revision, 'how many legs has it', 0, False, T0, T0 + 1.0))
        t.prompt()
    assert [asked(5, 1), asked(6, 69)] == ['', 'how many legs has it']
    t.prompter.open()
    assert asked(7, 69) == ''


def test_an_oracle_is_followed_to_its_end():
    t = Trial()
    frame, _ = t.prompt(*whole('battery', 1, 'It is low.', 20))
    assert t.text() == 'It is low.'
    key = t.prompter.mux.current().key
    spoken = Step(silence(), (Piece('It is low.', *key),), (Event(TurnKind.ORACLE_SPOKEN, *key),))
    t.prompter.follow(frame, spoken)
    assert t.text() is None
    assert t.events == [TurnEvent(TurnKind.ORACLE_SPOKEN, frame.t, 'battery', 1)]


def test_the_front_ends_own_sense_of_the_users_speech_is_not_told():
    t = Trial()
    events = tuple(map(Event, (TurnKind.USER_SPEECH_START, TurnKind.USER_SPEECH_END)))
    t.prompter.follow(t.frame(), Step(silence(), (), (*events, Event(TurnKind.TURN_ENDED))))
    assert [event.kind for event in t.events] == [TurnKind.TURN_ENDED]


def test_who_is_spoken_over_and_hears_it_not_forgets_what_was_to_be_said():
    t = Trial()
    t.prompt(*whole('llm', 1, 'A long answer.'))
    assert len(t.speaks_over(60)) == 1
    assert t.text() is None
    assert [event.kind for event in t.events] == [TurnKind.BARGE_IN]


def test_who_hears_it_or_may_not_be_stopped_goes_on():
    for t in (Trial(judges=True), Trial(drop=False)):
        t.prompt(*whole('llm', 1, 'A long answer.'))
        assert t.speaks_over(60) == []
        assert t.text() == 'A long answer.'


def test_what_a_front_end_stopped_for_is_dropped():
    t = Trial(judges=True)
    frame, _ = t.prompt(*whole('llm', 1, 'A long answer.'))
    t.prompter.follow(frame, Step(silence(), (), (Event(TurnKind.BARGE_IN, 'llm', 1),)))
    assert t.text() is None


def test_orders_are_obeyed_and_told():
    for order, kind, source in (
        ('interrupt', TurnKind.BARGE_IN, 'interrupt'),
        ('reset', TurnKind.RESET, ''),
    ):
        t = Trial()
        t.prompt(*whole('llm', 1, 'A long answer.'))
        getattr(t.prompter, order)(T0)
        assert t.mouth.notes == [order]
        assert t.text() is None
        assert t.events == [TurnEvent(kind, T0, source)]


def test_who_has_left_is_told_nothing_more():
    t = Trial()
    t.prompter.hear(Transcript(3, 0, 'what', 0, False, T0, T0))
    t.prompter.leave()
    t.prompter.hear(Transcript(3, 1, 'what time', 0, False, T0, T0))
    t.prompter.on_turn(TurnEvent(TurnKind.SILENT, T0))
    t.prompt()
    t.prompter.interrupt(T0)
    assert t.mouth.notes == []


def test_what_waits_is_bounded():
    t = Trial()
    for revision in range(1_000):
        t.prompter.hear(Transcript(3, revision, f'{revision}', 0, False, T0, T0))
    t.prompt()
    assert len(t.mouth.notes) <= 64
    assert t.mouth.notes[-1][1] == '999'


def test_the_end_of_its_thread_is_no_interruption():
    t = Trial()
    t.prompt(OracleChunk('llm', 1, ChunkKind.TEXT, 'The capital'))
    t.prompter.forget()
    assert t.mouth.notes == ['fall silent']
    assert (t.text(), t.events) == (None, [])
