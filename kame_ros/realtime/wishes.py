"""What a client asks for in `session.update`: what the robot follows, and what it refuses.

Followed are `instructions`, the modality of the output, and whether transcripts are told. Hints at
how well or how fast something is done (a voice, a temperature, thresholds) are passed over: the
answer tells what is in force. What would change the meaning of the session is refused in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kame_ros.realtime.refusal import Refused

_LONGEST = 1_000  # characters of instructions: what the parameter `persona` holds
_RATE = 24_000
_DECIDES = 'the robot decides itself when it answers and gives way'


@dataclass
class Wishes:
    """None: not asked for. `refused` are those that the robot does not follow."""

    instructions: str | None = None
    speech: bool | None = None
    transcribe: bool | None = None
    refused: list[Refused] = field(default_factory=list)


def read_wishes(session: Any) -> Wishes:
    """Reads the `session` of a `session.update`, of either dialect; raises Refused for none."""
    if not isinstance(session, dict):
        raise Refused('session.update has an object `session`', param='session')
    if session.get('type', 'realtime') != 'realtime':
        raise Refused(
            'this robot talks: sessions are of the type realtime, not only transcription',
            param='session.type',
        )
    wishes = Wishes()
    audio = _object(session, 'audio')
    _instructions(session, wishes)
    _modalities(session, wishes)
    heard, said = _object(audio, 'input'), _object(audio, 'output')
    for where, given in (
        ('session.audio.input.format', heard.get('format')),
        ('session.audio.output.format', said.get('format')),
        ('session.input_audio_format', session.get('input_audio_format')),
        ('session.output_audio_format', session.get('output_audio_format')),
    ):
        _format(where, given, wishes)
    for asked in (
        heard.get('transcription', ...),
        session.get('input_audio_transcription', ...),
    ):
        if asked is not ...:
            wishes.transcribe = asked is not None
    for where, holder in (('session.audio.input', heard), ('session', session)):
        if 'turn_detection' in holder:
            _turns(f'{where}.turn_detection', holder['turn_detection'], wishes)
    if session.get('tools'):
        wishes.refused.append(
            Refused(
                'the robot calls no tools of a client: its actions are declared and allowed by '
                'whoever starts it (config/settings/oracle.yaml)',
                code='unsupported',
                param='session.tools',
            )
        )
    if session.get('prompt'):
        wishes.refused.append(
            Refused(
                'there are no stored prompts here: send instructions',
                code='unsupported',
                param='session.prompt',
            )
        )
    return wishes


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(f'{name} is an object', param=f'session.{name}')
    return value


def _instructions(session: dict[str, Any], wishes: Wishes) -> None:
    text = session.get('instructions')
    if text is None:
        return
    if not isinstance(text, str):
        raise Refused('instructions are a text', param='session.instructions')
    if len(text) > _LONGEST:
        wishes.refused.append(
            Refused(
                f'instructions have at most {_LONGEST} characters here, not {len(text)}',
                code='string_above_max_length',
                param='session.instructions',
            )
        )
        return
    wishes.instructions = text


def _modalities(session: dict[str, Any], wishes: Wishes) -> None:
    asked = session.get('output_modalities', session.get('modalities'))
    if asked is None:
        return
    known = isinstance(asked, list) and asked and all(m in ('audio', 'text') for m in asked)
    if not known:
        raise Refused("modalities are 'audio' or 'text'", param='session.output_modalities')
    wishes.speech = 'audio' in asked


def _format(where: str, given: Any, wishes: Wishes) -> None:
    if given is None or given == 'pcm16':
        return
    pcm = isinstance(given, dict) and given.get('type') == 'audio/pcm'
    if not pcm or given.get('rate', _RATE) != _RATE:
        wishes.refused.append(
            Refused(
                f'sound is pcm16 (audio/pcm) of {_RATE} Hz, mono, in both directions; resample it',
                code='unsupported',
                param=where,
            )
        )


def _turns(where: str, given: Any, wishes: Wishes) -> None:
    if given is None:
        wishes.refused.append(
            Refused(
                f'{_DECIDES}; input_audio_buffer.commit ends a turn at once',
                code='unsupported',
                param=where,
            )
        )
        return
    if not isinstance(given, dict):
        raise Refused('turn_detection is an object or null', param=where)
    for name in ('create_response', 'interrupt_response'):
        if given.get(name) is False:
            wishes.refused.append(
                Refused(
                    f'{name} stays true: {_DECIDES}', code='unsupported', param=f'{where}.{name}'
                )
            )
