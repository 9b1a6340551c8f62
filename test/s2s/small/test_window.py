"""What kame-small sees of growing and changing oracles, and the words that it is said to say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spelled_pieces import END, SpelledPieces

from kame_ros.s2s.small.own_words import OwnWords
from kame_ros.s2s.small.window import OracleWindow
from kame_ros.wire.oracle import Oracle


class Seen:
    """A window, the oracles that it was told, and a model that says what it shows."""

    def __init__(self, *phrases):
        self.pieces = SpelledPieces()
        own = OwnWords((words, self.pieces(words)) for words in map(str.split, phrases))
        self.window = OracleWindow(self.pieces, END, own)
        self.text = ''
        self.marks = 0
        self.told = []

    def update(self, text, generation=1, *, ended=False, frames=1, **fields):
        """Tells an oracle for some frames; gives what the window then shows."""
        fields.setdefault('utterance', 0)
        fields.setdefault('source', 'llm')
        for _ in range(frames):
            self.window.update(Oracle(generation=generation, text=text, ended=ended, **fields))
            row, mark = self.window.row()
            self.marks += mark
        return self.pieces.read(row)

    def say(self, count=1):
        """The model says the next pieces of the window."""
        for _ in range(count):
            row, mark = self.window.row()
            self.marks += mark
            if row[0] != END:
                self.hear(int(row[0]))

    def say_all(self):
        while self.window.due:
            self.say()

    def hear(self, *pieces):
        """The model says these."""
        for piece in pieces:
            for word in self.window.said(piece):
                self.text += word.text
                self.told.append(word)

    def spell(self, text):
        return [piece for some in self.pieces(text.split()) for piece in some]

    def count(self, name):
        return self.window.counters()[name]


def test_a_text_goes_through_piece_by_piece():
    seen = Seen()
    assert seen.update('The cat sat.', ended=True) == ' th·e· ca·t· sa·t.'
    seen.say()
    assert seen.text == 'The'
    assert seen.update('The cat sat.', ended=True) == 'e· ca·t· sa·t.·END'
    seen.say_all()
    assert seen.update('The cat sat.', ended=True) == 'END'
    assert seen.text == 'The cat sat.'
    assert seen.marks == 1
    assert seen.window.exhausted
    assert {(p.source, p.generation, p.life) for p in seen.told} == {('llm', 1, 0)}
    assert seen.count('words_spoken') == 3


def test_the_last_word_waits_for_what_follows_it():
    seen = Seen()
    assert seen.update('The ca') == ''  # "the" is said by what follows
    assert seen.update('The cat ') == ' th·e'
    assert seen.update('The cat sat, ') == ' th·e· ca·t· sa·t,'
    assert not seen.window.exhausted
    assert seen.update('The cat sat, and') == ' th·e· ca·t· sa·t,'
    assert seen.update('The cat sat, and ', frames=9) == ' th·e· ca·t· sa·t,'
    seen.say(6)
    assert seen.update('The cat sat, and ') == ' an·d'  # it does not grow any more
    assert seen.text == 'The cat sat,'


def test_figures_are_said_as_words_and_written_as_they_were():
    seen = Seen()
    seen.update('It is −5 °C now.', ended=True, frames=3)
    assert ['It', 'is', 'minus 5', 'degrees Celsius', 'now.'] in seen.pieces.asked or any(
        'minus' in word for asked in seen.pieces.asked for word in asked
    )
    while seen.window.due:
        seen.say()
        seen.update('It is −5 °C now.', ended=True)
    assert seen.text == 'It is −5 °C now.'


def test_only_some_words_are_pronounced_in_a_step_and_no_sentence_is_torn():
    seen = Seen()
    text = 'One two. ' + ' '.join(['word'] * 40)
    seen.update(text, ended=True)
    assert seen.pieces.asked[-1] == ['One', 'two.']
    seen.update(text, ended=True)
    assert len(seen.pieces.asked[-1]) == 8 + 2  # and the two that follow
    seen.update(text, ended=True, frames=20)
    assert len(seen.pieces.asked) < 6  # enough is known ahead


def test_what_goes_on_where_the_old_one_is_is_no_other_text():
    seen = Seen()
    seen.update('The capital of France is Lyon.', 1, ended=True)
    seen.say(5)  # 'the capi'
    shown = seen.update('the capital is Paris.', 2, ended=True)
    assert shown == 'l· is· pa·ri·s.·END'
    assert seen.marks == 1
    assert seen.window.current == ('llm', 2, 0)
    seen.say_all()
    assert seen.text == 'The capital is Paris.'
    assert [p.generation for p in seen.told] == [1, 1, 2, 2]
    assert seen.count('words_superseded') == 4


def test_while_a_text_only_repeats_what_was_said_the_old_one_goes_on():
    seen = Seen()
    seen.update('The capital of France is a big city.', 1, ended=True)
    seen.say(8)
    assert seen.text == 'The capital of France'
    assert seen.update('The capital ', 2) == 'an·ce· is· a· bi·g'
    assert seen.window.current == ('llm', 1, 0)
    seen.say(3)
    told = 'The capital of France is Paris.'
    assert seen.update(told, 2, ended=True) == ' pa·ri·s.·END'
    assert seen.marks == 1
    assert [p.generation for p in seen.told] == [1] * 5
    seen.say_all()
    assert seen.text == told


def test_an_old_text_that_is_over_is_not_all_of_the_new_one():
    seen = Seen()
    seen.update('The cat', 1, ended=True)
    seen.say_all()
    assert seen.update('The ', 2) == 'END'
    assert not seen.window.exhausted
    assert seen.update('The cat sat.', 2, ended=True) == ' sa·t.·END'


def test_a_text_that_was_said_already_has_nothing_left():
    seen = Seen()
    seen.update('It is five o clock now', 1, ended=True)
    seen.say(6)
    assert seen.text == 'It is five o clock'
    assert seen.update('It is five', 2, ended=True) == 'oc·k· no·w·END'
    seen.say(2)
    assert seen.update('It is five', 2, ended=True) == 'END'
    assert seen.window.exhausted
    assert seen.marks == 1


def test_a_contradiction_waits_for_the_end_of_a_word_and_begins_there():
    seen = Seen('or rather,')
    seen.update('The capital of France is Lyon.', 1, ended=True)
    seen.say(2)
    seen.update('The capital of France is Lyon.', 1, ended=True)
    seen.say(10)
    assert seen.text == 'The capital of France is Lyon.'
    told = 'The capital of France is Paris.'
    assert seen.update(told, 2, ended=True) == 'on·.·END'
    assert seen.marks == 1
    seen.say(2)
    assert seen.update(told, 2, ended=True) == ' pa·ri·s.·END'
    assert seen.marks == 2
    seen.hear(*seen.spell('or rather,'))
    seen.say_all()
    assert seen.text == 'The capital of France is Lyon. or rather, Paris.'
    assert [p.generation for p in seen.told[-3:]] == [-1, -1, 2]
    assert seen.count('words_own') == 2


def test_a_word_is_not_waited_for_for_ever():
    seen = Seen()
    seen.update('Certainly not.', 1, ended=True)
    seen.say(1)
    assert seen.update('Yes.', 2, ended=True, frames=11) == 'rt·ai·nl·y· no·t.'
    assert seen.update('Yes.', 2, ended=True, frames=2) == ' ye·s.·END'


def test_what_was_said_wrongly_long_ago_is_put_right_with_its_sentence():
    seen = Seen()
    seen.update('Yes. It is red and large and old and new.', 1, ended=True, frames=3)
    seen.say_all()
    assert seen.update('Yes. It is blue and large.', 2, ended=True, frames=2).startswith(' it· is')
    seen.say_all()
    assert seen.text == 'Yes. It is red and large and old and new. It is blue and large.'


@pytest.mark.parametrize('fields', [{'utterance': 1}, {'utterance': -1}, {'source': 'robot'}])
def test_an_answer_to_something_else_is_said_whole(fields):
    seen = Seen()
    seen.update('The cat', 1, ended=True, utterance=0)
    seen.say_all()
    assert seen.update('The cat', 2, ended=True, **fields) == ' th·e· ca·t·END'
    assert seen.marks == 2


def test_a_text_goes_on_where_another_source_came_before_it():
    seen = Seen()
    seen.update('The cat sat on a mat.', 1, ended=True)
    seen.say(4)
    battery = {'source': 'battery', 'utterance': -1, 'priority': 5}
    assert seen.update('Low.', 7, ended=True, **battery) == ' lo·w.·END'
    seen.say_all()
    assert seen.update('The cat sat on a mat.', 1, ended=True).startswith(' sa·t· on')
    seen.window.update(None)
    assert seen.update('The cat sat on a mat.', 1, ended=True).startswith(' sa·t· on')
    seen.say_all()
    assert seen.text == 'The cat Low. sat on a mat.'


def test_each_newer_text_is_marked_while_nothing_was_said():
    seen = Seen()
    for generation in range(1, 4):
        seen.update('The cat sat.', generation, ended=True, frames=2)
    assert seen.marks == 3
    assert seen.count('words_superseded') == 6


def test_nothing_is_left_of_what_is_taken_away():
    seen = Seen()
    seen.update('The cat sat.', ended=True)
    seen.say(1)
    seen.window.update(None)
    row, _ = seen.window.row()
    assert not row.any()
    assert seen.window.current is None
    assert seen.count('words_cleared') == 2
    seen.hear(seen.spell('sat.')[0])
    assert seen.count('pieces_unknown') == 1


def test_what_was_interrupted_does_not_come_back():
    seen = Seen()
    seen.update('The cat sat.', 1, ended=True)
    seen.say(1)
    seen.window.clear()
    assert seen.update('The cat sat.', 1, ended=True) == ''
    assert seen.update('A dog.', 2, ended=True) == ' a· do·g.·END'


def test_a_skipped_piece_is_counted_and_its_word_told():
    seen = Seen()
    seen.update('The cat sat.', ended=True)
    the, e, cat, t, *_ = seen.spell('The cat sat.')
    seen.hear(the, e, t)
    assert seen.text == 'The cat'
    assert seen.count('pieces_skipped') == 1
    assert seen.update('The cat sat.', ended=True) == ' sa·t.·END'
    seen.hear(cat)
    assert seen.count('pieces_unknown') == 1


def test_a_phrase_that_has_begun_is_not_taken_for_a_skipped_piece():
    seen = Seen('Let me see.')
    seen.update('so me too', ended=True)
    seen.hear(*seen.spell('let me'))
    assert seen.text == 'Let me'
    assert seen.count('pieces_skipped') == 0


def test_words_that_cannot_be_said_are_counted_and_passed_over():
    seen = Seen()
    seen.pieces.unspeakable = 'x'
    assert seen.update('xx one xxx two xxxx', ended=True) == ' on·e· tw·o·END'
    seen.say_all()
    assert seen.text == 'one two'
    assert seen.window.exhausted
    assert seen.count('words_unspeakable') == 3
    assert seen.count('oracle_pending') == 0


def test_enough_is_known_with_three_pieces_or_all():
    seen = Seen()
    for text, ready in (('', 0), ('No ', 0), ('No, ', 0), ('No, it ', 0), ('No, it is ', 1)):
        seen.update(text)
        assert seen.window.ready == bool(ready), text
    seen.say(3)
    seen.update('No, it is ')
    assert not seen.window.ready
    seen.update('No, it is ', ended=True)
    assert seen.window.ready
    seen.say_all()
    assert not seen.window.ready


def test_a_new_session_begins_without_a_space():
    seen = Seen('Well,')
    seen.update('The cat.', ended=True)
    seen.hear(*seen.spell('well,'))
    seen.say(1)
    assert seen.text == 'Well, The'
    seen.window.reset()
    assert seen.update('A dog.', ended=True) == ' a· do·g.·END'
    seen.say(1)
    assert seen.text == 'Well, TheA'


WORDS = ('the', 'cat', 'sat', 'on', 'a', 'mat.', 'red,', '42', 'km', 'no')
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(TEXTS, st.integers(0, 2), st.booleans(), st.integers(0, 6)),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_comes_the_words_told_are_of_the_texts(script):
    """An obedient model says every text that is left to it, and never a word of another one."""
    seen = Seen()
    for generation, (words, utterance, whole, count) in enumerate(script):
        text = ' '.join(words)
        grown = range(0, len(text) + 1, 7) if not whole else ()
        for end in [*grown, len(text)]:
            seen.update(text[:end], generation, ended=end == len(text), utterance=utterance)
            before = len(seen.told)
            seen.say(min(count, 1))
            for piece in seen.told[before:]:
                assert 0 <= piece.generation <= generation
        seen.say(count)
    last = ' '.join(script[-1][0])
    for _ in range(200):
        seen.update(last, len(script) - 1, ended=True, utterance=script[-1][1])
        seen.say()
    assert not seen.window.due
    if last:
        assert seen.window.exhausted
    assert seen.count('pieces_unknown') == 0
    assert seen.count('oracle_pending') == 0
