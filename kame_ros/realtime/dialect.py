"""The two dialects of the protocol: that of 2025 and after (GA), and the beta before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# What an event is called in the beta, by its name in GA; the others have one name in both.
_BETA_NAMES = {
    'response.output_text.delta': 'response.text.delta',
    'response.output_text.done': 'response.text.done',
    'response.output_audio.delta': 'response.audio.delta',
    'response.output_audio.done': 'response.audio.done',
    'response.output_audio_transcript.delta': 'response.audio_transcript.delta',
    'response.output_audio_transcript.done': 'response.audio_transcript.done',
}
_BETA_PARTS = {'output_text': 'text', 'output_audio': 'audio'}
_RATE = 24_000


@dataclass
class SessionState:
    """What is in force in a session, as the robot tells it."""

    id: str
    model: str
    instructions: str
    voice: str
    speech: bool = True  # whether the client hears the robot; else it reads only
    transcribe: bool = True  # whether the client is told what was understood
    expires_at: int = 0


class Ga:
    """The protocol since it was declared stable."""

    name = 'ga'

    def event(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """The event in this dialect; None where it has none."""
        return event

    def session(self, state: SessionState) -> dict[str, Any]:
        """The session as the client is told of it: what is in force, not what was asked."""
        pcm = {'type': 'audio/pcm', 'rate': _RATE}
        return {
            'type': 'realtime',
            'object': 'realtime.session',
            'id': state.id,
            'model': state.model,
            'output_modalities': ['audio' if state.speech else 'text'],
            'instructions': state.instructions,
            'tools': [],
            'tool_choice': 'none',
            'max_output_tokens': 'inf',
            'tracing': None,
            'prompt': None,
            'truncation': 'auto',
            'include': None,
            'expires_at': state.expires_at,
            'audio': {
                'input': {
                    'format': pcm,
                    'transcription': _transcription(state),
                    'noise_reduction': None,
                    'turn_detection': _turn_detection(),
                },
                'output': {'format': pcm, 'voice': state.voice, 'speed': 1.0},
            },
        }


class Beta(Ga):
    """The protocol before: header `OpenAI-Beta: realtime=v1`."""

    name = 'beta'

    def event(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """See Ga.event."""
        kind = event['type']
        if kind == 'conversation.item.done':
            return None
        if kind == 'conversation.item.added':
            kind = 'conversation.item.created'
        told = {**event, 'type': _BETA_NAMES.get(kind, kind)}
        for key in ('item', 'part'):
            if key in told:
                told[key] = _beta_parts(told[key])
        if 'response' in told:
            response = told['response']
            output = [_beta_parts(item) for item in response['output']]
            told['response'] = {**response, 'output': output}
        return told

    def session(self, state: SessionState) -> dict[str, Any]:
        """See Ga.session."""
        return {
            'object': 'realtime.session',
            'id': state.id,
            'model': state.model,
            'modalities': ['audio', 'text'] if state.speech else ['text'],
            'instructions': state.instructions,
            'voice': state.voice,
            'input_audio_format': 'pcm16',
            'output_audio_format': 'pcm16',
            'input_audio_transcription': _transcription(state),
            'input_audio_noise_reduction': None,
            'turn_detection': _turn_detection(),
            'tools': [],
            'tool_choice': 'none',
            'temperature': 0.8,
            'max_response_output_tokens': 'inf',
            'expires_at': state.expires_at,
        }


def _transcription(state: SessionState) -> dict[str, Any] | None:
    return {'model': 'whisper-1', 'language': None, 'prompt': None} if state.transcribe else None


def _turn_detection() -> dict[str, Any]:
    """The robot decides by the words and the melody, which the protocol calls semantic."""
    return {
        'type': 'semantic_vad',
        'eagerness': 'auto',
        'create_response': True,
        'interrupt_response': True,
    }


def _beta_parts(item: dict[str, Any]) -> dict[str, Any]:
    told = dict(item)
    if told.get('type') in _BETA_PARTS:
        told['type'] = _BETA_PARTS[told['type']]
    if 'content' in told:
        told['content'] = [_beta_parts(part) for part in told['content']]
    return told


DIALECTS = {dialect.name: dialect for dialect in (Ga(), Beta())}
