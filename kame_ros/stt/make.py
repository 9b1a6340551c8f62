"""Makes the speech-to-text of a robot: an engine by name, in what makes it stream."""

from __future__ import annotations

import time
from collections.abc import Callable

from kame_ros.stt import engines
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.recogniser import Recogniser
from kame_ros.stt.speech_to_text import SpeechToText
from kame_ros.stt.stream_transcriber import StreamTranscriber
from kame_ros.stt.transcriber import Transcriber
from kame_ros.turns.vad import Vad


def speech_to_text(
    engine: str,
    settings: engines.EngineSettings,
    vad: Vad,
    config: TranscriberConfig | None = None,
    meter: Callable[[], float] = time.perf_counter,
) -> SpeechToText:
    """Load the engine called so. Raises what `engines.make` raises."""
    made = engines.make(engine, settings)
    if isinstance(made, Recogniser):
        return Transcriber(made, vad, config, meter)
    return StreamTranscriber(made, vad, config, meter)
