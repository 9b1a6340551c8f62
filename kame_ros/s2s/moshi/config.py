"""The parameters of the moshi front-end, checked. No torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kame_ros.s2s.moshi import memory
from kame_ros.settings.options import options_of
from kame_ros.settings.param import MODEL, OPTIONS, BadParameter, check_settings, setting
from kame_ros.turns import end_of_turn
from kame_ros.turns.end_of_turn import EndOfTurn, EndOfTurnSettings
from kame_ros.turns.voice_gate import SPEAK

DTYPES = ('auto', 'bfloat16', 'float16', 'float32')
QUANTISE = ('none', 'int8', 'int4', 'fp8')
MODES = ('fifo', 'positional')
FIT = ('off', 'auto')
RANDOM = 'random'  # instead of weights: a small random model, which speaks noise


AS_TOLD = -1.0  # a temperature: what the checkpoint tells, else Moshi's own


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How tokens are drawn; what is not set is as `lm_gen_config` of the checkpoint has it."""

    temperature: float = setting(
        AS_TOLD,
        'Sampling of the sound tokens; 0 takes the likeliest; -1: as the checkpoint tells, else '
        '0.8.',
        low=AS_TOLD,
    )
    temperature_text: float = setting(
        AS_TOLD,
        'Sampling of the text tokens; 0 takes the likeliest; -1: as the checkpoint tells, else '
        '0.7.',
        low=AS_TOLD,
    )
    top_k: int = setting(
        0,
        'Of how many sound tokens one is drawn; 0: as the checkpoint tells, else of 250.',
        low=0,
    )
    top_k_text: int = setting(
        0,
        'Of how many text tokens one is drawn; 0: as the checkpoint tells, else of 25.',
        low=0,
    )

    def completed(self, told: Mapping[str, Any]) -> Sampling:
        """The same with every number; `told` is lm_gen_config. Raises ValueError for a bad one."""
        temperature, temperature_text = self.temperature, self.temperature_text
        if temperature == AS_TOLD:
            temperature = _number(told, 'temp', 0.8, 0.0)
        if temperature_text == AS_TOLD:
            temperature_text = _number(told, 'temp_text', 0.7, 0.0)
        return Sampling(
            temperature=temperature,
            temperature_text=temperature_text,
            top_k=self.top_k or int(_number(told, 'top_k', 250, 1)),
            top_k_text=self.top_k_text or int(_number(told, 'top_k_text', 25, 1)),
        )


def _number(told: Mapping[str, Any], key: str, default: float, least: float) -> float:
    value = told.get(key, default)
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not least <= value < math.inf:
        raise ValueError(f'lm_gen_config of the checkpoint has {key}={value!r}, which cannot be')
    return value


