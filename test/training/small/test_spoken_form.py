"""What is written in two ways and spoken in one is the same."""

import pytest

pytest.importorskip('hibari')
from kame_ros.training.small.spoken_form import spoken_words


@pytest.mark.parametrize(
    ('oracle', 'heard'),
    [
        ("It's 25 degrees, Anna.", "it's twenty-five degrees anna"),
        ('That is $24.50 plus tax.', 'that is twenty four dollars and fifty cents plus tax'),
        ('It costs $3 a scoop.', 'It costs three dollars a scoop.'),
        (
            'NASA launched Voyager 1 on September 5, 1977.',
            'Nasa launched Voyager one on September fifth, nineteen seventy seven.',
        ),
        ('approx. 380,000', 'approximately three hundred and eighty thousand'),
        ('It is 42.195 km long.', 'It is forty two point one nine five kilometers long.'),
        ('It is 1,642 m deep.', 'It is 1642 meters deep.'),
        ('at 10:30', 'at ten thirty'),
        ('at 6:15 pm from gate 22', 'at 6.15 p.m. from gate twenty two'),
        ('on the 3rd of May', 'on the third of may'),
        ('the 21st century', 'The twenty first century.'),
        ('World War II', 'world war two'),
        ('20 and 30', 'twenty and thirty'),
        ('25,000,000', '25 million'),
        ('About 71% of it, i.e. most', 'about seventy one percent of it that is most'),
        ('Mr. and Mrs. Fox', 'mister and missus fox'),
        ('5 6 7', 'five six seven'),
    ],
)
def test_alike(oracle, heard):
    assert spoken_words(oracle) == spoken_words(heard)


def test_another_number_is_another_word():
    assert spoken_words('It is 42.') == ['it', 'is', '4', '2']
    assert spoken_words('It is 43.') != spoken_words('It is 42.')
    assert spoken_words('') == []
    assert spoken_words('two hundred') == ['2', '0', '0']
    assert spoken_words('one hundred and') == ['1', '0', '0', 'and']
