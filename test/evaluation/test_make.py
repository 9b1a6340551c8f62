import json
import unicodedata

import pytest

from kame_ros.evaluation import make
from kame_ros.evaluation.questions import Question
from kame_ros.evaluation.suite import BadSuite, load

pytestmark = pytest.mark.models


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    return make.scenes(tmp_path_factory.mktemp('scenes') / 's')


def test_each_kind_of_scene_is_there(scenes):
    kinds = {item.kind for item in scenes.items}
    assert kinds == {
        *('pause', 'smooth', 'interruption', 'backchannel', 'to_other', 'background'),
        *('monologue', 'silence', 'noise'),
    }
    assert len(scenes.items) == 21
    assert load(scenes.folder).sha256 == scenes.sha256


def test_pauses_are_as_long_as_they_say(scenes):
    pauses = [item for item in scenes.items if item.kind == 'pause']
    assert len(pauses) == 7
    for item in pauses:
        (first, second) = item.cues[0].speech
        assert second[0] - first[1] == pytest.approx(item.tags['pause_s'], abs=0.001)


def test_what_is_said_over_the_robot_waits_for_it(scenes):
    over = [c for i in scenes.items for c in i.cues[1:]]
    assert len(over) == 8
    assert {cue.when for cue in over} == {'over_robot'}


def test_the_same_seed_makes_the_same_suite(scenes, tmp_path):
    again = make.scenes(tmp_path / 's')
    assert again.sha256 == scenes.sha256
    other = make.scenes(tmp_path / 't', seed=1)
    assert other.sha256 != scenes.sha256


def test_questions_of_two_turns(tmp_path):
    rows = [
        {'question_id': 7, 'category': 'reasoning', 'turns': ['What is 2+2?', 'And *3+3*?']},
        {'question_id': 8, 'category': 'writing', 'turns': ['Write.', 'More.']},
    ]
    (tmp_path / 'question.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    suite = make.mtbench(tmp_path / 'suite', tmp_path)
    (item,) = suite.items
    assert item.tags == {'question_id': 7}
    first, second = item.cues
    assert (first.when, second.when) == ('at', 'after_robot')
    assert second.question == 'And *3+3*?'  # as the judge is shown it
    assert '*' not in second.text
    with pytest.raises(BadSuite, match='no question'):
        make.mtbench(tmp_path / 'other', tmp_path, categories=('cooking',))


def test_a_turn_is_spoken_as_the_file_beside_says(tmp_path):
    """Whether its number is written as a number or as a text."""
    row = {'question_id': 7, 'category': 'stem', 'turns': ['Say 3.']}
    (tmp_path / 'question.jsonl').write_text(json.dumps(row))
    (tmp_path / 'spoken.jsonl').write_text('{"question_id": "7", "turns": ["Say the number."]}')
    (item,) = make.mtbench(tmp_path / 'suite', tmp_path).items
    assert item.cues[0].text == 'Say the number.'
    assert item.cues[0].question == 'Say 3.'


def test_the_number_of_a_question_may_hold_any_sign(tmp_path):
    rows = [{'question_id': n, 'category': 'stem', 'turns': ['Who?']} for n in ('../a b', 'c/d')]
    (tmp_path / 'question.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    items = load(make.mtbench(tmp_path / 'suite', tmp_path).folder).items
    assert [item.id for item in items] == ['mt-a-b@hibari', 'mt-c-d@hibari']


@pytest.mark.parametrize(
    ('changed', 'beside'),
    [
        ({'turns': 'Who?'}, ''),
        ({'turns': 5}, ''),
        ({'turns': []}, ''),
        ({'turns': ['Who?', 3]}, ''),
        ({'turns': None}, ''),
        ({}, '{"question_id": 7, "turns": ["Who?"]}'),
        ({}, '{"question_id": 7, "turns": {}}'),
    ],
)
def test_turns_that_are_none_are_refused(tmp_path, changed, beside):
    row = {'question_id': 7, 'category': 'stem', 'turns': ['Who?', 'Why?'], **changed}
    (tmp_path / 'question.jsonl').write_text(json.dumps(row))
    (tmp_path / 'spoken.jsonl').write_text(beside)
    with pytest.raises(BadSuite, match=r'question 7 .* turns'):
        make.mtbench(tmp_path / 'suite', tmp_path)
    assert not (tmp_path / 'suite').exists()


def _recorded(folder, *names):
    soundfile = pytest.importorskip('soundfile')
    folder.mkdir()
    for name in names:
        soundfile.write(folder / name, [0.1, -0.1] * 8000, 16_000)


def test_recordings_whose_names_are_alike_stay_several(tmp_path):
    _recorded(tmp_path / 'mine', 'a.flac', 'a.wav', '日本.wav', '東京.wav')
    suite = make.recordings(tmp_path / 's', tmp_path / 'mine')
    assert len(suite.sounds) == 4
    assert {item.id for item in load(suite.folder).items} == {'a', 'a-2', '日本', '東京'}


def test_the_name_of_a_recording_may_be_of_any_script_and_length(tmp_path):
    accent = unicodedata.normalize('NFD', 'höhe')  # as some file systems write it
    names = [f'{name}.wav' for name in (accent, 'あ' * 80, 'あ' * 81, '!?', ' größe')]
    _recorded(tmp_path / 'mine', *names)
    line = {'id': 'höhe', 'category': 'x', 'text': 'Wie hoch?', 'accepted': ['drei']}
    (tmp_path / 'mine' / 'questions.jsonl').write_text(json.dumps(line))
    items = load(make.recordings(tmp_path / 's', tmp_path / 'mine').folder).items
    assert {item.id for item in items} == {'höhe', 'あ' * 26, 'あ' * 26 + '-2', 'item', 'größe'}
    assert [item.id for item in items if item.cues[0].accepted] == ['höhe']


def test_a_text_without_its_recording_is_told(tmp_path):
    _recorded(tmp_path / 'mine', 'a.wav')
    (tmp_path / 'mine' / 'questions.jsonl').write_text('{"id": "b", "text": "What?"}')
    with pytest.raises(BadSuite, match='no sound file is called b'):
        make.recordings(tmp_path / 's', tmp_path / 'mine')
    assert not (tmp_path / 's').exists()


def test_the_id_of_a_question_may_hold_any_sign(tmp_path):
    asked = (Question('a/b c', '', 'Who?', ()),)
    suite = make.facts(tmp_path / 's', questions=asked)
    assert [item.id for item in load(suite.folder).items] == ['a-b-c@hibari']


def test_a_question_that_is_there_twice_is_refused(tmp_path):
    asked = (Question('a', '', 'Who?', ()), Question('a', '', 'What?', ()))
    with pytest.raises(BadSuite, match='a@hibari is there twice'):
        make.facts(tmp_path / 's', questions=asked)


def test_a_suite_that_was_broken_off_is_told(tmp_path):
    (tmp_path / 's' / 'sound').mkdir(parents=True)
    with pytest.raises(BadSuite, match='not empty, and holds no whole suite'):
        make.facts(tmp_path / 's')
