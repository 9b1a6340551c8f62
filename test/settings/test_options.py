"""Options in one text, and those that nobody asks for."""

import pytest

from kame_ros.settings.options import options_of


def test_they_are_read_by_key():
    options = options_of(' word = yes ; n=3;')
    assert dict(options) == {'word': 'yes', 'n': '3'}
    assert options.get('n') == '3'
    assert options.get('m', '4') == '4'
    assert 'word' in options
    assert len(options_of('')) == 0


@pytest.mark.parametrize('wrong', ['word', '=yes', 'a=1; b'])
def test_what_is_no_option_is_refused(wrong):
    with pytest.raises(ValueError, match="an option of an engine is written 'key=value', not"):
        options_of(wrong)


def test_what_nobody_asked_for_is_refused_and_what_there_is_named():
    options = options_of('silnce_s=1; patience=2; word=yes')
    assert float(options.get('silence_s', '0.8')) == 0.8
    assert options['word'] == 'yes'
    with pytest.raises(ValueError, match='toy') as refusal:
        options.refuse_unread('the toy')
    told = "the toy has no option 'silnce_s', 'patience': it has silence_s, word"
    assert str(refusal.value) == told
    with pytest.raises(ValueError, match=r"has no option 'a': it has none$"):
        options_of('a=1').refuse_unread('it')
    options_of('').refuse_unread('it')
    whole = options_of('a=1; b=2')
    assert {**whole} == {'a': '1', 'b': '2'}
    whole.refuse_unread('it')
