"""The main job: a spoken question in, the spoken answer out, with real models."""

import json
import os
import re
import signal
import time
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile

from kame_ros.bag.bag import Bag
from kame_ros.record.record import Record
from kame_ros.record.speech import speech_segments

QUESTION = Path(__file__).parents[2] / 'examples' / 'question.wav'
RATE = 24_000

pytestmark = [pytest.mark.graph, pytest.mark.models]


def words(text):
    return re.sub(r"[^a-z0-9' ]", '', text.lower().replace('-', ' '))


def hear(path):
    """What Whisper makes of a whole file, with nothing of ours between."""
    from faster_whisper import WhisperModel

    from kame_ros.runtime import weights

    sound, rate = soundfile.read(path, dtype='float32')
    assert rate == RATE
    import soxr

    model = WhisperModel(str(weights.find('whisper-base')), compute_type='int8', cpu_threads=1)
    segments, _ = model.transcribe(soxr.resample(sound, rate, 16_000), language='en', beam_size=5)
    return ' '.join(segment.text for segment in segments)


@pytest.fixture(scope='module')
def answered(kame):
    answer, record = kame.folder / 'answer.wav', kame.folder / 'session.json'
    bags = kame.folder / 'bags'
    done = kame.run('ask', QUESTION, '-o', answer, '--json', record, '--record', bags)
    assert done.returncode == 0, done.stdout
    return done, answer, json.loads(record.read_text())


def test_the_question_is_heard(answered):
    _, _, session = answered
    (turn,) = session['turns']
    assert words(turn['user_text']) == 'what is the capital of france'


def test_the_answer_says_what_the_record_says(answered):
    _, answer, session = answered
    said = session['turns'][0]['robot_text']
    assert said
    assert jiwer.wer(words(said), words(hear(answer))) <= 0.2


def test_the_answer_is_the_last_oracle(answered):
    _, _, session = answered
    turn = session['turns'][0]
    last = turn['oracles'][-1]
    assert last['state'] == 'applied'
    assert words(last['transcript']) == words(turn['user_text'])
    assert words(turn['robot_text']).endswith(words(last['text']))
    assert last['started_at_s'] <= last['first_word_at_s']
    assert turn['books']['started'] == len(turn['oracles'])
    assert turn['books']['tokens_out'] > 0


def test_every_frame_is_accounted_for(answered, check_frames):
    check_frames(answered[2])


def test_the_bag_holds_the_same_conversation(answered, kame):
    done, _, session = answered
    assert 'is recorded into' in done.stdout
    bag, record = Bag(kame.folder / 'bags'), Record()
    bag.tell('robot', record)
    assert bag.problems == []
    (turn,), (told,) = record.turns(speech_segments), session['turns']  # as the command does
    assert (turn.user_text, turn.robot_text) == (told['user_text'], told['robot_text'])
    assert turn.latency == pytest.approx(told['latency_s'], abs=0.02)
    topics = {message.topic for message in bag.messages()}
    assert {'/robot/audio/mic', '/robot/audio/speech', '/robot/turn', '/rosout'} <= topics


def test_latency_is_what_the_two_files_show(answered):
    _, answer, session = answered
    turn = session['turns'][0]
    sound, rate = soundfile.read(answer)
    assert (rate, sound.ndim) == (RATE, 1)
    first = np.flatnonzero(np.abs(sound) > 0.01)[0] / rate
    assert turn['robot_speech_start_s'] == pytest.approx(first, abs=0.05)
    question, rate = soundfile.read(QUESTION)
    last = np.flatnonzero(np.abs(question) > 0.02)[-1] / rate
    assert turn['user_speech_end_s'] == pytest.approx(last, abs=0.15)
    assert turn['latency_s'] == pytest.approx(
        turn['robot_speech_start_s'] - turn['user_speech_end_s'], abs=0.002
    )


def test_the_record_names_what_ran(answered):
    _, _, session = answered
    assert session['config'] == 'tandem'
    nodes = {'audio_capture', 'stt', 'oracle', 's2s', 'audio_playback', 'recorder'}
    assert set(session['nodes']) == nodes
    assert set(session['models']) == {'stt', 'oracle', 's2s'}
    assert session['outcome'] == 'answered'


def test_people_see_a_table(answered):
    done, _, session = answered
    for text in ('heard', 'said', 'latency', session['turns'][0]['robot_text']):
        assert text in done.stdout


def test_nothing_is_left_behind(kame, answered):
    assert kame.processes() == {}


