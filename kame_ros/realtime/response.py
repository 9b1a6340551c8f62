"""One answer of the robot, told piece by piece: as sound with its words, or as words only."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np

from kame_ros.realtime.items import Item, robot_item

Send = Callable[[dict[str, Any]], None]


class Response:
    """The events of an answer, from `response.created` to `response.done`.

    `previous` is the id of the item before it.
    """

    def __init__(
        self,
        id: str,
        item_id: str,
        previous: Callable[[Item], str | None],
        speech: bool,
        send: Send,
    ) -> None:
        self.id = id
        self.item = robot_item(item_id)
        self.said = ''
        self.samples = 0
        self._speech, self._send = speech, send
        self._send({'type': 'response.created', 'response': self._shown('in_progress')})
        before = previous(self.item)
        self._tell('response.output_item.added', item=dict(self.item), part=False)
        self._send({
            'type': 'conversation.item.added',
            'previous_item_id': before,
            'item': dict(self.item),
        })  # fmt: skip
        self._tell('response.content_part.added', part={'type': self._kind, **self._empty})

    @property
    def _kind(self) -> str:
        return 'output_audio' if self._speech else 'output_text'

    @property
    def _words(self) -> str:
        return 'transcript' if self._speech else 'text'

    @property
    def _empty(self) -> dict[str, str]:
        return {self._words: ''}

    def say(self, text: str) -> None:
        """Words that the robot begins to say."""
        self.said += text
        self._tell(self._words_event('delta'), delta=text)

    def play(self, samples: np.ndarray) -> None:
        """Sound of it, int16[n]."""
        self.samples += len(samples)
        if self._speech:
            pcm = samples.astype('<i2').tobytes()
            self._tell('response.output_audio.delta', delta=base64.b64encode(pcm).decode('ascii'))

    def end(self, status: str, reason: str = '') -> None:
        """It is over: 'completed', or 'cancelled' for the `reason`."""
        whole = status == 'completed'
        part = {'type': self._kind, self._words: self.said}
        if self._speech:
            self._tell('response.output_audio.done')
        self._tell(self._words_event('done'), **{self._words: self.said})
        self._tell('response.content_part.done', part=part)
        self.item['content'] = [part]
        self.item['status'] = 'completed' if whole else 'incomplete'
        self._tell('response.output_item.done', item=dict(self.item), part=False)
        self._send({
            'type': 'conversation.item.done',
            'previous_item_id': None,
            'item': dict(self.item),
        })  # fmt: skip
        details = None if whole else {'type': status, 'reason': reason}
        self._send({'type': 'response.done', 'response': self._shown(status, details)})

    def _words_event(self, what: str) -> str:
        return f'response.output_{"audio_transcript" if self._speech else "text"}.{what}'

    def _tell(self, kind: str, *, part: Any = None, **more: Any) -> None:
        event = {'type': kind, 'response_id': self.id, 'output_index': 0, **more}
        if 'item' not in more:
            event |= {'item_id': self.item['id'], 'content_index': 0}
        if isinstance(part, dict):
            event['part'] = part
        self._send(event)

    def _shown(self, status: str, details: dict[str, str] | None = None) -> dict[str, Any]:
        return {
            'object': 'realtime.response',
            'id': self.id,
            'status': status,
            'status_details': details,
            'output': [] if status == 'in_progress' else [dict(self.item)],
            'output_modalities': ['audio' if self._speech else 'text'],
            'conversation_id': None,
            'max_output_tokens': 'inf',
            'metadata': None,
            'usage': None,
        }
