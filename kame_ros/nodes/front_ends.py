"""The front-ends as parameters of the s2s node: one row for each field of their configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from kame_ros.nodes.parameters import Param
from kame_ros.s2s.front_end import FrontEnd
from kame_ros.s2s.moshi.config import DTYPES, MODES, QUANTISE, MoshiConfig
from kame_ros.s2s.tts_config import TtsConfig

if TYPE_CHECKING:
    from kame_ros.s2s.moshi.slots import MoshiSlots

FRONT_ENDS = ('tts', 'moshi')

_TTS = {
    'end_of_turn_s': "The user's turn is over after so many seconds of silence.",
    'unknown_s': 'The same while his words are not transcribed yet.',
    'incomplete_s': 'The same when his words hang in the air, as after "I would like to".',
    'wait_for_turn_end': "Whether the robot waits for the end of the user's turn to speak.",
    'barge_in': 'Whether the robot gives way when the user speaks over it.',
    'barge_in_s': 'It is silent when the user has spoken over it for so many seconds.',
    'interrupt_s': 'It drops what is unsaid when he has done so for so many seconds (at least 1.5 '
    'where he is transcribed), or when his words are more than a back-channel; else it goes on.',
    'words_s': 'How many seconds it waits for the words of a short remark before it goes on.',
    'duck_gain': 'How loud it speaks as soon as the user speaks over it, 0 to 1; 1: as before.',
    'rewind_s': 'When it goes on, it repeats the words of so many seconds.',
    'min_turn_s': 'What is shorter than so many seconds is a cough, and needs no answer.',
    'filler': 'Said at the end of a turn when there is no answer yet; empty: nothing.',
    'apology': 'Said when no answer came within patience_s; empty: nothing.',
    'patience_s': 'How many seconds after a turn the apology is said.',
    'correction': 'Said before a text that contradicts what was said already.',
    'clause_words': 'A clause without punctuation is spoken once it has so many words.',
    'stall_s': 'A clause that stops growing for so many seconds is spoken as it is.',
    'lookahead_s': 'The next clause is made when less than so many seconds of sound are left.',
    'comma_pause_s': 'The pause after a comma, in seconds.',
    'sentence_pause_s': 'The pause after a sentence, in seconds.',
    'fade_s': 'How fast the voice fades when it is interrupted, in seconds.',
}
_MOSHI = {
    'weights': 'A folder, a repository on the Hugging Face hub, or random for a small test model.',
    'revision': 'Which revision of the repository; empty: the newest.',
    'lora': 'A file of LoRA weights to add; empty: none.',
    'device': 'Where it runs: auto, cpu, cuda or cuda:N.',
    'dtype': 'The number format; auto: bfloat16 on a GPU, float32 on a CPU.',
    'mode': 'fifo feeds every oracle token; positional drops late ones, as the reference does.',
    'quantise': 'Weight-only quantisation of the language model.',
    'context': 'How many frames back the model attends to; 0: as it was trained.',
    'temperature': 'Sampling of the sound tokens; 0 takes the likeliest.',
    'temperature_text': 'Sampling of the text tokens; 0 takes the likeliest.',
    'top_k': 'Of how many sound tokens one is drawn.',
    'top_k_text': 'Of how many text tokens one is drawn.',
    'seed': 'For the same conversation twice; -1: another one at each start.',
    'slots': 'How many robots share the model in s2s_slots; s2s is one robot and builds one.',
    'threads': 'Threads on a CPU.',
    'lean': 'Whether to run the same mathematics with far fewer operations.',
    'fused': 'Whether to run it as a few Triton kernels, on a GPU.',
    'compile': 'Whether torch.compile fuses it instead; needs a C compiler.',
    'hush_s': 'How many seconds the robot keeps silent after an interruption.',
}
_CHOICES = {'moshi.dtype': DTYPES, 'moshi.mode': MODES, 'moshi.quantise': QUANTISE}


def _rows(prefix: str, config: type, described: Mapping[str, str]) -> tuple[Param, ...]:
    """Rows named `prefix.field`; limits are the configuration's own to check."""
    return tuple(
        Param(
            f'{prefix}.{field.name}',
            field.default,
            described[field.name],
            choices=_CHOICES.get(f'{prefix}.{field.name}', ()),
        )
        for field in fields(config)
    )


MOSHI_PARAMETERS = (
    Param(
        'moshi.barge_in',
        True,
        'Whether the robot gives way when the user speaks over it: it ducks, and stops if the '
        'words are more than a back-channel; needs no echo.',
    ),
    *_rows('moshi', MoshiConfig, _MOSHI),
)
PARAMETERS = (
    Param('tts.voice', 'hibari', 'A packaged voice by name, or the path of its model file.'),
    Param('tts.speed', 1.0, 'How fast the voice speaks.', low=0.5, high=2.0),
    *_rows('tts', TtsConfig, _TTS),
    *MOSHI_PARAMETERS,
)


def make_front_end(param: Callable[[str], Any]) -> FrontEnd:
    """The front-end that the parameters ask for, loaded.

    Raises ValueError for values that cannot be, MissingWeights or CorruptWeights for the model,
    and ImportError when the packages of the front-end are not installed.
    """
    from kame_ros.audio.vad import SileroVad

    if param('front_end') == 'moshi':
        from kame_ros.s2s.moshi.build import build

        vad = SileroVad() if param('moshi.barge_in') else None
        return build(replace(moshi_config(param), slots=1), vad)
    from kame_ros.s2s.tts import TtsFrontEnd
    from kame_ros.s2s.tts_voice import HibariVoice

    voice = HibariVoice(param('tts.voice'), param('tts.speed'))
    return TtsFrontEnd(voice, SileroVad(), _filled('tts', TtsConfig, param))


def make_slots(param: Callable[[str], Any]) -> MoshiSlots:
    """The model for many robots that the parameters ask for, loaded; raises as `make_front_end`."""
    from kame_ros.s2s.moshi.build import build_slots

    return build_slots(moshi_config(param))


def moshi_config(param: Callable[[str], Any]) -> MoshiConfig:
    """What the parameters say of the moshi front-end; raises ValueError for what cannot be."""
    config: MoshiConfig = _filled('moshi', MoshiConfig, param)
    return config


def model_name(param: Callable[[str], Any]) -> str:
    """Which model speaks, for diagnostics and the record."""
    name = param('front_end')
    return f'{name}:{param("moshi.weights" if name == "moshi" else "tts.voice")}'


def _filled(prefix: str, config: type, param: Callable[[str], Any]) -> Any:
    return config(**{field.name: param(f'{prefix}.{field.name}') for field in fields(config)})
