"""What is wrong with data that was read, in words, and never in those of Python."""

import json
import re

import pytest
from odd_values import PYTHON

from kame_ros.text.misfit import misfit


def raised(code):
    with pytest.raises(Exception) as caught:  # noqa: PT011 (any kind: that is what is tested)
        eval(code, {'json': json, 're': re})
    return caught.value


@pytest.mark.parametrize(
    ('code', 'words'),
    [
        ("{}['name']", "'name' is missing"),
        ('[][0]', 'too short'),
        ('None[0]', 'another type'),
        ('int(None)', 'another type'),
        ('(5).items()', 'another type'),
        ('(lambda a: a)(b=1)', "'b' is not known"),
        ('(lambda a, b: a)(b=1)', "'a' is missing"),
        ("float('many')", "'many' is no number"),
        ("int('1.5')", "'1.5' is no number"),
        ("int(float('nan'))", 'NaN is no number'),
        ("int(float('inf'))", 'too large'),
        ("dict(['x'])", 'another form'),
        ('[a for a, b in [(1, 2, 3)]]', 'another form'),
        ('list(zip([1], [], strict=True))', 'another form'),
        ("json.loads('{')", 'no JSON: Expecting'),
        ("b'\\xff'.decode()", 'no text in UTF-8'),
        ("re.compile('(')", 'no regular expression'),
        ("open('/nowhere/x')", 'No such file'),
    ],
)
def test_each_kind_has_words(code, words):
    said = misfit(raised(code))
    assert words in said
    assert not PYTHON.search(said)


def test_what_was_written_for_people_stays():
    assert misfit(ValueError('rank is from 1 on')) == 'rank is from 1 on'
    assert misfit(ValueError()) == 'a value in it is of another form than is wanted'
