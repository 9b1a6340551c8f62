"""The stt node on a real voice, with the small model."""

import array
import socket
from pathlib import Path

import numpy as np
import pytest

from kame_ros import msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.stt_node import SttNode
from kame_ros.runtime import weights

rclpy = pytest.importorskip('rclpy')
from rclpy.lifecycle import TransitionCallbackReturn  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

HUMAN = Path('/usr/share/pocketsphinx/test/data/librivox')
SMALL = 'whisper-tiny.en'
pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(not weights.KNOWN[SMALL].present, reason=weights.KNOWN[SMALL].install),
    pytest.mark.skipif(not HUMAN.is_dir(), reason='apt-get install pocketsphinx-testdata'),
]


def messages(name):
    """A recording as AudioFrame messages, 0.8 s of silence before and 1.6 s after it."""
    import soxr

    data = next(HUMAN.glob(f'*{name}.wav')).read_bytes()[44:]
    sound = soxr.resample(np.frombuffer(data, '<i2').astype(np.float32), 16_000, 24_000)
    pcm = np.concatenate([np.zeros(19_200), sound, np.zeros(38_400)]).astype(np.int16)
    frames = pcm[: len(pcm) // 1920 * 1920].reshape(-1, 1920)
    return [
        msg.AudioFrame(
            header=convert.header(100.0 + i * 0.08),
            seq=i,
            sample_rate=24_000,
            channels=1,
            data=array.array('h', samples.tobytes()),
        )
        for i, samples in enumerate(frames)
    ]


@pytest.fixture
def heard(ros):
    """An active node, a publisher of sound, and lists of what the node says."""
    overrides = [Parameter('model', value=SMALL), Parameter('word_times', value=True)]
    node = ros.add(SttNode(parameter_overrides=overrides))
    peer = ros.add(Node('peer'))
    transcripts, events = [], []
    peer.create_subscription(msg.Transcript, 'transcript', transcripts.append, qos.TEXT)
    peer.create_subscription(msg.TurnEvent, 'turn', events.append, qos.TEXT)
    mic = peer.create_publisher(msg.AudioFrame, 'audio/mic', qos.AUDIO_OFFER)
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    assert ros.until(lambda: mic.get_subscription_count() > 0)
    return node, mic, transcripts, events


def send(ros, node, mic, frames):
    """Publish, each frame when the one before has been taken."""
    for frame in frames:
        before = node._mic.received
        mic.publish(frame)
        assert ros.until(lambda before=before: node._mic.received > before)


def test_a_sentence_is_transcribed(ros, heard):
    node, mic, transcripts, events = heard
    send(ros, node, mic, messages('0930'))
    assert ros.until(lambda: any(t.final for t in transcripts))
    assert ros.until(lambda: len(events) >= 2)
    final = transcripts[-1]
    assert final.final
    assert 'might even have been made' in final.text
    assert [w.text for w in final.words] == final.text.split()
    assert all(100.0 <= convert.from_time(w.start) <= 106.0 for w in final.words)
    assert [t.revision for t in transcripts] == list(range(len(transcripts)))
    assert [e.kind for e in events] == [
        msg.TurnEvent.USER_SPEECH_START,
        msg.TurnEvent.USER_SPEECH_END,
    ]
    assert 100.8 < convert.from_time(events[0].header.stamp) < 101.3
    counters = node.counters()
    assert counters['finals'] == 1
    assert counters['gaps'] == counters['frames_dropped'] == 0
    assert 0.0 < counters['rtf'] < 5.0


def test_an_utterance_that_is_interrupted_gets_its_final(ros, heard):
    node, mic, transcripts, _ = heard
    send(ros, node, mic, messages('0930')[:40])
    assert ros.until(lambda: transcripts)
    node.trigger_deactivate()
    assert ros.until(lambda: transcripts[-1].final)
    assert sum(t.final for t in transcripts) == 1


def test_a_model_that_is_set_later_is_not_fetched(ros, monkeypatch):
    import huggingface_hub

    asked = []

    def snapshot_download(name, **options):
        asked.append((name, options['local_files_only']))
        raise FileNotFoundError(name)

    monkeypatch.setattr(huggingface_hub, 'snapshot_download', snapshot_download)
    node = ros.add(SttNode(parameter_overrides=[Parameter('model', value=SMALL)]))
    node.set_parameters([Parameter('model', value='some-body/whisper-large')])
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert 'nothing is fetched' in node.fault
    assert '\n' not in node.fault
    node = ros.add(SttNode(parameter_overrides=[Parameter('model', value='some-body/other')]))
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert asked == [('some-body/whisper-large', True), ('some-body/other', False)]


def test_frames_that_are_no_frames_are_counted(ros, heard):
    node, mic, transcripts, _ = heard
    mic.publish(msg.AudioFrame(sample_rate=16_000, channels=1, data=array.array('h', [0] * 1280)))
    assert ros.until(lambda: node.totals()['bad_frames'] == 1)
    assert not transcripts


def test_a_server_may_come_up_after_the_robot(ros, monkeypatch):
    pytest.importorskip('openai')
    monkeypatch.setenv('OPENAI_API_KEY', 'scripted-key')
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))  # bound and not listening: refused
        url = f'http://127.0.0.1:{taken.getsockname()[1]}/v1'
        overrides = [Parameter('engine', value='remote'), Parameter('base_url', value=url)]
        node = ros.add(SttNode(parameter_overrides=overrides))
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    node.trigger_cleanup()
    node.set_parameters([Parameter('base_url', value='')])
    monkeypatch.delenv('OPENAI_API_KEY')
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert 'OPENAI_API_KEY' in node.fault


def test_no_parameter_sends_a_secret_to_a_server_of_its_own(ros, monkeypatch):
    pytest.importorskip('openai')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'canary-42')
    monkeypatch.delenv('KAME_KEY_HOSTS', raising=False)
    with socket.create_server(('127.0.0.1', 0)) as stranger:
        url = f'http://127.0.0.1:{stranger.getsockname()[1]}/v1'
        settings = {'engine': 'remote', 'base_url': url, 'key_variable': 'AWS_SECRET_ACCESS_KEY'}
        overrides = [Parameter(name, value=value) for name, value in settings.items()]
        node = ros.add(SttNode(parameter_overrides=overrides))
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert 'KAME_KEY_HOSTS=AWS_SECRET_ACCESS_KEY@' in node.fault
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_a_language_with_limits_is_told_of_when_the_node_is_configured(ros, monkeypatch):
    overrides = [Parameter('model', value=SMALL), Parameter('language', value='de')]
    node = ros.add(SttNode(parameter_overrides=overrides))
    told = []
    logger = node.get_logger()
    monkeypatch.setattr(logger, 'warning', told.append)
    monkeypatch.setattr(node, 'get_logger', lambda: logger)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert 'speaks English only' in node.fault
    assert [text for text in told if text.startswith('the language is de: ')]
