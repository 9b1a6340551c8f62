"""The whole way of an evaluation: ten questions and eight scenes through the real graph, scored."""

import json

import numpy as np
import pytest
import soundfile

pytest.importorskip('whisper_normalizer', reason='make setup-eval')
pytest.importorskip('scipy', reason='make setup-eval')
pytestmark = [pytest.mark.graph, pytest.mark.models, pytest.mark.long, pytest.mark.timeout(1200)]

FACTS = ('fact-0[1-6]*', 'arith-0[12]*', 'sense-0[12]*')
SCENES = ('pause-0.8@*', 'pause-2@*', 'smooth-has*', 'interrupt-*', 'backchannel-right*')
SCENES += ('noise-cough', 'noise-knock')


@pytest.fixture(scope='module')
def runs(kame):
    folders = {}
    for name, patterns in (('facts', FACTS), ('scenes', SCENES)):
        suite, run = kame.folder / name, kame.folder / f'run-{name}'
        made = kame.run('eval', 'make', name, '-o', suite)
        assert made.returncode == 0, made.stdout
        done = kame.run(
            *('eval', 'run', suite, '-o', run, '--items', ','.join(patterns)), patience=400
        )
        assert done.returncode == 0, done.stdout
        folders[name] = suite, run
    return folders


@pytest.fixture(scope='module')
def scored(kame, runs):
    for _, run in runs.values():
        done = kame.run('eval', 'score', run)
        assert done.returncode == 0, done.stdout
    return {
        name: [json.loads(line) for line in (run / 'scores.jsonl').read_text().splitlines()]
        for name, (_, run) in runs.items()
    }


def test_each_conversation_is_there_whole(runs):
    for name, count in (('facts', 10), ('scenes', 8)):
        places = sorted((runs[name][1] / 'items').glob('*/1/done.json'))
        assert len(places) == count
        for place in places:
            sound, rate = soundfile.read(place.with_name('audio.wav'))
            assert rate == 24_000
            assert sound.shape[1] == 2
            assert np.any(sound[:, 0])  # the user was heard
            session = json.loads(place.with_name('session.json').read_text())
            labels = json.loads(place.with_name('labels.json').read_text())
            outcome = session['outcome']  # to a remark the robot may say nothing
            assert outcome.startswith(('answered', 'nothing heard', 'waited')), (place, outcome)
            assert labels['cues'][0]['start_s'] >= 0.4
            assert place.with_name('events.jsonl').read_text().count('\n') > 0


def test_labels_are_where_the_sound_is(runs):
    """Exact to a frame: nothing but the label knows where the voice is."""
    for place in (runs['facts'][1] / 'items').glob('*/1'):
        labels = json.loads((place / 'labels.json').read_text())
        sound, rate = soundfile.read(place / 'audio.wav')
        loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.02) / rate
        (begin, end) = labels['cues'][0]['speech'][0][0], labels['cues'][0]['speech'][-1][1]
        assert abs(loud[0] - begin) < 0.1
        assert abs(loud[-1] - end) < 0.1


def test_each_question_is_heard_and_answered(scored):
    """Which answers are right depends on the machine's speed; that there are some does not."""
    rows = scored['facts']
    answered = [r['value'] for r in rows if r['metric'] == 'answered']
    assert len(answered) == 10
    assert sum(answered) >= 7  # a machine that is very busy hears some of them too late
    assert len([r for r in rows if r['metric'] == 'hit_spoken']) == 10
    assert len([r for r in rows if r['metric'] == 'latency']) >= sum(answered)
    books = [r for r in rows if r['metric'] == 'llm_started']
    assert len(books) == 10  # each turn is booked in the conversation that it belongs to
    assert sum(r['value'] >= 1 for r in books) >= sum(answered)


def test_each_scene_was_played_and_has_its_figures(scored):
    rows = scored['scenes']

    def count(metric):
        return len([r for r in rows if r['metric'] == metric])

    assert count('cut_in') == 2
    assert count('silent') == 2
    assert count('played') == 3  # two interruptions and a remark
    played = sum(r['value'] for r in rows if r['metric'] == 'played')
    assert count('stopped') + count('survived') == played >= 1
    assert count('answered_remark') == count('survived')


def test_scoring_again_gives_the_same_bytes(kame, runs, scored):
    _, run = runs['facts']
    before = (run / 'scores.jsonl').read_bytes()
    assert kame.run('eval', 'score', run).returncode == 0
    assert (run / 'scores.jsonl').read_bytes() == before


def test_a_run_is_gone_on_with_or_refused(kame, runs):
    suite, run = runs['facts']
    more = ('--items', ','.join(FACTS))
    again = kame.run('eval', 'run', suite, '-o', run, *more)
    assert again.returncode == 0
    assert '0 to lead' in again.stdout
    other = kame.run('eval', 'run', suite, '-o', run, '--config', 'cascade', *more)
    assert other.returncode == 1
    assert 'another run: its config is tandem, not cascade' in other.stdout


def test_the_report_has_everything_in_one_page(kame, runs, scored):
    out = kame.folder / 'report'
    folders = [run for _, run in runs.values()]
    done = kame.run('eval', 'report', *folders, '-o', out, '--published')
    assert done.returncode == 0, done.stdout
    page = (out / 'index.html').read_text()
    assert page.count('<audio') == 18
    assert page.count('<svg') >= 5
    assert 'src="http' not in page
    assert (out / 'answers-and-times.csv').is_file()
    same = kame.run('eval', 'compare', folders[0], folders[0])
    assert same.returncode == 0
    assert '+0.000' in same.stdout
    unlike = kame.run('eval', 'compare', *folders)
    assert unlike.returncode == 2
    assert 'cannot be compared' in unlike.stdout
