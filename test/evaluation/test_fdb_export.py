"""What is written can be read again, and is the same conversation."""

import json

import numpy as np
import pytest
import soundfile

from kame_ros.evaluation import foreign
from kame_ros.evaluation.fdb_export import LIST, RATE, export
from kame_ros.evaluation.recorded import Label, Recorded
from kame_ros.evaluation.suite import BadSuite
from kame_ros.record.voiced import Segment
from kame_ros.wire.transcript import Word

SECONDS = 10
TURN = Label('turn', 'What is it?', start=1.0, speech=(Segment(1.0, 1.5), Segment(2.5, 3.0)))
OVER = Segment(6.0, 6.5)
WORDS = [Word('It', 4.0, 4.2, 1.0), Word('is', 6.8, 7.0, 1.0), Word('so.', 7.0, 7.5, 1.0)]


def conversation(kind, *over, words=WORDS, **changes):
    tone = (8_000 * np.sin(np.arange(SECONDS * 24_000) / 9)).astype(np.int16)
    user, robot = np.zeros_like(tone), np.zeros_like(tone)
    for label in (TURN, *over):
        for s in label.speech:
            user[round(s.start * 24_000) : round(s.end * 24_000)] = 1_000
    robot[4 * 24_000 : 8 * 24_000] = tone[4 * 24_000 : 8 * 24_000]
    return Recorded(
        *(f'{kind}@slt', 1, kind, user, robot),
        **{'labels': (TURN, *over), 'words': words, 'heard': True, **changes},
    )


def over(role, text='Wait.'):
    return Label(role, text, start=6.0, speech=(OVER,))


ALL = {
    'question': (),
    'smooth': (),
    'pause': (),
    'monologue': (),
    'interruption': (over('interruption'),),
    'backchannel': (over('backchannel', 'Uh-huh.'),),
    'to_other': (over('to_other', 'Anna?'),),
    'background': (over('background'),),
}


@pytest.fixture
def written(tmp_path):
    export((conversation(kind, *more) for kind, more in ALL.items()), tmp_path / 'fdb')
    return tmp_path / 'fdb'


def test_each_kind_is_in_its_task(written):
    folders = sorted(p.parent.relative_to(written).as_posix() for p in written.rglob('input.wav'))
    assert folders == [
        'v1.0/backchannel/1',
        'v1.0/pause_handling/1',
        'v1.0/smooth_turn_taking/1',
        'v1.0/smooth_turn_taking/2',
        'v1.0/user_interruption/1',
        'v1.5/background_speech/1',
        'v1.5/talking_to_other/1',
        'v1.5/user_backchannel/1',
        'v1.5/user_interruption/1',
    ]
    assert (written / LIST).read_text().count('\n') == 1 + len(folders)
    for name in folders:
        files = [written / name / file for file in ('input.wav', 'output.wav')]
        if name.startswith('v1.5'):
            files.append(written / name / 'clean_input.wav')
        lengths = set()
        for path in files:
            info = soundfile.info(path)
            assert (info.samplerate, info.channels) == (RATE, 1)
            lengths.add(info.frames)
        assert len(lengths) == 1  # one time axis


def test_the_labels_are_those_of_the_benchmark(written):
    def told(name):
        return json.loads((written / name).read_text())

    assert told('v1.0/pause_handling/1/pause.json') == [
        {'text': '[PAUSE]', 'timestamp': [1.5, 2.5]}
    ]
    assert told('v1.0/smooth_turn_taking/1/turn_taking.json')[0]['timestamp'][0] == 3.0
    assert told('v1.0/user_interruption/1/interrupt.json') == [
        {'context': 'What is it?', 'interrupt': 'Wait.', 'timestamp': [6.0, 6.5]}
    ]
    assert told('v1.5/user_backchannel/1/metadata.json') == {
        'context_text': 'What is it?',
        'current_turn_text': 'Uh-huh.',
        'timestamps': [6.0, 6.5],
    }


def test_pauses_end_with_the_user_and_interruptions_are_heard_after_them(written):
    assert soundfile.info(written / 'v1.0/pause_handling/1/output.wav').duration == 3.0

    def words(name):
        return [
            c['text'] for c in json.loads((written / name / 'output.json').read_text())['chunks']
        ]

    assert words('v1.0/pause_handling/1') == []
    assert words('v1.0/user_interruption/1') == ['is', 'so.']
    assert words('v1.5/user_interruption/1') == ['It', 'is', 'so.']


def test_the_clean_input_has_nothing_over_the_robot(written):
    clean, _ = soundfile.read(written / 'v1.5/user_backchannel/1/clean_input.wav')
    noisy, _ = soundfile.read(written / 'v1.5/user_backchannel/1/input.wav')
    at = slice(round(6.1 * RATE), round(6.4 * RATE))
    assert not np.any(clean[at])
    assert np.all(noisy[at] != 0)
    assert np.array_equal(clean[: 5 * RATE], noisy[: 5 * RATE])


def test_what_was_written_is_read_again(written):
    found = {recorded.item: recorded for recorded in foreign.read(written)}
    assert len(found) == 9
    pause = found['v1.0-pause_handling-1']
    assert [(s.start, s.end) for s in pause.labels[0].speech] == [(0.0, 1.5), (2.5, 3.0)]
    over = found['v1.5-talking_to_other-1']
    assert over.labels[-1].span == OVER
    assert [word.text for word in over.words] == ['It', 'is', 'so.']


def test_what_is_of_no_task_is_left_out_and_counted(tmp_path):
    never = Label('backchannel', 'Right.')  # the robot never spoke long enough
    recordings = [
        conversation('silence'),
        conversation('mtbench', Label('turn', 'And?', start=6.0, speech=(OVER,))),
        conversation('backchannel', never),
        conversation('smooth', words=[], heard=False),
        conversation('smooth', words=[]),
    ]
    done = export(recordings, tmp_path / 'fdb')
    assert (done.left_out, done.with_words, sum(done.tasks.values())) == (3, 1, 2)
    folder = tmp_path / 'fdb/v1.0/smooth_turn_taking'
    assert not (folder / '1/output.json').exists()  # nobody heard it yet
    assert json.loads((folder / '2/output.json').read_text()) == {'text': '', 'chunks': []}


def test_a_folder_is_never_written_over(tmp_path):
    (tmp_path / 'mine.txt').write_text('precious')
    with pytest.raises(BadSuite, match='not empty'):
        export([conversation('smooth')], tmp_path)
