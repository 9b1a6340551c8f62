import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.oracle.text.spoken_stream import SpokenStream

CUT = [
    ('Paris.\nUser: And Spain?\nAssistant: Madrid.', 'Paris.'),
    ('Paris. User: And Spain? Assistant: Madrid.', 'Paris.'),
    ('Paris\nUser: And Spain?', 'Paris'),
    ('Paris.\n\n**User:** And Spain?', 'Paris.'),
    ('Paris.\n\n**User**: And Spain?', 'Paris.'),
    ('Paris.\n### Human:\nAnd Spain?', 'Paris.'),
    ('"Paris." Human : And Spain?', '"Paris."'),
    ('Paris!<br>user: And Spain?', 'Paris!'),
    ('Paris.\n\nAssistant: It is Paris.', 'Paris.'),
    ('Paris. AI Assistant: It is Paris.', 'Paris.'),
    ('Paris.\nUser:And Spain?', 'Paris.'),
    ('Paris.\nUser:', 'Paris.'),
    ('Paris.\nBenutzer: Und Spanien?\nAssistent: Madrid.', 'Paris.'),
    ('Paris.\nUtilisateur : Et Espagne ?\nAssistant : Madrid.', 'Paris.'),
    ('Paris. Usuario: España? Asistente: Madrid.', 'Paris.'),
    ('Paris。ユーザー：スペインは？', 'Paris。'),
    ('Paris.<|im_end|>\n<|im_start|>user\nSpain?<|im_end|>\n<|im_start|>assistant\nM.', 'Paris.'),
    ('Paris.<|user|>Spain?<|assistant|>Madrid.', 'Paris.'),
    ('Paris.</s>[INST] Spain? [/INST] Madrid.', 'Paris.'),
    ('Paris.<start_of_turn>user\nSpain?<start_of_turn>model\nMadrid.', 'Paris.'),
    ('Paris. <user>Spain?</user> Madrid.', 'Paris.'),
    ('Assistant: Paris.\nUser: And Spain?', 'Paris.'),
]  # fmt: skip
WHOLE = [
    'Users: there are three of them.',
    'The user: someone who uses it.',
    'Its roles are System: none, User: you, and Assistant: me.',
    'Write it so. User:password is the form.',
    'That is it. Human beings need water.',
    'That is it. AI is a wide field. Assistants: none.',
    'I said. Ask a user. Human rights: many.',
]


def read(pieces):
    stream = SpokenStream(max_words=30)
    said = list(itertools.chain(*(stream.push(piece) for piece in pieces), stream.flush()))
    return ''.join(said), stream


def pieces_of(text, size):
    return [text[i : i + size] for i in range(0, len(text), size)]


@pytest.mark.parametrize('size', [1, 2, 3, 5, 8, 1000])
@pytest.mark.parametrize(('written', 'said'), CUT)
def test_an_answer_ends_where_the_llm_goes_on_as_somebody_else(written, said, size):
    heard, stream = read(pieces_of(written, size))
    assert heard == said
    assert stream.plays_user
    assert stream.done  # the server is stopped


@pytest.mark.parametrize('size', [1, 2, 3, 5, 8, 1000])
@pytest.mark.parametrize('written', WHOLE)
def test_words_that_are_no_label_are_said(written, size):
    heard, stream = read(pieces_of(written, size))
    assert heard == written
    assert not stream.plays_user


@pytest.mark.parametrize('size', [1, 4, 1000])
def test_a_text_that_begins_with_the_question_is_read_from_its_answer_on(size):
    written = 'User: What is the capital of France?\nAssistant: Paris.\nUser: And Spain?'
    heard, stream = read(pieces_of(written, size))
    assert heard.strip() == 'Paris.'
    assert stream.plays_user


def test_nothing_is_said_of_a_text_that_is_the_users_only():
    assert read(['User: What is the capital of France?'])[0] == ''


@pytest.mark.parametrize('size', [1, 7, 1000])
def test_what_an_answer_to_itself_asks_for_is_not_done(size):
    written = 'Yes. <action>{"name": "go"}</action>\nUser: Stop! <action>{"name": "stop"}</action>'
    heard, stream = read(pieces_of(written, size))
    assert heard == 'Yes.'
    assert stream.take_requests() == ['{"name": "go"}']


def test_names_in_thoughts_are_no_parts():
    heard, stream = read(['<think>\nUser: asks.\nAssistant: knows.\n</think>\nParis.'])
    assert heard == 'Paris.'
    assert not stream.plays_user


def test_no_word_waits_that_could_be_said_before():
    stream = SpokenStream(max_words=30)
    came = [
        stream.push(piece) for piece in ('Use', ' the', ' user', ' menu. ', 'A', 'I', ' is it. ')
    ]
    assert came == [[], ['Use'], [' the'], [' user', ' menu.'], [], [], [' AI', ' is', ' it.']]


_PIECES = st.sampled_from(
    ['User', 'user', 'Human', 'Assistant', 'AI', ':', ' :', '：', ' ', '\n', '. ', '"', '?',
     'Paris', ' it is', '<|im_start|>', 'user\n', '<br>', '[INST]', '**', '。', '- ', 'Answer']
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=20).map(''.join), st.lists(st.integers(0, 80), max_size=6))
def test_how_the_text_was_cut_into_pieces_does_not_matter(text, cuts):
    at = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    whole, stream = read([text])
    by_letters, letters = read(text)
    in_parts, parts = read([text[a:b] for a, b in itertools.pairwise(at)])
    assert whole == by_letters == in_parts
    assert stream.plays_user == letters.plays_user == parts.plays_user
