"""The door for speech recognisers: a re-decoding and a streaming one, from another package."""

import sys

import outside
import pytest
import toy_package
from fake_speech import check, drive, finals, speech
from fake_vad import FakeVad

from kame_ros.stt import engines
from kame_ros.stt.make import speech_to_text
from kame_ros.stt.stream_transcriber import StreamTranscriber
from kame_ros.stt.transcriber import Transcriber
from kame_ros.wire.transcript import Transcript


@pytest.fixture
def toys(tmp_path, monkeypatch):
    toy_package.write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    toy_package.forget()


def test_ours_come_first_and_nobody_replaces_them(toys):
    assert engines.names() == (
        *('whisper', 'remote'),
        *('toy-again', 'toy-broken', 'toy-nothing', 'toy-stream'),
    )
    assert 'toy_engines' not in sys.modules  # told of, and not imported
    with pytest.raises((FileNotFoundError, ImportError), match=r'whisper|no-such|faster'):
        engines.make('whisper', engines.EngineSettings(model='no-such-model'))


def test_the_recipe_of_contributing_hears(tmp_path, monkeypatch):
    outside.install(tmp_path, 'kame_ros.stt', outside.recipe('stt'), mine='MyRecogniser')
    monkeypatch.syspath_prepend(tmp_path)
    heard = speech_to_text('mine', engines.EngineSettings(engine_options='word=so'), FakeVad())
    outputs = drive(heard, speech([(1.0, 2.6)], 5.0))
    check(outputs)
    (final,) = finals(outputs)
    assert set(final.text.split()) == {'so'}
    assert len(final.text.split()) >= 3


def test_without_other_packages_there_are_ours():
    assert engines.names() == ('whisper', 'remote')


def test_an_option_that_an_engine_has_not_is_refused(toys):
    with pytest.raises(ValueError, match=r"has no option 'wrd': it has word$"):
        engines.make('toy-again', engines.EngineSettings(engine_options='wrd=so'))


@pytest.mark.parametrize(
    ('name', 'kind', 'text'),
    [
        ('toy-again', Transcriber, 'hey0 hey1 hey2 hey3'),
        ('toy-stream', StreamTranscriber, 'hey0 hey1 hey2 hey3 over'),
    ],
)
def test_an_engine_of_another_package_hears(toys, name, kind, text):
    settings = engines.EngineSettings(engine_options='word = hey')
    heard = speech_to_text(name, settings, FakeVad())
    assert type(heard) is kind
    heard.warm_up()
    frames = speech([(1.0, 2.6), (4.0, 4.2)], 7.0)
    outputs = drive(heard, frames)
    check(outputs)
    first, second = finals(outputs)
    assert first.text == text
    assert second.text.startswith('hey0')
    assert first.language == 'en'
    partials = [o for _, o in outputs if isinstance(o, Transcript) and not o.final]
    assert len(partials) >= 3
    assert heard.counters()['finals'] == 2
    assert heard.counters()['failed'] == 0
    assert heard.take_error() == ''


def test_what_a_streaming_engine_settles_is_committed_at_once(toys):
    heard = speech_to_text('toy-stream', engines.EngineSettings(), FakeVad())
    outputs = drive(heard, speech([(1.0, 6.0)], 8.0))
    check(outputs)
    partials = [o for _, o in outputs if isinstance(o, Transcript) and not o.final]
    assert partials[-1].committed_text.split() == partials[-1].text.split()[:-1]


def test_an_engine_that_is_none_says_so_in_a_sentence(toys):
    with pytest.raises(ImportError, match='toy-nothing of the package toy-engines is none: object'):
        engines.make('toy-nothing', engines.EngineSettings())
    with pytest.raises(ImportError, match='toy-broken of the package toy-engines cannot be loaded'):
        engines.make('toy-broken', engines.EngineSettings())
    with pytest.raises(ValueError, match="no engine 'toys'; there are: whisper, remote, toy-again"):
        engines.make('toys', engines.EngineSettings())


def test_options_are_read_as_typed():
    assert engines.EngineSettings().options == {}
    assert engines.EngineSettings(engine_options=' a=1;b = x=y ; ').options == {
        'a': '1',
        'b': 'x=y',
    }
    for wrong in ('a', '=1', 'a=1;b'):
        with pytest.raises(ValueError, match='key=value'):
            engines.EngineSettings(engine_options=wrong)


def test_the_node_takes_an_engine_of_another_package(toys):
    """In a process of its own: what is installed is known when it starts."""
    pytest.importorskip('rclpy')
    pytest.importorskip('faster_whisper')  # the detector of voices comes with it
    code = (
        'import rclpy\n'
        'from rclpy.parameter import Parameter as P\n'
        'from kame_ros.nodes.stt_node import SttNode\n'
        'rclpy.init()\n'
        "told = {'engine': 'toy-stream', 'engine_options': 'word=hey'}\n"
        'node = SttNode(parameter_overrides=[P(k, value=v) for k, v in told.items()])\n'
        'node.trigger_configure()\n'
        "print(node.fault or node.counters()['engine'], type(node._transcriber).__name__)\n"
    )
    done = outside.run(toys, code)
    assert done.stdout.split()[-2:] == ['toy-stream', 'StreamTranscriber'], done.stderr
