import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.oracle.text.answer_limit import AnswerLimit
from kame_ros.oracle.text.spoken_stream import RESTART, SpokenStream
from kame_ros.text.spoken_words import words_of

VILLAGE = (
    'Mr. Smith was born in a small village near the coast and moved to the large city when he was '
    'only twelve years old because his father had found work in a factory there.'
)  # 34 words, one sentence


def say(text, max_words=30, size=None, thinking=False, hidden=()):
    """What is said of a text that comes in pieces of `size` characters."""
    stream = SpokenStream(max_words, thinking, hidden)
    size = size or max(len(text), 1)
    words = []
    for i in range(0, len(text), size):
        words += stream.push(text[i : i + size])
    return ''.join(words + stream.flush()).rpartition(RESTART)[2].lstrip()


@pytest.mark.parametrize('size', [1, 2, 3, 7, None])
@pytest.mark.parametrize(
    ('written', 'said'),
    [
        ('Paris is the capital.', 'Paris is the capital.'),
        ('<think>The user asks...</think>Paris.', 'Paris.'),
        ('<think>\nhm\n</think>\n\nParis.', 'Paris.'),
        ('A <thinking>b</thinking> c.', 'A c.'),
        ('<think>never closed, never spoken', ''),
        ('Okay, so the user is asking about France.\n</think>\n\nParis.', 'Paris.'),
        ('It is in the book, I believe.\n</think>\n\nParis.', 'Paris.'),
        ('Okay, I will go.', 'Okay, I will go.'),
        ('The user manual tells how.', 'The user manual tells how.'),
        ('Let me see your ticket, please.', 'Let me see your ticket, please.'),
        ('5 < 7 is true.', '5 < 7 is true.'),
        ('**Paris** is the `capital`.', 'Paris is the capital.'),
        ('# Answer\n- Paris\n- Rome', 'Answer. Paris. Rome'),
        ('Here:\n```python\nprint(1)\n```\nDone.', 'Here: Done.'),
        ('See https://example.org/a for more.', 'See https://example.org/a for more.'),
        ('It is −20 °C, 50% 😀 humid.', 'It is −20 °C, 50% humid.'),
        ('USD 20 — or $5 million', 'USD 20 — or $5 million'),
        ('On it. <action>{"name": "go"}</action> There.', 'On it. There.'),
        ('<tool_call>{"name": "go"}</tool_call>', ''),
        ('{"name": "go", "arguments": {"x": 1}}', ''),
        ('Paris.<|im_end|>', 'Paris.'),
        ('\x00\x07Hi\x1b[0m.', 'Hi.'),
        ('你好，世界', ''),
    ],
)
def test_only_what_can_be_said_is_said(written, said, size):
    assert say(written, size=size) == said


def test_a_model_whose_template_opens_the_trace():
    assert say('I think... </think> Paris.', thinking=True) == 'Paris.'
    assert say('I think and think', thinking=True) == ''


def test_marks_of_a_model_that_nobody_knows():
    written = '@@note@@ hm @@end@@ Paris. @@eos@@'
    assert say(written, hidden=('@@note@@...@@end@@', '@@eos@@')) == 'Paris.'


@pytest.mark.parametrize('mark', ['an_end_mark', '.*', '(a+)+$', ', so long...', '#end'])
def test_what_only_begins_as_a_mark_is_said(mark):
    text = 'Paris, a (nice) place. # It is an old one.'
    marked = f'{text} {mark}' if '...' not in mark else text
    assert say(marked, hidden=(mark,)) == say(text)
    assert say(text, hidden=(mark,), size=1) == say(text)


def test_words_come_as_early_as_they_are_whole():
    stream = SpokenStream(max_words=30)
    pieces = ['Par', 'is', ' is', ' the', ' capital', ' of', ' France', ', and', ' it']
    came = [stream.push(piece) for piece in pieces]
    assert came == [
        [], [], ['Paris'], [' is'], [' the'], [' capital'], [' of'], [' France,'], [' and'],
    ]  # fmt: skip


def test_reasoning_that_was_said_already_is_taken_back():
    stream = SpokenStream(max_words=30)
    assert stream.push('It is in the book.') == ['It', ' is', ' in', ' the']
    assert stream.push('\n</think>\n\nParis ') == [f' {RESTART}', ' Paris']


def test_calls_of_tools_are_counted():
    stream = SpokenStream(max_words=30)
    stream.push('<tool_call>{}</tool_call> Hi <|python_tag|>x.y()')
    assert stream.calls == 2


