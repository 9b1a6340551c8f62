import pytest

from kame_ros.settings.values import WrongType, plain, truth, typed

# As people type them; YAML makes a truth value, a number, a date, a list or an error of each.
WORDS = """
2 no No NO yes on off y n true false 1e3 1E3 007 0x1f 0o17 1_000 1.50 1.0 .5 -3 +4 ~ null nan .nan
inf .inf 2026-01-01 12:30 12:30:45 @home * & | > % ` ! # [ ] { } : - ? = <<
"""
TEXTS = [
    '',
    ' ',
    '@home robot',
    'You are Kim: a robot',
    '[a',
    'a # b',
    '"x',
    "it's",
    'ß\n\t',
    '- x',
]
SPELLINGS = [*WORDS.split(), *TEXTS]


@pytest.mark.parametrize('text', SPELLINGS)
def test_a_text_keeps_its_spelling(text):
    assert typed(plain(text), str) == text or text in ('true', 'false')
    assert typed(text, str) == text


@pytest.mark.parametrize('text', SPELLINGS)
@pytest.mark.parametrize('kind', [bool, int, float, list, str])
def test_whatever_is_typed_becomes_its_type_or_a_sentence(text, kind):
    try:
        value = typed(text, kind)
    except WrongType as error:
        value, sentence = None, str(error)
    assert type(value) is kind or repr(text) in sentence


@pytest.mark.parametrize(
    ('given', 'kind', 'value'),
    [
        *((word, bool, True) for word in ('true', 'True', 'TRUE', 'yes', 'On', 'y', '1', 1, True)),
        *((word, bool, False) for word in ('false', 'False', 'no', 'OFF', 'n', '0', 0, False)),
        ('3', int, 3),
        ('007', int, 7),
        ('1e3', int, 1000),
        (3.0, int, 3),
        (' 3 ', int, 3),
        (3, float, 3.0),
        ('3', float, 3.0),
        ('1e3', float, 1000.0),
        ('.5', float, 0.5),
        (2, str, '2'),
        (0.5, str, '0.5'),
        ('[/r1, "/r2"]', list, ['/r1', '/r2']),
        ('/r1,/r2', list, ['/r1', '/r2']),
        ('/r1', list, ['/r1']),
        (('a', 'b'), list, ['a', 'b']),
        ([1, 2], list, ['1', '2']),
    ],
)
def test_values_are_read_in_the_wanted_type(given, kind, value):
    read = typed(given, kind)
    assert read == value
    assert type(read) is kind


@pytest.mark.parametrize(
    ('given', 'kind', 'says'),
    [
        ('maybe', bool, "true or false, not 'maybe'"),
        (2, bool, 'true or false, not 2'),
        ('', bool, "true or false, not ''"),
        ('1.5', int, "a whole number, not '1.5'"),
        (True, int, 'a whole number, not True'),
        ('inf', int, "a whole number, not 'inf'"),
        ('fast', float, "a number, not 'fast'"),
        (False, float, 'a number, not False'),
        (None, str, 'a text, not None'),
        ({'a': 1}, str, "a text, not {'a': 1}"),
        ('[a', list, "a list of texts, not '[a'"),
    ],
)
def test_what_is_none_is_refused_in_words(given, kind, says):
    with pytest.raises(WrongType, match='^' + says.replace('[', r'\[') + '$'):
        typed(given, kind)


@pytest.mark.parametrize(
    ('value', 'choices', 'word'),
    [
        (False, ('auto', 'webrtc', 'off'), 'off'),
        (True, ('On', 'Off'), 'On'),
        (False, (), 'no'),
        (True, (), 'yes'),
    ],
)
def test_a_truth_value_for_a_text_is_the_spelling_that_is_possible(value, choices, word):
    assert typed(value, str, choices) == word


@pytest.mark.parametrize('text', ['TRUE', ' yes ', 'On', '1', 'y'])
def test_words_that_mean_true(text):
    assert truth(text)