def two_turns(path, pause_s, rate=RATE, channels=1):
    """Two questions in one file, so far apart."""
    import soxr

    from kame_ros.s2s.tts.voice import HibariVoice

    voice = HibariVoice()
    first = voice.say(['What', 'is', 'the', 'capital', 'of', 'Italy?']).samples
    second = voice.say(['What', 'color', 'is', 'the', 'sky?']).samples
    second_of_silence = np.zeros(RATE, np.float32)
    pause = np.zeros(int(RATE * pause_s), np.float32)
    mono = np.concatenate([second_of_silence, first, pause, second, second_of_silence])
    sound = np.stack([soxr.resample(mono, RATE, rate)] * channels, axis=1)
    soundfile.write(path, sound, rate)


ITALY, SKY = 'what is the capital of italy', 'what color is the sky'


@pytest.mark.long
def test_two_turns_in_stereo_at_another_rate(kame, tmp_path):
    two_turns(tmp_path / 'q.wav', 7, 44_100, 2)
    done = kame.run('ask', tmp_path / 'q.wav', '--json', tmp_path / 's.json')
    assert done.returncode == 0, done.stdout
    turns = json.loads((tmp_path / 's.json').read_text())['turns']
    assert [words(turn['user_text']) for turn in turns] == [ITALY, SKY]
    assert all(turn['robot_text'] for turn in turns)
    assert turns[0]['robot_speech_start_s'] < turns[1]['user_speech_end_s']


@pytest.mark.long
def test_the_conversation_survives_the_death_of_two_nodes(kame, tmp_path, check_frames):
    two_turns(tmp_path / 'q.wav', 24)
    process = kame.start('killed', 'ask', tmp_path / 'q.wav', '--json', tmp_path / 's.json')
    assert kame.until_printed('killed', 'nodes are up')
    time.sleep(9)  # the first question is asked and answered
    for node in ('stt', 'oracle'):
        os.kill(kame.pid_of(node), signal.SIGKILL)
    assert process.wait(120) == 0, kame.printed('killed')
    session = json.loads((tmp_path / 's.json').read_text())
    assert [words(turn['user_text']) for turn in session['turns']] == [ITALY, SKY]
    assert all(turn['oracles'][-1]['state'] == 'applied' for turn in session['turns'])
    check_frames(session)


@pytest.mark.parametrize(
    'level',
    [pytest.param(0.0, id='silence'), pytest.param(0.02, id='noise', marks=pytest.mark.long)],
)
def test_a_recording_without_speech(kame, tmp_path, level):
    sound = np.random.default_rng(1).normal(0, level, RATE * 3).clip(-1, 1)
    soundfile.write(tmp_path / 'q.wav', sound, RATE)
    done = kame.run(
        'ask', tmp_path / 'q.wav', '-o', tmp_path / 'a.wav', '--json', tmp_path / 's.json'
    )
    assert done.returncode == 0, done.stdout
    assert 'no speech was heard' in done.stdout
    assert json.loads((tmp_path / 's.json').read_text())['turns'] == []
    answer, _ = soundfile.read(tmp_path / 'a.wav')
    assert not answer.any()


def test_ctrl_c_ends_everything(kame):
    process = kame.start('stopped', 'ask', QUESTION)
    assert kame.until_printed('stopped', 'nodes are up')
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 1
    assert 'stopped' in kame.printed('stopped').splitlines()[-1]
    assert kame.processes() == {}


def refused(kame, *args):
    done = kame.run('ask', *args)
    assert done.returncode != 0
    assert 'Traceback' not in done.stdout
    assert 'error' in done.stdout
    return done.stdout


def test_files_that_are_no_question(kame, tmp_path):
    (tmp_path / 'text.wav').write_text('this is no sound')
    (tmp_path / 'nothing.wav').write_bytes(b'')
    soundfile.write(tmp_path / 'empty.wav', np.zeros(0), RATE)
    for name in ('text.wav', 'nothing.wav', 'empty.wav', 'absent.wav'):
        assert name in refused(kame, tmp_path / name)


def test_answers_that_cannot_be_written_are_refused_before_anything_starts(kame, tmp_path):
    for path in (tmp_path, tmp_path / 'no' / 'a.wav', '/proc/a.wav'):
        assert str(path) in refused(kame, QUESTION, '-o', path).replace('\n', '')


def test_wrong_settings(kame):
    assert 'did you mean cascade' in refused(kame, QUESTION, '--config', 'cascad')
    assert 'of the form' in refused(kame, QUESTION, '--set', 'nonsense')
    assert 'did you mean model' in refused(kame, QUESTION, '--set', 'stt.modle=x')
    missing = refused(kame, QUESTION, '--set', 'stt.model=/no/such/model')
    assert 'stt: cannot configure' in missing
    assert '/no/such/model' in missing
