"""Makes the `tts` front-end from the parameters of its node."""

from __future__ import annotations

from kame_ros.s2s.front_ends import FrontEndSettings
from kame_ros.s2s.tts.config import TtsConfig, VoiceConfig
from kame_ros.s2s.tts.front_end import TtsFrontEnd
from kame_ros.s2s.tts.voice import HibariVoice
from kame_ros.turns.vad import SileroVad


def make(settings: FrontEndSettings) -> TtsFrontEnd:
    """Loads the voice and the ear. Raises ValueError, ImportError, or what the weights raise."""
    wanted: VoiceConfig = settings.filled('tts', VoiceConfig)
    voice = HibariVoice(wanted.voice, wanted.speed)
    return TtsFrontEnd(voice, SileroVad(), settings.filled('tts', TtsConfig))