@dataclass(frozen=True, kw_only=True)
class MoshiConfig(Sampling):
    """What the moshi front-end is built from. Raises ValueError for what cannot be."""

    weights: str = setting(
        'SakanaAI/kame',
        'A folder, a repository on the Hugging Face hub, or random for a small test model.',
        names=MODEL,
    )
    revision: str = setting('', 'Which revision of the repository; empty: the newest.')
    lora: str = setting('', 'A file of LoRA weights to add; empty: none.', names=MODEL)
    device: str = setting('auto', 'Where it runs: auto, cpu, cuda or cuda:N.')
    dtype: str = setting(
        'auto', 'The number format; auto: bfloat16 on a GPU, float32 on a CPU.', choices=DTYPES
    )
    mode: str = setting(
        'fifo',
        'fifo feeds every oracle token; positional drops late ones, as the reference does.',
        choices=MODES,
    )
    quantise: str = setting(
        'none',
        'Weight-only quantisation of the language model; needs lean.',
        choices=QUANTISE,
    )
    fit: str = setting(
        'off',
        'auto: smaller weights, a shorter context and fewer slots than set, as far as the free '
        'memory asks for it; less again after memory ran out.',
        choices=FIT,
    )
    context: int = setting(
        0, 'How many frames back the model attends to; 0: as it was trained.', low=0, unit='frames'
    )
    seed: int = setting(
        -1, 'For the same conversation twice; -1: another one at each start.', low=-1
    )
    slots: int = setting(
        1,
        'How many robots share the model in s2s_slots; s2s is one robot and builds one.',
        low=1,
    )
    threads: int = setting(1, 'Threads on a CPU.', low=1)
    lean: bool = setting(True, 'Whether to run the same mathematics with far fewer operations.')
    fused: bool = setting(
        False, 'Whether to run it as a few Triton kernels, on a GPU; quantise implies it there.'
    )
    compile: bool = setting(False, 'Whether torch.compile fuses it instead; needs a C compiler.')
    priming_frames: int = setting(
        64,
        'So many frames of silence each session begins after, which the model heard when it was '
        'loaded: without, its first seconds may be gibberish.',
        low=0,
        high=1000,
        unit='frames',
    )
    oracle_retries: int = setting(
        1,
        'How often an oracle is fed again that the model took without speaking it; with the mode '
        'fifo.',
        low=0,
        high=5,
    )
    hush_s: float = setting(
        0.96, 'How many seconds the robot keeps silent after an interruption.', low=0.0
    )
    barge_in: bool = setting(
        True,
        'Whether the robot gives way when the user speaks over it: it ducks, and stops if the '
        'words are more than a back-channel; needs no echo.',
    )
    barge_in_profile: str = setting(
        'moshi',
        'How readily it gives way: a profile, here or of another package.',
    )

    speak: str = setting(
        'always',
        "When the model's voice is heard: always; after_turn: not while the user's turn lasts; "
        'guided: nor where no oracle tells it what to say. It hears and thinks on all the time.',
        choices=SPEAK,
    )
    end_of_turn: str = setting(
        'combined',
        "What tells that the user's turn is over, as tts.end_of_turn; for speak and for the stt "
        'node.',
    )
    end_of_turn_options: str = setting(
        '', 'What only one strategy knows, as tts.end_of_turn_options.', names=OPTIONS
    )
    quickness: float = setting(0.5, 'The same as tts.quickness.', low=0.0, high=1.0)
    shortfalls: int = 0  # how often memory ran out in earlier lives of the node

    def __post_init__(self) -> None:
        check_settings(self)
        if not re.fullmatch(r'auto|cpu|cuda(:\d+)?', self.device):
            raise ValueError(f'device must be auto, cpu, cuda or cuda:N, not {self.device!r}')
        if not self.weights:
            raise ValueError('weights must name a folder or a repository on the Hugging Face hub')
        for name in ('temperature', 'temperature_text'):
            if AS_TOLD < getattr(self, name) < 0:
                raise ValueError(f'{name} is 0 or more, or -1 for what the checkpoint tells')
        if self.quantise != 'none' and not self.lean:
            raise ValueError('quantise needs lean: only the lean step has quantised layers')
        if self.fused and (self.compile or not self.lean):
            raise ValueError('fused needs lean, and cannot be combined with compile')

    def dtype_on(self, device: str) -> str:
        """The name of the number format on a device: what is set, or what auto stands for there."""
        if self.dtype != 'auto':
            return self.dtype
        return 'float32' if device == 'cpu' else 'bfloat16'

    def memory_setting(self) -> memory.Setting:
        """What of it decides over memory."""
        return memory.Setting(self.quantise, self.context, self.slots)

    def with_memory(self, found: memory.Setting) -> MoshiConfig:
        """The same with other settings that decide over memory."""
        return replace(self, quantise=found.quantise, context=found.context, slots=found.slots)

    def strategy(self, hears: bool) -> EndOfTurn | None:
        """What tells that the user's turn is over, for one robot; None if it has no ear for it.

        Raises ValueError where one is needed, and what the strategy raises.
        """
        if not hears and self.speak != 'always':
            raise BadParameter(f'speak={self.speak} needs barge_in, the ear that hears the user')
        if not hears:
            return None
        options = options_of(self.end_of_turn_options, 'an end-of-turn strategy')
        settings = EndOfTurnSettings(quickness=self.quickness, options=options)
        return end_of_turn.make(self.end_of_turn, settings)
