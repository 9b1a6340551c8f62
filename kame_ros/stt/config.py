"""The parameters of speech-to-text that no engine has for itself: when to decode, what to keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.settings.param import prefixed, setting
from kame_ros.stt.agreement import AgreementConfig
from kame_ros.stt.echo import EchoGuardConfig
from kame_ros.stt.engines.whisper_guards import GuardConfig
from kame_ros.turns.speech_gate import GateConfig


@dataclass(frozen=True)
class TranscriberConfig:
    """When to decode. Seconds on the audio clock.

    A first partial after `first_s` of voice, then one every `step_s`, rarer if a decode costs more
    than `load` of that. After `pause_s` without voice the sound is decoded in final quality, ahead
    of the end of speech (`gate.min_silence_s`): if nobody goes on, that is the final.
    """

    step_s: float = setting(0.32, 'Time between two partial transcripts.', low=0.1, high=10.0)
    first_s: float = 0.4
    load: float = 0.7
    pause_s: float = 0.096  # three windows: less is a part of a word
    pre_roll_s: float = 0.4  # sound kept before the first voice
    post_roll_s: float = 0.3  # sound kept after the last voice
    max_backlog_s: float = 60.0  # undecoded sound of one utterance; older is dropped and counted
    max_waiting: int = 20  # utterances; the oldest of more gets its last partial as its final
    max_waiting_s: float = 120.0  # of sound in them together (8 MB); the same
    word_times: bool = setting(False, 'Whether transcripts carry the time of each word.')
    gate: GateConfig = field(default_factory=GateConfig)
    agreement: AgreementConfig = field(default_factory=AgreementConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    echo: EchoGuardConfig = field(default_factory=EchoGuardConfig, metadata=prefixed('echo_'))
