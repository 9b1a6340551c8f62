import json

import pytest

from kame_ros.evaluation import make
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
