"""A session of the protocol with one robot: the client's events in, the robot's events out.

The robot is what it is elsewhere: it hears all the time, decides itself when a turn is over, and
says what it says in real time. The protocol's events are made of what passes on its topics.
Times are seconds on the audio clock.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from kame_ros.audio.level import VOICE_PEAK_DBFS, pcm
from kame_ros.realtime.audio_in import AudioIn, TooMuchSound
from kame_ros.realtime.dialect import Ga, SessionState
from kame_ros.realtime.items import Item, Items, user_item
from kame_ros.realtime.refusal import Refused, error_event, read_json
from kame_ros.realtime.response import Response, Send
from kame_ros.realtime.wishes import read_wishes
from kame_ros.wire.frame import FRAME_S, SAMPLE_RATE, Frame
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

_LONGEST_TEXT = 2_000  # characters of a text of the client
_END_OF_TURN_S = 2.0  # of silence behind what was committed: more than any robot waits
_QUIET_FRAMES = 5  # 0.4 s of silence after the robot's words: its sound is over
_TAIL_S = 3.0  # after its words, an answer without any sound is over all the same
_LOUD = pcm(VOICE_PEAK_DBFS)
_OPEN_UTTERANCES = 8  # that wait for their transcript
_TEXTS = 8  # that wait for response.create


class Robot(Protocol):
    """What a session asks of the robot."""

    def ask(self, text: str) -> str:
        """The user has written this. Gives what is wrong with it; empty: it was asked."""

    def note(self, text: str) -> None:
        """A fact that the robot should know."""

    def be(self, persona: str, done: Callable[[str], None]) -> None:
        """Who the robot is from now on; `done` is told what was wrong, or an empty text."""

    def interrupt(self) -> None:
        """Be silent now."""


class RealtimeSession:
    """See the module. `send` gets each event of the server, as a dict; one thread owns it."""

    def __init__(
        self, t: float, state: SessionState, dialect: Ga, robot: Robot, send: Send
    ) -> None:
        self.audio = AudioIn(t)
        self.refused = 0
        self.received = 0
        self._state, self._dialect, self._robot, self._out = state, dialect, robot, send
        self._items = Items()
        self._numbers = 0
        self._utterances: dict[int, str] = {}  # the item of each whose transcript is to come
        self._told: dict[int, int] = {}  # characters of it that were told
        self._committed = ''  # the item that the client committed itself
        self._texts: list[str] = []
        self._unanswered = False  # whether something was said or committed since the last answer
        self._response: Response | None = None
        self._ended_at: float | None = None  # s, when the robot's words were over
        self._quiet = 0  # frames in a row
        self._follow: dict[str, Callable[[float, Mapping[str, Any]], None]] = {
            'session.update': self._update,
            'input_audio_buffer.append': self._append,
            'input_audio_buffer.commit': self._commit,
            'input_audio_buffer.clear': self._clear,
            'conversation.item.create': self._create_item,
            'conversation.item.retrieve': self._retrieve,
            'conversation.item.truncate': self._truncate,
            'conversation.item.delete': self._delete,
            'response.create': self._create_response,
            'response.cancel': self._cancel,
        }
        self._send({'type': 'session.created', 'session': dialect.session(state)})
        if dialect.name == 'beta':
            conversation = {'id': self._new('conv'), 'object': 'realtime.conversation'}
            self._send({'type': 'conversation.created', 'conversation': conversation})

    # -- of the client ----------------------------------------------------------------------

    def on_client(self, t: float, text: str | bytes) -> None:
        """An event of the client, as it came; what cannot be followed is answered with an error."""
        self.received += 1
        event_id = None
        try:
            event = _parsed(text)
            given = event.get('event_id')
            event_id = given if isinstance(given, str) else None
            kind = event.get('type')
            follow = self._follow.get(kind) if isinstance(kind, str) else None
            if follow is None:
                raise Refused(
                    f'there is no event {_shown(kind)} for a robot; there are '
                    f'{", ".join(self._follow)}',
                    param='type',
                )
            follow(t, event)
        except Refused as error:
            self._refuse(error, event_id)

    def on_binary(self) -> None:
        """A binary message came."""
        self.received += 1
        self._refuse(Refused('events are JSON in text messages, sound is base64 in them'), None)

    def _update(self, t: float, event: Mapping[str, Any]) -> None:
        event_id = event.get('event_id')
        wishes = read_wishes(event.get('session'))
        state = self._state
        if wishes.speech is not None:
            state.speech = wishes.speech
        if wishes.transcribe is not None:
            state.transcribe = wishes.transcribe
        for refused in wishes.refused:
            self._refuse(refused, event_id)
        if wishes.instructions is None or wishes.instructions == state.instructions:
            self._updated()
            return
        wanted = wishes.instructions

        def done(problem: str) -> None:
            if problem:
                self._refuse(
                    Refused(f'instructions: {problem}', param='session.instructions'), event_id
                )
            else:
                state.instructions = wanted
            self._updated()

        self._robot.be(wanted, done)

    def _updated(self) -> None:
        self._send({'type': 'session.updated', 'session': self._dialect.session(self._state)})

    def _append(self, t: float, event: Mapping[str, Any]) -> None:
        self._take_sound(event.get('audio'), 'audio')

    def _take_sound(self, audio: Any, param: str) -> None:
        if not isinstance(audio, str):
            raise Refused('sound is pcm16 in base64', param=param)
        try:
            self.audio.append(base64.b64decode(audio, validate=True))
        except binascii.Error as error:
            raise Refused(f'this is no base64 ({error})', param=param) from error
        except TooMuchSound as error:
            raise Refused(str(error), code='input_audio_buffer_full', param=param) from error
        except ValueError as error:
            raise Refused(str(error), param=param) from error

    def _commit(self, t: float, event: Mapping[str, Any]) -> None:
        if not self.audio.frames and not self.audio.waiting_s:
            raise Refused('no sound was sent', code='input_audio_buffer_commit_empty')
        self._send_committed(t, self._new('item'))

    def _send_committed(self, t: float, item_id: str) -> None:
        self.audio.append_silence(_END_OF_TURN_S)
        self._committed = item_id
        self._unanswered = True
        self._heard_item(item_id)

    def _clear(self, t: float, event: Mapping[str, Any]) -> None:
        self.audio.clear()
        self._send({'type': 'input_audio_buffer.cleared'})

    def _create_item(self, t: float, event: Mapping[str, Any]) -> None:
        item = event.get('item')
        if not isinstance(item, dict):
            raise Refused('conversation.item.create has an object `item`', param='item')
        if item.get('type') != 'message':
            raise Refused(
                f'items are messages here, not {_shown(item.get("type"))}: the robot calls no '
                'tools of a client',
                code='unsupported',
                param='item.type',
            )
        id = item.get('id') or self._new('item')
        if not isinstance(id, str) or len(id) > 64 or id in self._items:
            raise Refused('the id of an item is a new text of up to 64 characters', param='item.id')
        role, parts = item.get('role'), _parts(item)
        if role == 'user':
            content = [self._written(part) for part in parts]
        elif role in ('system', 'developer'):
            content = [{'type': 'input_text', 'text': _text(part)} for part in parts]
            for part in content:
                self._robot.note(part['text'])
        else:
            raise Refused(
                'what the robot said is known to it: items of a client are of the user or the '
                'system',
                code='unsupported',
                param='item.role',
            )
        made = {**user_item(id, content), 'role': role}
        self._tell_item(made)
        sounds = [part for part in parts if part.get('type') == 'input_audio']
        for part in sounds:
            self._take_sound(part.get('audio'), 'item.content')
        if sounds:
            self.audio.append_silence(_END_OF_TURN_S)
            self._committed = id
            self._unanswered = True

    def _written(self, part: Mapping[str, Any]) -> Item:
        if part.get('type') == 'input_audio':
            return {'type': 'input_audio', 'transcript': None}
        text = _text(part)
        if len(self._texts) >= _TEXTS:
            raise Refused(f'{_TEXTS} texts wait already: response.create asks them')
        self._texts.append(text)
        return {'type': 'input_text', 'text': text}

    def _retrieve(self, t: float, event: Mapping[str, Any]) -> None:
        item = self._known(event)
        self._send({'type': 'conversation.item.retrieved', 'item': item})

    def _delete(self, t: float, event: Mapping[str, Any]) -> None:
        self._known(event)
        raise Refused(
            'a robot remembers what was said; its service reset begins a new dialogue',
            code='unsupported',
            param='item_id',
        )

    def _truncate(self, t: float, event: Mapping[str, Any]) -> None:
        item = self._known(event)
        end_ms = event.get('audio_end_ms')
        if not isinstance(end_ms, int) or isinstance(end_ms, bool) or end_ms < 0:
            raise Refused('audio_end_ms is a number of milliseconds', param='audio_end_ms')
        if item['role'] != 'assistant':
            raise Refused('only what the robot said is cut off', param='item_id')
        if self._response and self._response.item['id'] == item['id']:
            self._robot.interrupt()
            self._end_response('cancelled', 'client_cancelled')
        self._send({
            'type': 'conversation.item.truncated',
            'item_id': item['id'],
            'content_index': 0,
            'audio_end_ms': end_ms,
        })  # fmt: skip

    def _known(self, event: Mapping[str, Any]) -> Item:
        item = self._items.get(event.get('item_id'))
        if item is None:
            raise Refused(
                f'there is no item {_shown(event.get("item_id"))}',
                code='item_not_found',
                param='item_id',
            )
        return item

    def _create_response(self, t: float, event: Mapping[str, Any]) -> None:
        wanted = event.get('response')
        if wanted is not None and not isinstance(wanted, dict):
            raise Refused('response is an object', param='response')
        wanted = wanted or {}
        for name, why in (
            ('tools', 'the robot calls no tools of a client'),
            ('input', 'the robot answers what was said to it; conversation.item.create adds to it'),
        ):
            if wanted.get(name):
                raise Refused(why, code='unsupported', param=f'response.{name}')
        if wanted.get('conversation', 'auto') != 'auto':
            raise Refused(
                'a robot has one conversation', code='unsupported', param='response.conversation'
            )
        if self._response:
            raise Refused(
                'the robot is speaking already',
                code='conversation_already_has_active_response',
            )
        if not self._texts and (told := wanted.get('instructions')):
            self._texts.append(_text({'type': 'input_text', 'text': told}))
        if self._texts:
            text, self._texts = ' '.join(self._texts), []
            if problem := self._robot.ask(text):
                raise Refused(problem)
        elif not self._unanswered:
            raise Refused(
                'there is nothing to answer: speak, or send a text with conversation.item.create, '
                'or instructions',
                code='nothing_to_answer',
                param='response',
            )
        # Else the robot answers what it heard, as it does by itself.

    def _cancel(self, t: float, event: Mapping[str, Any]) -> None:
        if not self._response:
            raise Refused('the robot does not speak', code='response_cancel_not_active')
        self._robot.interrupt()
        self._end_response('cancelled', 'client_cancelled')

    # -- of the robot -----------------------------------------------------------------------

    def on_turn(self, event: TurnEvent) -> None:
        """Somebody begins or ends to speak, or is interrupted."""
        match event.kind:
            case TurnKind.USER_SPEECH_START:
                self._user_begins(event)
            case TurnKind.USER_SPEECH_END:
                self._user_ends(event)
            case TurnKind.SILENT:
                self._understood(event.utterance, '')
            case TurnKind.ROBOT_SPEECH_START:
                self._robot_speaks()
            case TurnKind.ROBOT_SPEECH_END:
                self._ended_at = event.t
            case TurnKind.BARGE_IN | TurnKind.RESET:
                self._end_response('cancelled', 'turn_detected')

    def on_transcript(self, heard: Transcript) -> None:
        """What the user says. What never changes is told as it comes, the rest with the final."""
        item = self._utterances.get(heard.utterance)
        if heard.final:
            self._understood(heard.utterance, heard.text)
        elif item in self._items and self._state.transcribe:
            self._tell_words(heard.utterance, heard.committed_text)

    def on_monologue(self, token: MonologueToken) -> None:
        """Words that the robot begins to say."""
        self._robot_speaks().say(token.text)

    def on_played(self, frame: Frame) -> None:
        """80 ms of what the robot's loudspeaker would play."""
        response = self._response
        if response is None:
            return
        loud = frame.peak > _LOUD
        self._quiet = 0 if loud else self._quiet + 1
        if loud or response.samples:
            response.play(frame.samples)
        if self._ended_at is None:
            return
        whole = response.samples and self._quiet >= _QUIET_FRAMES
        if whole or frame.t > self._ended_at + _TAIL_S:
            self._end_response('completed')

    def close(self) -> None:
        """The session is over."""
        self._end_response('cancelled', 'client_cancelled')

    def _robot_speaks(self) -> Response:
        self._ended_at = None
        if self._response is None:
            self._unanswered = False
            self._quiet = 0
            self._response = Response(
                self._new('resp'),
                self._new('item'),
                self._items.add,
                self._state.speech,
                self._send,
            )
        return self._response

    def _end_response(self, status: str, reason: str = '') -> None:
        response, self._response, self._ended_at = self._response, None, None
        if response:
            response.end(status, reason)

    def _user_begins(self, event: TurnEvent) -> None:
        item = self._committed or self._new('item')
        self._utterances[event.utterance] = item
        while len(self._utterances) > _OPEN_UTTERANCES:
            oldest = next(iter(self._utterances))
            del self._utterances[oldest]
            self._told.pop(oldest, None)
        if not self._committed:
            self._send({
                'type': 'input_audio_buffer.speech_started',
                'audio_start_ms': self._ms(event.t),
                'item_id': item,
            })  # fmt: skip

    def _user_ends(self, event: TurnEvent) -> None:
        item = self._utterances.get(event.utterance)
        self._unanswered = True
        if item is None or item in self._items:
            return
        self._send({
            'type': 'input_audio_buffer.speech_stopped',
            'audio_end_ms': self._ms(event.t),
            'item_id': item,
        })  # fmt: skip
        self._heard_item(item)

    def _heard_item(self, id: str) -> None:
        item = user_item(id, [{'type': 'input_audio', 'transcript': None}])
        before = self._items.add(item)
        self._send(
            {'type': 'input_audio_buffer.committed', 'previous_item_id': before, 'item_id': id}
        )
        self._tell_added(item, before)

    def _tell_item(self, item: Item) -> None:
        self._tell_added(item, self._items.add(item))

    def _tell_added(self, item: Item, before: str | None) -> None:
        for kind in ('conversation.item.added', 'conversation.item.done'):
            self._send({'type': kind, 'previous_item_id': before, 'item': item})

    def _understood(self, utterance: int, text: str) -> None:
        """The words of an utterance are known: as many events as the client asked for."""
        id = self._utterances.get(utterance)
        if id is None:
            return
        if id not in self._items:  # its end was not told
            self._heard_item(id)
        item = self._items.get(id)
        assert item is not None
        before = item['content'][0].get('transcript') if item['content'] else None
        whole = f'{before} {text}' if before and text else before or text
        item['content'] = [{'type': 'input_audio', 'transcript': whole}]
        if self._state.transcribe:
            self._tell_words(utterance, text)
            self._send({
                'type': 'conversation.item.input_audio_transcription.completed',
                'item_id': id,
                'content_index': 0,
                'transcript': whole,
                'usage': {'type': 'duration', 'seconds': round(self.audio.heard, 2)},
            })  # fmt: skip
        if id == self._committed:
            self._committed = ''
        self._utterances.pop(utterance, None)
        self._told.pop(utterance, None)

    def _tell_words(self, utterance: int, text: str) -> None:
        told = self._told.get(utterance, 0)
        if len(text) > told:
            self._told[utterance] = len(text)
            self._send({
                'type': 'conversation.item.input_audio_transcription.delta',
                'item_id': self._utterances[utterance],
                'content_index': 0,
                'delta': text[told:],
            })  # fmt: skip

    # -- small things -----------------------------------------------------------------------

    def _ms(self, t: float) -> int:
        """A time on the audio clock as milliseconds of the sound of this session."""
        return max(0, round((t - self.audio.begun + FRAME_S) * 1000))

    def _new(self, kind: str) -> str:
        self._numbers += 1
        return f'{kind}_{self._state.id.removeprefix("sess_")[:12]}{self._numbers:06d}'

    def _refuse(self, error: Refused, event_id: Any) -> None:
        self.refused += 1
        self._send(error_event(error, event_id if isinstance(event_id, str) else None))

    def _send(self, event: dict[str, Any]) -> None:
        told = self._dialect.event(event)
        if told is not None:
            self._out({'event_id': self._new('event'), **told})


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        event = read_json(text)
    except Refused:
        raise
    except (ValueError, RecursionError) as error:
        raise Refused(f'an event is a JSON object ({error})', code='invalid_json') from error
    if not isinstance(event, dict):
        raise Refused('an event is a JSON object', code='invalid_json')
    return event


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + '...'


def _parts(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = item.get('content')
    if not isinstance(content, list) or not content or len(content) > _TEXTS:
        raise Refused(f'content is a list of 1 to {_TEXTS} parts', param='item.content')
    if not all(isinstance(part, dict) for part in content):
        raise Refused('each part of content is an object', param='item.content')
    return content


def _text(part: Mapping[str, Any]) -> str:
    if part.get('type') not in ('input_text', 'text'):
        raise Refused(
            f'the robot has ears, and reads: parts are input_audio or input_text, not '
            f'{_shown(part.get("type"))}',
            code='unsupported',
            param='item.content',
        )
    text = part.get('text')
    if not isinstance(text, str) or not text.strip():
        raise Refused('a text has words', param='item.content')
    if len(text) > _LONGEST_TEXT:
        raise Refused(
            f'a text has at most {_LONGEST_TEXT} characters, not {len(text)}',
            code='string_above_max_length',
            param='item.content',
        )
    return ' '.join(text.split())


# What the protocol calls pcm16 is what a robot hears.
assert SAMPLE_RATE == 24_000
