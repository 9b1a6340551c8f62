import json
import os
import shutil

import numpy as np
import pytest
import soundfile

from kame_ros.audio.wav import BadAudio
from kame_ros.evaluation.foreign import human_distribution, read
from kame_ros.evaluation.recorded import Recorded
from kame_ros.evaluation.suite import BadSuite
from kame_ros.record.voiced import Segment
from kame_ros.wire.frame import Frame
from kame_ros.wire.monologue import MonologueToken


def wav(path, seconds=1.0, channels=1, rate=16_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (int(seconds * rate), channels) if channels > 1 else int(seconds * rate)
    soundfile.write(path, np.zeros(shape, np.float32), rate)


def test_pairs_stereo_files_and_folders_of_the_bench(tmp_path):
    wav(tmp_path / 'a.input.wav')
    wav(tmp_path / 'a.output.wav', 2.0)
    wav(tmp_path / 'b.wav', channels=2, rate=48_000)
    wav(tmp_path / 'c' / 'input.wav', 4.72)
    wav(tmp_path / 'c' / 'output.wav', 4.72)
    pause = [{'text': '[PAUSE]', 'timestamp': [1.0, 2.0]}]
    (tmp_path / 'c' / 'pause.json').write_text(json.dumps(pause))
    chunks = {'text': 'hi', 'chunks': [{'text': 'hi', 'timestamp': [3.0, None]}]}
    (tmp_path / 'c' / 'output.json').write_text(json.dumps(chunks))
    found = {rec.item: rec for rec in read(tmp_path)}
    assert list(found) == ['a', 'b', 'c']
    assert len(found['a'].robot) == 48_000
    assert len(found['b'].user) == 24_000
    assert found['c'].kind == 'fdb_pause'
    assert [(s.start, s.end) for s in found['c'].labels[0].speech] == [(0, 1), (2, 4.72)]
    assert [(w.text, w.start, w.end) for w in found['c'].words] == [('hi', 3.0, 3.0)]


@pytest.mark.parametrize(
    ('name', 'told', 'kind'),
    [
        ('turn_taking.json', [{'timestamp': [0.9, 1.0]}], 'fdb_turn_taking'),
        (
            'interrupt.json',
            [{'context': 'x', 'interrupt': 'y', 'timestamp': [0.5, 0.8]}],
            'fdb_interruption',
        ),
        (
            'metadata.json',
            {'context_text': 'x', 'current_turn_text': 'y', 'timestamps': [0.5, 0.8]},
            'fdb_overlap',
        ),
        ('transcription.json', [], 'fdb_backchannel'),
    ],
)
def test_the_tasks_of_the_bench_are_told_by_their_files(tmp_path, name, told, kind):
    for file in ('input.wav', 'output.wav'):
        wav(tmp_path / '1' / file)
    (tmp_path / '1' / name).write_text(json.dumps(told))
    (recorded,) = read(tmp_path)
    assert recorded.kind == kind
    assert recorded.category == kind


def test_tasks_may_lie_in_folders_of_their_own(tmp_path):
    for task in ('pause', 'turn'):
        for file in ('input.wav', 'output.wav'):
            wav(tmp_path / task / '1' / file)
    assert [rec.item for rec in read(tmp_path)] == ['pause-1', 'turn-1']


def test_spoiled_labels_are_told_in_a_sentence(tmp_path):
    for file in ('input.wav', 'output.wav'):
        wav(tmp_path / '1' / file)
    (tmp_path / '1' / 'pause.json').write_text('[{"timestamp": 3}]')
    with pytest.raises(BadSuite, match='labels'):
        list(read(tmp_path))
    (tmp_path / '1' / 'pause.json').write_text('no')
    with pytest.raises(BadSuite, match='JSON'):
        list(read(tmp_path))


@pytest.mark.parametrize(
    ('name', 'told'),
    [
        ('turn_taking.json', '[{"timestamp": [NaN, 1]}]'),
        ('turn_taking.json', '[{"timestamp": [-5, 1]}]'),
        ('turn_taking.json', '[{"timestamp": []}]'),
        ('pause.json', '[{"timestamp": [2, 1]}]'),
        ('metadata.json', '{"timestamps": [0, 1e999]}'),
        ('interrupt.json', 'null'),
        ('output.json', '{"chunks": [{"text": "a", "timestamp": [NaN, 1]}]}'),
        ('output.json', '{"chunks": [{"text": "a", "timestamp": [null, 1]}]}'),
    ],
)
def test_times_that_cannot_be_are_told(tmp_path, name, told):
    for file in ('input.wav', 'output.wav'):
        wav(tmp_path / '1' / file)
    (tmp_path / '1' / name).write_text(told)
    with pytest.raises(BadSuite, match='not understood'):
        list(read(tmp_path))


@pytest.mark.parametrize(
    ('told', 'why'),
    [
        ('accepted\na.wav,a.wav,(((\n', 'no regular expression'),
        ('turn_end\na.wav,a.wav,nan\n', 'turn_end'),
        ('turn_end\na.wav,a.wav,0.1\n', 'turn_end'),
        ('turn_end\na.wav,a.wav,1e9\n', 'the recording has'),
        ('turn_end\na.wav,a.wav,soon\n', 'no number'),
    ],
)
def test_a_row_that_cannot_be_is_told(tmp_path, monkeypatch, told, why):
    wav(tmp_path / 'a.wav', 2.0)
    (tmp_path / 'pairs.csv').write_text(f'input,output,{told}')
    monkeypatch.setattr(Recorded, 'user_speech', [Segment(0.5, 1.5)])
    with pytest.raises(BadSuite, match=why):
        list(read(tmp_path))


def test_a_list_in_another_encoding_is_told(tmp_path):
    (tmp_path / 'pairs.csv').write_bytes(b'input,output\n\xff\xfe,o.wav\n')
    with pytest.raises(BadSuite, match='UTF-8'):
        list(read(tmp_path))


def test_the_system_may_be_late_by_an_offset(tmp_path):
    wav(tmp_path / 'b.wav', channels=2)
    (late,) = read(tmp_path, 0.5)
    assert len(late.robot) == 36_000
    (early,) = read(tmp_path, -0.5)
    assert len(early.robot) == 12_000


def test_words_that_came_with_a_recording_are_late_with_it(tmp_path):
    for name in ('input.wav', 'output.wav'):
        wav(tmp_path / 'c' / name, 4.0)
    told = {'chunks': [{'text': t, 'timestamp': [at, at + 0.5]} for t, at in (('a', 0), ('b', 2))]}
    (tmp_path / 'c' / 'output.json').write_text(json.dumps(told))
    (late,) = read(tmp_path, 0.5)
    assert [(w.text, w.start, w.end) for w in late.words] == [('a', 0.5, 1.0), ('b', 2.5, 3.0)]
    (early,) = read(tmp_path, -1.0)  # of what is cut off, nothing is heard
    assert [(w.text, w.start, w.end) for w in early.words] == [('b', 1.0, 1.5)]


def test_recordings_whose_names_are_alike_stay_several(tmp_path):
    wav(tmp_path / 'a.wav', channels=2)
    wav(tmp_path / 'a.flac', channels=2)
    wav(tmp_path / 'a' / 'input.wav')
    wav(tmp_path / 'a' / 'output.wav')
    wav(tmp_path / 'a-2.wav', channels=2)
    assert sorted(rec.item for rec in read(tmp_path)) == ['a', 'a-2', 'a-3', 'a-4']


@pytest.mark.parametrize('name', ['../../etc/passwd', '/etc/passwd'])
def test_no_path_leads_out_of_the_folder(tmp_path, name):
    (tmp_path / 'pairs.csv').write_text(f'input,output\n{name},{name}\n')
    with pytest.raises(BadSuite, match='leads out'):
        list(read(tmp_path))


def test_a_list_may_lack_nothing(tmp_path):
    (tmp_path / 'pairs.csv').write_text('input,output\na.wav,\n')
    with pytest.raises(BadSuite, match='line 2'):
        list(read(tmp_path))


def test_what_is_no_recording_is_told(tmp_path):
    with pytest.raises(BadSuite, match='no recordings'):
        list(read(tmp_path))
    with pytest.raises(BadSuite, match='no folder'):
        list(read(tmp_path / 'x'))
    wav(tmp_path / 'a.input.wav')
    with pytest.raises(BadSuite, match='beside it'):
        list(read(tmp_path))
    (tmp_path / 'a.input.wav').unlink()
    (tmp_path / 'b.wav').write_text('no sound')
    with pytest.raises(BadAudio, match=r'b\.wav'):
        list(read(tmp_path))


def test_the_human_distribution(tmp_path):
    assert human_distribution(tmp_path) == {}
    (tmp_path / 'icc_gt_distribution.json').write_text('{"1": [0.1, 0.9]}')
    assert human_distribution(tmp_path) == {'1': [0.1, 0.9]}
    (tmp_path / 'icc_gt_distribution.json').write_text('[1]')
    with pytest.raises(BadSuite, match='not understood'):
        human_distribution(tmp_path)


def test_a_bag_has_both_sides(tmp_path):
    pytest.importorskip('mcap', reason='make setup')
    from recorded_bag import record as record_bag

    def tell(consumer):
        loud = np.full(1920, 3000, np.int16)
        for n in range(20):
            consumer.on_mic(Frame(n, 100.0 + 0.08 * n, loud))
            consumer.on_played(Frame(n, 100.04 + 0.08 * n, loud, source_seq=n))
        consumer.on_monologue(MonologueToken(3, 100.2, 'Hello.'))

    record_bag(tmp_path, tell)
    (recorded,) = read(tmp_path)
    assert len(recorded.user) == 20 * 1920
    assert len(recorded.robot) == 20 * 1920 + 960  # on the axis of the user
    assert recorded.session['monologue'] == 'Hello.'
    assert recorded.events[0]['text'] == 'Hello.'


def test_a_bag_without_sound_is_refused(tmp_path):
    pytest.importorskip('mcap', reason='make setup')
    from recorded_bag import record as record_bag

    record_bag(tmp_path, lambda consumer: consumer.on_monologue(MonologueToken(3, 1.0, 'Hi.')))
    with pytest.raises(BadSuite, match='no sound'):
        list(read(tmp_path))


def test_what_cannot_be_read_is_told_and_the_others_are_read(tmp_path):
    for name in ('a.input', 'a.output', 'c.input', 'c.output', 'lone.input'):
        wav(tmp_path / f'{name}.wav')
    wav(tmp_path / 'mono.wav')
    (tmp_path / 'broken.wav').write_text('no sound')
    (tmp_path / 'c.output.wav').write_text('no sound')
    for name in ('input.wav', 'output.wav'):
        wav(tmp_path / 'task' / 'x' / name)
        wav(tmp_path / 'task' / 'y' / name)
    (tmp_path / 'task' / 'y' / 'pause.json').write_text('no')
    wav(tmp_path / 'task' / 'z' / 'input.wav')
    bad = {}
    found = read(tmp_path, on_bad=lambda name, error: bad.update({name: str(error)}))
    assert [rec.item for rec in found] == ['a', 'task-x']
    assert list(bad) == ['broken', 'c', 'lone', 'mono', 'task-y', 'task-z']
    assert 'lone.output.wav' in bad['lone']
    with pytest.raises((BadSuite, BadAudio)):
        list(read(tmp_path))


def test_a_bad_line_of_pairs_is_told_and_the_others_are_read(tmp_path):
    wav(tmp_path / 'in.wav')
    rows = [
        'input,output',
        'in.wav,in.wav',
        'in.wav,',
        'in.wav,gone.wav',
        'in.wav,../x',
        'in.wav,in.wav',
    ]
    (tmp_path / 'pairs.csv').write_text('\n'.join(rows))
    bad = []
    found = read(tmp_path, on_bad=lambda name, error: bad.append(name))
    assert [rec.item for rec in found] == ['0001-in', '0005-in']
    assert bad == [f'pairs.csv, line {n}' for n in (3, 4, 5)]


def test_names_may_be_of_any_script_and_of_no_text_at_all(tmp_path):
    wav(tmp_path / 'x.wav')
    for name in ('größe'.encode(), '日本語'.encode(), b'\xff\xfe', b'\xff\xfd'):
        for side in (b'.input.wav', b'.output.wav'):
            target = os.path.join(os.fsencode(tmp_path), name + side)
            shutil.copy(tmp_path / 'x.wav', target)
    (tmp_path / 'x.wav').unlink()
    lone = os.path.join(os.fsencode(tmp_path), b'\xfe.input.wav')
    shutil.copy(os.path.join(os.fsencode(tmp_path), 'größe.input.wav'.encode()), lone)
    bad = []
    items = [rec.item for rec in read(tmp_path, on_bad=lambda name, error: bad.append(name))]
    assert sorted(items) == ['\\udcff\\udcfd', '\\udcff\\udcfe', 'größe', '日本語']
    assert bad == ['\\udcfe']
