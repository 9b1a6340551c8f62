import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kame_ros.runtime import weights
from kame_ros.stt.engines.whisper import WhisperRecogniser
from kame_ros.stt.transcriber import Transcriber
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.frame import Frame
from kame_ros.wire.transcript import Transcript

pytestmark = pytest.mark.models
HUMAN = Path('/usr/share/pocketsphinx/test/data/librivox')


def need(name):
    if not weights.KNOWN[name].present:
        pytest.skip(f'{name} is absent: {weights.KNOWN[name].install}')


@pytest.fixture(scope='module')
def base():
    need('whisper-base')
    return WhisperRecogniser(language='en')


@pytest.fixture(scope='module')
def voice():
    """A sentence in a real voice, float32 at 16 kHz."""
    path = next(HUMAN.glob('*0930.wav'), None) if HUMAN.is_dir() else None
    if path is None:
        pytest.skip('the recording is absent: apt-get install pocketsphinx-testdata')
    data = np.frombuffer(path.read_bytes()[44:], '<i2').astype(np.float32) / 32_768
    return data[: len(data) // 512 * 512]


SAID = 'He might even have been made amiable himself.'


def test_a_sentence_with_times(base, voice):
    heard = base.recognise(voice, final=True)
    assert heard.text == SAID
    assert heard.language == 'en'
    starts = [w.start for w in heard.words]
    assert starts == sorted(starts)
    assert all(w.start <= w.end <= len(voice) / 16_000 + 0.1 for w in heard.words)
    assert np.mean([w.probability for w in heard.words]) > 0.7
    assert heard.no_speech < 0.1


@pytest.mark.parametrize(('seconds', 'frames'), [(1, 500), (6, 500), (7, 750), (13, 750)])
def test_a_short_sound_is_padded_to_a_short_window(base, seconds, frames):
    encoded = base._encode(np.zeros(seconds * 16_000, np.float32))
    assert encoded.shape[1] == frames  # of 20 ms


def test_the_window_is_never_longer_than_it_was_set():
    need('whisper-tiny.en')
    tiny = WhisperRecogniser('whisper-tiny.en', window=8.0)
    assert tiny._encode(np.zeros(16_000, np.float32)).shape[1] == 400


def test_silence_is_doubted(base):
    heard = base.recognise(np.zeros(32_000, np.float32), final=True)
    assert heard.no_speech > 0.6


def test_the_language_is_detected(voice):
    need('whisper-base')
    assert WhisperRecogniser().recognise(voice, final=False).language == 'en'


def test_an_english_model(voice):
    need('whisper-tiny.en')
    tiny = WhisperRecogniser('whisper-tiny.en')
    assert 'might even have been made' in tiny.recognise(voice, final=True).text
    with pytest.raises(ValueError, match='English'):
        WhisperRecogniser('whisper-tiny.en', language='de')


def test_models_that_cannot_be(tmp_path):
    with pytest.raises(weights.MissingWeights, match='whisper-base'):
        WhisperRecogniser('no-such-model')
    with pytest.raises(weights.MissingWeights):
        WhisperRecogniser(str(tmp_path))
    need('whisper-tiny.en')
    with pytest.raises(ValueError, match='window'):
        WhisperRecogniser('whisper-tiny.en', window=60.0)
    with pytest.raises(ValueError, match='language'):
        WhisperRecogniser('whisper-base', language='xx')


@pytest.fixture
def hub(monkeypatch):
    """What is asked of the hub: each name, and whether its cache alone is asked. It has nothing."""
    pytest.importorskip('faster_whisper')
    huggingface_hub = pytest.importorskip('huggingface_hub')
    asked = []

    def snapshot_download(name, **options):
        asked.append((name, options['local_files_only']))
        raise FileNotFoundError(name)

    monkeypatch.setattr(huggingface_hub, 'snapshot_download', snapshot_download)
    return asked


@pytest.mark.parametrize('name', ['some-body/whisper-large', 'large-v3'])
def test_what_may_not_be_fetched_is_refused_in_a_sentence(hub, name):
    with pytest.raises(weights.MissingWeights) as refused:
        WhisperRecogniser(name, may_fetch=False)
    assert 'nothing is fetched' in str(refused.value)
    assert f'stt.model={name}' in str(refused.value)
    assert [local for _, local in hub] == [True]
    with pytest.raises(OSError, match='whisper'):  # the hub's own word
        WhisperRecogniser(name)
    assert [local for _, local in hub] == [True, False]


def test_a_folder_is_not_completed_from_the_hub(hub, tmp_path):
    (tmp_path / 'model.bin').touch()
    with pytest.raises(weights.MissingWeights, match='nothing is fetched'):
        WhisperRecogniser(str(tmp_path), may_fetch=False)
    assert not hub


def test_a_packaged_model_is_on_this_machine(hub):
    need('whisper-tiny.en')
    WhisperRecogniser('whisper-tiny.en', may_fetch=False).warm_up()
    assert not hub


def test_the_whole_chain_hears_a_real_voice(base, voice):
    import soxr

    sound = np.concatenate([np.zeros(16_000), voice, np.zeros(24_000)])
    pcm = (soxr.resample(sound, 16_000, 24_000) * 32_767).astype(np.int16)
    frames = pcm[: len(pcm) // 1920 * 1920].reshape(-1, 1920)
    transcriber = Transcriber(base, SileroVad(), meter=lambda: 0.0)  # on any machine the same
    outputs = []
    for i, samples in enumerate(frames):
        outputs += transcriber.feed(Frame(i, i * 0.08, samples)) + transcriber.work()
    transcripts = [o for o in outputs if isinstance(o, Transcript)]
    assert transcripts[-1].final
    assert transcripts[-1].text == SAID
    assert sum(t.final for t in transcripts) == 1
    assert len(transcripts) > 3


def test_nothing_heavy_is_imported_early():
    code = (
        'import sys, kame_ros.stt.transcriber, kame_ros.stt.engines.whisper\n'
        'import kame_ros.stt.engines.remote\n'
        'heavy = {"faster_whisper", "ctranslate2", "openai", "onnxruntime", "soxr"}\n'
        'sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)'
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, '-c', code], check=True, cwd=root)