def test_an_answer_ends_with_the_last_sentence_that_fits():
    text = 'One two three. Four five six. Seven eight nine ten.'
    assert say(text, max_words=7) == 'One two three. Four five six.'
    assert say(text, max_words=10) == text


def test_a_first_sentence_that_is_too_long_is_cut_and_closed():
    assert say('one two three four five six', max_words=4) == 'one two three four.'


def test_a_cut_is_made_at_a_clause_if_there_is_one_near_the_limit():
    text = (
        'It is a large town in the south of the land, which has a very old bridge over the river.'
    )
    assert say(text, max_words=13) == 'It is a large town in the south of the land.'


def test_a_cut_is_not_made_behind_a_word_that_hangs():
    assert (
        say('They all went to see the old house of Dr. Jones there', 6) == 'They all went to see.'
    )
    assert say('They all went to see the old house of Dr. Jones there', 10) == (
        'They all went to see the old house.'
    )


def test_an_abbreviation_is_no_end():
    assert say(VILLAGE, 30).startswith('Mr. Smith was born in a small village near the coast')
    assert len(say(VILLAGE, 30).split()) >= 20
    assert say('At 5 p.m. ' + 'the man went on ' * 2 + 'to the end of the road', 12).count(' ') >= 7


def test_a_short_opening_is_not_all_of_the_answer():
    said = say('Sure! ' + VILLAGE, 30)
    assert said.startswith('Sure! Mr. Smith was born')
    assert said.endswith('.')


def test_the_first_sentence_does_not_wait_for_its_end():
    limit = AnswerLimit(10)
    words = words_of('One two. Three four.', ended=True)
    came = [limit.push(word, word.text) for word in words]
    assert came == [['One'], ['two.'], [], ['Three', 'four.']]


def test_the_server_is_told_to_stop_when_the_answer_is_full():
    stream = SpokenStream(max_words=3)
    stream.push('a b c d e ')
    assert stream.done


def test_the_limit_counts_what_is_said():
    assert say('60 km/h 60 km/h and more', 8) == '60 km/h 60 km/h.'


@given(st.text(max_size=200), st.integers(1, 20), st.integers(1, 9))
def test_no_answer_is_longer_than_it_may_be(text, max_words, size):
    said = say(text, max_words, size)
    words = words_of(said, ended=True)
    spoken = sum(len(word.speech.split()) for word in words)
    # A long number is never cut; the voice gets it in parts, all but its last one `broken`.
    assert spoken <= max_words or sum(not word.broken for word in words) == 1
    assert said == said.strip()


_PIECES = st.sampled_from(
    ['a ', 'b', '<think>', '</think>', '\n', '*', '1. ', '5 ', '$', '|', '`', '[x](', 'y) ', '<br>',
     'Mr. ', '. ', ', ', 'The user is ', 'Okay ', '<|im_end|>', '&amp;', '- ', '−', '你', '😀']
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=20).map(''.join), st.lists(st.integers(0, 80), max_size=6))
def test_the_size_of_the_pieces_does_not_matter(text, cuts):
    def words(pieces):
        stream = SpokenStream(max_words=30)
        said = list(itertools.chain(*(stream.push(piece) for piece in pieces), stream.flush()))
        return ''.join(said).rpartition(RESTART)[2].lstrip()

    at = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    assert words(text[a:b] for a, b in itertools.pairwise(at)) == words([text]) == words(text)


@pytest.mark.parametrize('size', [1, 2, 4, 9])
def test_reasoning_without_its_opening_mark_is_guessed_from_its_first_words(size):
    text = 'Okay, so the user is asking about France, whose capital is Paris.\n</think>\n\nParis.'
    stream = SpokenStream(max_words=30)
    came = [stream.push(text[i : i + size]) for i in range(0, len(text), size)]
    words = list(itertools.chain(*came, stream.flush()))
    assert words == ['Okay,', ' so', f' {RESTART}', ' Paris.']


def test_a_beginning_like_that_of_reasoning_is_the_answer_if_nothing_closes_it():
    assert say('The user is asking too much.', size=3) == 'The user is asking too much.'


@pytest.mark.parametrize('unit', ['word ', '<', '<think>', '你'])
def test_an_endless_answer_is_read_no_further_than_it_is_needed(unit):
    stream = SpokenStream(max_words=30)
    text = unit * (1_000_000 // len(unit))
    stream.push(text)
    assert stream.done
    assert stream._read <= 102_000
    assert len(stream._text) <= 102_000
