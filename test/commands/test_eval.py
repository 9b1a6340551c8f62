"""`kame eval` on what it is given: recordings made here, judges that are scripted, wrong input."""

import hashlib
import json

import numpy as np
import pytest
import soundfile

from kame_ros import cli
from kame_ros.evaluation import make
from kame_ros.evaluation.run_folder import RunFolder, RunPlace, describe
from kame_ros.evaluation.suite import Cue, Item, Suite
from kame_ros.runtime import weights

pytest.importorskip('whisper_normalizer', reason='make setup-eval')
pytest.importorskip('scipy', reason='make setup-eval')


def kame(capsys, *args):
    status = cli.main(['eval', *map(str, args)])
    return status, capsys.readouterr().err.replace('\n', ' ')


@pytest.mark.parametrize(
    ('args', 'reason'),
    [
        (('make', 'mtbench', '-o', 'x'), '--data'),
        (('make', 'facts', '-o', 'x', '--voices', 'darth'), 'no voice'),
        (('make', 'facts', '-o', 'x', '--voices', ' , '), '--voices'),
        (('make', 'facts', '-o', 'x', '--categories', 'jokes'), 'no question'),
        (('make', 'facts', '-o', 'x', '--data', 'nowhere'), 'nowhere'),
        (('run', 'nowhere', '-o', 'x'), 'no suite'),
        (('score', 'nowhere'), 'no folder'),
        (('score', '.'), '-o'),
        (('report', 'nowhere', '-o', 'x'), 'not scored'),
        (('compare', 'nowhere', 'nowhere'), 'not scored'),
        (('export', 'nowhere', '-o', 'x'), 'no run'),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(capsys, tmp_path, monkeypatch, args, reason):
    monkeypatch.chdir(tmp_path)
    status, said = kame(capsys, *args)
    assert status in (1, 2)
    assert reason in said
    assert 'Traceback' not in said


@pytest.mark.parametrize(
    'args',
    [
        ('run', 's', '-o', 'r', '--repeat', '0'),
        ('run', 's', '-o', 'r', '--repeat', '1.5'),
        ('run', 's', '-o', 'r', '--hold', '-1'),
        ('run', 's', '-o', 'r', '--budget', 'nan'),
    ],
)
def test_numbers_that_cannot_be(capsys, args):
    with pytest.raises(SystemExit):
        kame(capsys, *args)


def test_a_suite_is_not_scored_as_recordings(capsys, tmp_path):
    (tmp_path / 'suite.json').write_text('{}')
    status, said = kame(capsys, 'score', tmp_path, '-o', tmp_path / 'scores')
    assert status == 2
    assert 'lead it first' in ' '.join(said.split())
    assert not (tmp_path / 'scores').exists()


def test_a_suite_is_never_written_over(capsys, tmp_path):
    (tmp_path / 'mine.txt').write_text('precious')
    status, said = kame(capsys, 'make', 'facts', '-o', tmp_path)
    assert status == 2
    assert 'not empty' in said
    assert [p.name for p in tmp_path.iterdir()] == ['mine.txt']


@pytest.mark.models
def test_recordings_from_elsewhere_are_scored_and_compared(capsys, tmp_path):
    from kame_ros.evaluation.voices import say

    def write(folder, answer, late_s):
        question = say('What is the capital of France?').sound
        said = say(answer, 'hibari-low').sound
        both = np.zeros((len(question) + len(said) + round((2 + late_s) * 24_000), 2), np.float32)
        both[24_000 : 24_000 + len(question), 0] = question
        start = 24_000 + len(question) + round(late_s * 24_000)
        both[start : start + len(said), 1] = said
        folder.mkdir()
        soundfile.write(folder / 'input.wav', both[:, 0], 24_000)
        soundfile.write(folder / 'output.wav', both[:, 1], 24_000)
        rows = 'input,output,text,accepted,turn_end\n'
        rows += r'input.wav,output.wav,What is the capital of France?,\bparis\b,' + '\n'
        (folder / 'pairs.csv').write_text(rows)

    for name, answer, late_s in (('a', 'The capital is Paris.', 0.5), ('b', 'I like trains.', 1.5)):
        write(tmp_path / name, answer, late_s)
        out = tmp_path / f'scores-{name}'
        status, said = kame(capsys, 'score', tmp_path / name, '-o', out)
        assert status == 0, said
        rows = [json.loads(line) for line in (out / 'scores.jsonl').read_text().splitlines()]
        found = {row['metric']: row['value'] for row in rows}
        assert found['hit_spoken'] == (name == 'a')
        assert abs(found['latency'] - late_s) < 0.15
    status, said = kame(capsys, 'compare', tmp_path / 'scores-a', tmp_path / 'scores-b')
    assert status == 0
    assert '+1.000' in said
    assert 'McNemar' in said
    status, said = kame(
        capsys, 'report', tmp_path / 'scores-a', tmp_path / 'scores-b', '-o', tmp_path / 'report'
    )
    assert status == 0, said
    assert '<svg' in (tmp_path / 'report' / 'index.html').read_text()


def need(name):
    if not weights.KNOWN[name].present:
        pytest.skip(f'{name} is absent: {weights.KNOWN[name].install}')


@pytest.mark.models
def test_a_pair_that_is_bad_is_listed_and_the_others_are_scored(capsys, tmp_path):
    need('whisper-base')
    for name in ('a', 'b'):
        for side in ('input', 'output'):
            soundfile.write(tmp_path / f'{name}.{side}.wav', np.zeros(24_000), 24_000)
    (tmp_path / 'bad.input.wav').write_text('no sound')
    (tmp_path / 'bad.output.wav').write_text('no sound')
    out = tmp_path / 'scores'
    status, said = kame(capsys, 'score', tmp_path, '-o', out)
    assert status == 1
    assert 'left out: bad: ' in said
    rows = [json.loads(line) for line in (out / 'scores.jsonl').read_text().splitlines()]
    assert {row['item'] for row in rows} <= {'a', 'b'}
    told = json.loads((out / 'scoring.json').read_text())
    assert told['conversations'] == 2
    assert list(told['left_out']) == ['bad']
    for name in ('a', 'b'):
        (tmp_path / f'{name}.output.wav').unlink()
    status, said = kame(capsys, 'score', tmp_path, '-o', out)
    assert status == 1
    assert 'left out: a: ' in said
    assert 'no conversation that can be scored' in said
    assert 'Traceback' not in said


def test_a_run_is_written_for_the_scripts_of_the_benchmark(capsys, tmp_path):
    item = Item('smooth-a@slt', 'smooth', (Cue('a.wav'),))
    run = RunFolder(tmp_path / 'run')
    run.open(describe(Suite('scenes', (item,), sounds={'a.wav': '0'}), 'tandem', {}))
    sound = np.zeros(48_000, np.int16)
    labels = {'kind': 'smooth', 'cues': [{'role': 'turn', 'start_s': 0, 'speech': [[0.5, 1.5]]}]}
    run.put(RunPlace(item.id, 1), sound, sound, iter([]), {}, labels)
    run.put(RunPlace('noise', 1), sound, sound, iter([]), {}, {'kind': 'silence'})
    run.close()
    status, said = kame(capsys, 'export', tmp_path / 'run', '-o', tmp_path / 'fdb')
    assert status == 0, said
    assert '1 v1.0/smooth_turn_taking' in said
    assert '1 are of no task' in said
    assert 'kame eval score' in said  # for the words
    status, said = kame(capsys, 'export', tmp_path / 'run', '-o', tmp_path / 'fdb')
    assert status == 2
    assert 'not empty' in said


@pytest.mark.parametrize(
    'session', [{'counters': [1]}, {'books': [3]}, {'counters': {'underruns': 'x'}}]
)
def test_a_session_that_nobody_understands_is_told(tmp_path, session):
    from kame_ros.commands.eval_score import _measured
    from kame_ros.evaluation.recorded import Recorded
    from kame_ros.evaluation.run_folder import BadRun

    silence = np.zeros(24_000, np.int16)
    recorded = Recorded('a', 1, 'question', silence, silence, session=session, folder=tmp_path)
    with pytest.raises(BadRun, match=r'session\.json is not understood'):
        _measured(recorded, False, {})


@pytest.mark.models
def test_your_own_recordings_are_a_suite(capsys, tmp_path):
    from kame_ros.evaluation.suite import load
    from kame_ros.evaluation.voices import say

    sounds = tmp_path / 'mine'
    sounds.mkdir()
    voice = say('What do bees collect?').sound
    soundfile.write(sounds / 'bees.wav', np.concatenate([np.zeros(24_000), voice]), 24_000)
    line = {'id': 'bees', 'text': 'What do bees collect?', 'accepted': ['nectar']}
    (sounds / 'questions.jsonl').write_text(json.dumps(line))
    status, said = kame(capsys, 'make', 'recordings', '--data', sounds, '-o', tmp_path / 'suite')
    assert status == 0, said
    (item,) = load(tmp_path / 'suite').items
    (cue,) = item.cues
    assert cue.accepted == ('nectar',)
    assert abs(cue.speech[0][0] - 1.0) < 0.15


PROMPTS = {
    'single-v1': '{question} | {answer}',
    'single-math-v1': '{question} | {ref_answer_1} | {answer}',
    'single-v1-multi-turn': '{question_1} {answer_1} {question_2} | {answer_2}',
    'single-math-v1-multi-turn': '{question_1} {ref_answer_1} {ref_answer_2} | {answer_2}',
}


@pytest.fixture
def bench(tmp_path):
    """FastChat's files with two questions."""
    folder = tmp_path / 'mt_bench'
    folder.mkdir()
    rows = {
        'judge_prompts.jsonl': [
            {'name': n, 'system_prompt': 'judge', 'prompt_template': t} for n, t in PROMPTS.items()
        ],
        'question.jsonl': [
            {'question_id': i, 'category': 'reasoning', 'turns': [f'What is {i}?', 'And why?']}
            for i in (1, 2)
        ],
        'reference_answer_gpt-4.jsonl': [
            {'question_id': i, 'choices': [{'turns': [f'It is {i}.', 'So.']}]} for i in (1, 2)
        ],
    }
    for name, lines in rows.items():
        (folder / name).write_text('\n'.join(map(json.dumps, lines)))
    return folder


@pytest.fixture
def answered(tmp_path):
    """A run with one conversation of two turns, of which the second has no answer."""
    from kame_ros.evaluation.run_folder import RunFolder, RunPlace, describe
    from kame_ros.evaluation.suite import Cue, Item, Suite
    from kame_ros.evaluation.voices import say

    suite = Suite('mtbench', (Item('mt-1', 'mtbench', (Cue('a.wav'),)),), sounds={'a.wav': '0'})
    run = RunFolder(tmp_path / 'run')
    run.open(describe(suite, 'moshi', {}))
    voice = (say('What is it?').sound * 32_767).astype(np.int16)
    second = len(voice) / 24_000
    silence = np.zeros(48_000, np.int16)
    user = np.concatenate([voice, silence, silence, voice, silence])
    robot = np.concatenate([np.zeros(len(voice) + 12_000, np.int16), voice])
    cues = [
        {'role': 'turn', 'question': q, 'start_s': t, 'speech': [[t, t + second]]}
        for q, t in (('What is it?', 0.0), ('And why?', second + 4.0))
    ]
    labels = {'kind': 'mtbench', 'category': 'reasoning', 'cues': cues, 'tags': {'question_id': 1}}
    session = {'outcome': 'answered', 'monologue': 'What is it?'}
    run.put(RunPlace('mt-1', 1), user, robot, iter([]), session, labels)
    run.close()
    return run.path


def judged(run):
    rows = [json.loads(line) for line in (run / 'scores.jsonl').read_text().splitlines()]
    return {(r['metric'], r['turn']): r['value'] for r in rows if 'judged' in r['metric']}


@pytest.mark.models
def test_a_judge_that_knows_gives_points_and_is_paid_once(capsys, bench, answered, serve):
    trial = [['It is good. [[9]]'], ['Foreign. [[1]]'], ['Empty. [[1]]']] * 2
    server = serve('openai', *trial, ['I rate it [[6]].'])
    judge = ('--judge', f'openai:fake@{server.url}', '--mtbench', bench)
    status, said = kame(capsys, 'score', answered, *judge, '--dry-run')
    assert (status, server.requests) == (0, [])
    assert '6 judgements to try the judge and 1 of answers' in said
    status, said = kame(capsys, 'score', answered, *judge)
    assert status == 0, said
    assert len(server.requests) == 7
    assert judged(answered)['judged_spoken', 1] == 6.0
    assert judged(answered)['judged_spoken', 2] == 1.0  # without an answer: counted, not asked
    status, said = kame(capsys, 'score', answered, *judge)
    assert (status, len(server.requests)) == (0, 7)
    assert '7 judgements were there already' in said


@pytest.mark.models
def test_a_judge_that_likes_everything_is_refused(capsys, bench, answered, serve):
    server = serve('openai', ['Lovely! [[8]]'])
    judge = ('--judge', f'openai:fake@{server.url}', '--mtbench', bench)
    status, said = kame(capsys, 'score', answered, *judge)
    assert status == 1
    assert 'is no judge' in said
    assert len(server.requests) == 6
    assert not (answered / 'scores.jsonl').exists()


def test_a_judge_needs_its_prompts(capsys, answered, tmp_path):
    status, said = kame(capsys, 'score', answered, '--judge', 'openai:x')
    assert (status, '--mtbench' in said) == (2, True)
    status, said = kame(capsys, 'score', answered, '--judge', 'x', '--mtbench', tmp_path)
    assert status == 2


@pytest.fixture
def suite(tmp_path):
    """Two conversations of silence, for a configuration that is here as a whole."""
    pytest.importorskip('rclpy')
    pytest.importorskip('xllamacpp')
    need('smollm2-135m-instruct')
    need('silero-vad')  # finds the voices
    sources = tmp_path / 'mine'
    sources.mkdir()
    for name in ('a', 'b'):
        soundfile.write(sources / f'{name}.wav', np.zeros(24_000), 24_000)
    return make.recordings(tmp_path / 'suite', sources)


@pytest.mark.models
@pytest.mark.parametrize(
    ('args', 'status', 'reason'),
    [
        ((), 0, '2 to lead'),
        (('--set', 'stt.beem=3'), 2, 'stt: there is no parameter beem; did you mean beam?'),
        (('--set', 'stt.beam=many'), 2, "stt: beam is a whole number, not 'many'"),
        (('--set', 'stt.beam=99', '--set', 's2s.tts.voice=0'), 2, 'beam'),
        (('--set', 'oracle.backend=nobody:x'), 2, 'nobody'),
        (('--set', 'oracle.backend=embedded:/no/such.gguf'), 2, 'such.gguf'),
        (('--set', 'oracle.settings=nowhere.yaml'), 2, 'nowhere.yaml'),
        (('--set', 'ear.beam=3'), 2, 'ear'),
        (('--config', 'nowhere'), 2, 'nowhere'),
        (('--items', 'c'), 2, 'c'),
    ],
)
def test_a_dry_run_refuses_what_the_run_would(capsys, tmp_path, suite, args, status, reason):
    run = tmp_path / 'run'
    found, said = kame(capsys, 'run', suite.folder, '-o', run, '--dry-run', *args)
    assert (found, reason in said) == (status, True), said
    assert 'Traceback' not in said
    assert not run.exists()


@pytest.mark.models
def test_a_dry_run_looks_into_its_recordings_and_its_folder(capsys, tmp_path, suite):
    run = tmp_path / 'run'
    asked = ('run', suite.folder, '-o', run, '--dry-run')
    sound = suite.folder / 'sound' / 'a.wav'
    sound.write_text('no sound')
    told = json.loads((suite.folder / 'suite.json').read_text())
    told['sounds']['sound/a.wav'] = hashlib.sha256(b'no sound').hexdigest()
    (suite.folder / 'suite.json').write_text(json.dumps(told))
    status, said = kame(capsys, *asked)
    assert status == 1
    assert 'a.wav is not a sound file' in said
    assert kame(capsys, *asked, '--items', 'b')[0] == 0
    run.mkdir()
    (run / 'mine.txt').touch()
    status, said = kame(capsys, *asked)
    assert status == 1
    assert 'holds something else' in said
    assert [path.name for path in run.iterdir()] == ['mine.txt']
