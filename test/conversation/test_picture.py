import xml.etree.ElementTree as ET

import pytest
from scripted_conversation import QUESTION, event, final, partial, play, word

from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.page import page
from kame_ros.conversation.picture import Picture
from kame_ros.record.record import Record

SVG = '{http://www.w3.org/2000/svg}'


def seen(table, **sound):
    record, conversation = Record(), Conversation(bounded=False)
    for consumer in (record, conversation):
        play(consumer, table, **sound)
    return record, conversation


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter(f'{SVG}text')]


def test_the_picture_tells_what_was_heard_thought_and_said():
    picture = Picture(*seen(QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)]))
    told = texts(picture.svg)
    for lane in ('user', 'heard', 'oracle', 'says', 'robot'):
        assert lane in told
    for text in ('What is', 'the capital', 'of France?', 'Of what', 'The capital is Paris.', 'is'):
        assert text in told
    assert '+0.80 s' in told or '+0.84 s' in told
    rects = [r.get('class') for r in ET.fromstring(picture.svg).iter(f'{SVG}rect')]
    assert rects.count('asked') == 2
    assert rects.count('adopted') == 2
    assert len(list(ET.fromstring(picture.svg).iter(f'{SVG}polygon'))) == 2


def test_places_are_those_of_the_time_axis():
    picture = Picture(*seen(QUESTION, user=[(1.0, 3.0)]))
    places = {e.text: float(e.get('x')) for e in ET.fromstring(picture.svg).iter(f'{SVG}text')}
    assert places['of France?'] == pytest.approx(picture.left + 3.04 * picture.scale, abs=1)
    assert picture.seconds == pytest.approx(12.0)


def test_a_barge_in_and_an_early_robot_are_marked():
    table = [final(2.0, 'Tell me'), word(1.6, 'Once'), event(4.0, 'BARGE_IN', source='s2s')]
    svg = Picture(*seen(table, user=[(1.0, 2.0)], robot=[(1.6, 4.0)])).svg
    lines = [line.get('class') for line in ET.fromstring(svg).iter(f'{SVG}line')]
    assert lines.count('mark') == 1
    assert lines.count('early') == 1


def test_what_people_say_is_no_markup():
    bad = '<script>alert(1)</script>\x00\x1b[2J'
    record, conversation = seen([partial(1.5, bad), final(2.0, bad), word(3.0, bad)])
    picture = Picture(record, conversation)
    ET.fromstring(picture.svg)
    html = page(bad, record, picture, [bad])
    assert '<script>alert' not in html
    assert '\x1b' not in html


def test_an_empty_recording_has_a_picture():
    record, conversation = Record(), Conversation(bounded=False)
    picture = Picture(record, conversation)
    assert texts(picture.svg)
    assert 'no sound' in page('nothing', record, picture, [])


def test_many_texts_at_once_do_not_make_an_endless_picture():
    table = [partial(2.0, f'word{n} ' * 30, utterance=n) for n in range(300)]
    svg = Picture(*seen(table)).svg
    assert float(ET.fromstring(svg).get('height')) < 600


def test_a_page_has_the_sound_of_both():
    import base64
    import io

    import soundfile

    record, conversation = seen(QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])
    html = page('bag', record, Picture(record, conversation), [])
    data = html.split('data:audio/flac;base64,')[1].split('"')[0]
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(data)), dtype='int16')
    assert (rate, sound.shape[1]) == (24_000, 2)
    assert sound[: 24_000 * 3, 0].any()
    assert not sound[: 24_000 * 3, 1].any()
    assert sound[24_000 * 4 :, 1].any()
