"""A session of the protocol: what the client is told, and what is asked of the robot."""

import base64
import json

import numpy as np
import pytest
from realtime_robot import LOUD, QUIET, Client

ANSWER = [
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.content_part.added',
    'response.output_audio_transcript.delta',
    'response.output_audio_transcript.delta',
    'response.output_audio.delta',
    'response.output_audio.delta',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'response.output_item.done',
    'conversation.item.done',
    'response.done',
]


def error(events):
    (event,) = [each for each in events if each['type'] == 'error']
    assert event['error']['type'] == 'invalid_request_error'
    return event['error']


def answered(client, t=103.0, over=True):
    before = len(client.events)
    client.turn('ROBOT_SPEECH_START', t)
    client.says('The capital', ' is Paris.')
    client.plays(t, QUIET, LOUD, LOUD)
    if over:
        client.turn('ROBOT_SPEECH_END', t + 1.0)
        client.plays(t + 1.0, *[QUIET] * 8)
    return client.events[before:]


def test_a_session_begins_with_what_is_in_force():
    client = Client()
    (created,) = client.events
    assert created['type'] == 'session.created'
    assert created['session']['instructions'] == 'You are Robi.'
    assert created['session']['audio']['input']['format'] == {'type': 'audio/pcm', 'rate': 24_000}
    assert created['session']['tools'] == []


def test_the_user_speaks_and_is_understood():
    client = Client()
    (started,) = client.turn('USER_SPEECH_START', 101.0, 7)
    assert (started['type'], started['audio_start_ms']) == (
        'input_audio_buffer.speech_started',
        1080,
    )
    assert client.hears('What is the', committed=8) == []
    stopped = client.turn('USER_SPEECH_END', 102.0, 7)
    assert client.types(stopped) == [
        'input_audio_buffer.speech_stopped',
        'input_audio_buffer.committed',
        'conversation.item.added',
        'conversation.item.done',
    ]
    assert {event.get('item_id', started['item_id']) for event in stopped} == {started['item_id']}
    told = client.hears('What is the capital', committed=11) + client.hears(
        'What is the capital?', final=True
    )
    assert client.types(told) == [
        'conversation.item.input_audio_transcription.delta',
        'conversation.item.input_audio_transcription.delta',
        'conversation.item.input_audio_transcription.completed',
    ]
    assert ''.join(event.get('delta', '') for event in told) == told[-1]['transcript']
    (item,) = client.send('conversation.item.retrieve', item_id=started['item_id'])
    assert item['item']['content'][0]['transcript'] == 'What is the capital?'


def test_noise_is_an_item_without_words():
    client = Client()
    client.turn('USER_SPEECH_START', 101.0, 7)
    client.turn('USER_SPEECH_END', 101.2, 7)
    (told,) = client.turn('SILENT', 101.3, 7)
    assert told['transcript'] == ''


def test_the_robot_answers_in_the_order_of_the_protocol():
    client = Client()
    events = answered(client)
    types = client.types(events)
    deltas = types.count('response.output_audio.delta')
    assert deltas == 2 + 5  # the silence before is not sent, that behind until it counts as the end
    assert [t for i, t in enumerate(types) if t != types[i - 1] or 'transcript' in t] == [
        t for i, t in enumerate(ANSWER) if t != ANSWER[i - 1] or 'transcript' in t
    ]
    sound = b''.join(
        base64.b64decode(e['delta']) for e in events if e['type'] == 'response.output_audio.delta'
    )
    assert np.array_equal(np.frombuffer(sound, '<i2')[: 2 * len(LOUD)], np.tile(LOUD, 2))
    done = events[-1]['response']
    assert done['status'] == 'completed'
    assert done['output'][0]['content'] == [
        {'type': 'output_audio', 'transcript': 'The capital is Paris.'}
    ]
    assert len({event['event_id'] for event in client.events}) == len(client.events)


def test_in_the_beta_the_same_has_its_old_names():
    client = Client('beta')
    assert client.types() == ['session.created', 'conversation.created']
    assert client.events[0]['session']['input_audio_format'] == 'pcm16'
    events = answered(client)
    types = set(client.types(events))
    assert {'response.audio.delta', 'response.audio_transcript.delta'} <= types
    assert {'conversation.item.created', 'response.audio.done'} <= types
    assert not [name for name in types if 'output_audio' in name or 'item.done' in name[:18]]
    assert events[-1]['response']['output'][0]['content'][0]['type'] == 'audio'


def test_the_user_breaks_in():
    client = Client()
    answered(client, over=False)
    events = client.turn('BARGE_IN', 104.0)
    done = events[-1]['response']
    assert (done['status'], done['status_details']['reason']) == ('cancelled', 'turn_detected')
    assert done['output'][0]['status'] == 'incomplete'
    assert client.plays(104.1, LOUD) == []
    assert client.turn('BARGE_IN', 104.2) == []


def test_the_client_cancels_once():
    client = Client()
    answered(client, over=False)
    events = client.send('response.cancel')
    assert events[-1]['response']['status_details']['reason'] == 'client_cancelled'
    assert client.robot.interrupts == 1
    assert client.turn('BARGE_IN', 104.0) == []
    assert error(client.send('response.cancel'))['code'] == 'response_cancel_not_active'


def test_truncating_what_is_said_silences_the_robot():
    client = Client()
    item = next(e['item']['id'] for e in answered(client, over=False) if 'item' in e)
    events = client.send(
        'conversation.item.truncate', item_id=item, content_index=0, audio_end_ms=400
    )
    assert events[-1]['type'] == 'conversation.item.truncated'
    assert 'response.done' in client.types(events)
    assert client.robot.interrupts == 1
    again = client.send('conversation.item.truncate', item_id=item, audio_end_ms=400)
    assert client.types(again) == ['conversation.item.truncated']
    assert client.robot.interrupts == 1


def test_an_answer_without_any_sound_ends_all_the_same():
    client = Client()
    client.says('Hm.')
    client.turn('ROBOT_SPEECH_END', 103.0)
    assert client.plays(104.0, *[QUIET] * 4) == []
    assert client.types(client.plays(106.1, QUIET))[-1] == 'response.done'


def test_a_text_is_asked_when_an_answer_is_wanted():
    client = Client()
    message = {'type': 'message', 'role': 'user'}
    for text in ('What is', 'two and two?'):
        events = client.send(
            'conversation.item.create',
            item={**message, 'content': [{'type': 'input_text', 'text': text}]},
        )
        assert client.types(events) == ['conversation.item.added', 'conversation.item.done']
    assert client.robot.asked == []
    assert client.send('response.create') == []
    assert client.robot.asked == ['What is two and two?']


def test_instructions_of_an_answer_are_what_is_asked():
    client = Client()
    client.send('response.create', response={'instructions': 'Greet the user.'})
    assert client.robot.asked == ['Greet the user.']


def test_what_the_system_says_is_a_fact():
    client = Client()
    content = [{'type': 'input_text', 'text': 'The door is open.'}]
    item = {'type': 'message', 'role': 'system', 'content': content}
    client.send('conversation.item.create', item=item)
    assert client.robot.notes == ['The door is open.']


def test_sound_is_taken_and_what_is_committed_ends_a_turn():
    client = Client()
    assert error(client.send('input_audio_buffer.commit'))['code'].endswith('commit_empty')
    audio = base64.b64encode(LOUD.astype('<i2').tobytes()).decode()
    assert client.send('input_audio_buffer.append', audio=audio) == []
    committed = client.send('input_audio_buffer.commit')
    assert client.types(committed) == [
        'input_audio_buffer.committed',
        'conversation.item.added',
        'conversation.item.done',
    ]
    assert client.session.audio.waiting_s == pytest.approx(2.08)
    # What is understood later is of this item.
    assert client.turn('USER_SPEECH_START', 101.0, 7) == []
    assert client.turn('USER_SPEECH_END', 102.0, 7) == []
    told = client.hears('Hello.', final=True)
    assert told[-1]['item_id'] == committed[0]['item_id']
    assert client.send('response.create') == []
    (cleared,) = client.send('input_audio_buffer.clear')
    assert cleared['type'] == 'input_audio_buffer.cleared'
    assert client.session.audio.waiting_s == 0.0


def test_the_persona_is_changed_or_the_client_is_told_why_not():
    client = Client()
    (updated,) = client.send('session.update', session={'instructions': 'You are Mia.'})
    assert updated['session']['instructions'] == 'You are Mia.'
    refused, updated = client.send('session.update', session={'instructions': 'nobody'})
    assert 'no such persona' in refused['error']['message']
    assert updated['session']['instructions'] == 'You are Mia.'
    assert client.robot.personas == ['You are Mia.', 'nobody']


def test_who_only_reads_gets_text():
    client = Client()
    client.send('session.update', session={'output_modalities': ['text']})
    events = answered(client)
    assert 'response.output_text.delta' in client.types(events)
    assert 'response.output_audio.delta' not in client.types(events)
    assert events[-1]['response']['output'][0]['content'] == [
        {'type': 'output_text', 'text': 'The capital is Paris.'}
    ]


def test_who_wants_no_transcripts_gets_none():
    client = Client()
    client.send('session.update', session={'audio': {'input': {'transcription': None}}})
    client.turn('USER_SPEECH_START', 101.0, 7)
    client.turn('USER_SPEECH_END', 102.0, 7)
    assert client.hears('Hello.', final=True) == []


@pytest.mark.parametrize(
    ('event', 'code', 'words'),
    [
        ({'type': 'transcription_session.update'}, 'invalid_value', 'session.update'),
        ({'type': ['x']}, 'invalid_value', 'no event list'),
        ({}, 'invalid_value', 'no event NoneType'),
        ({'type': 'session.update'}, 'invalid_value', 'object'),
        ({'type': 'session.update', 'session': {'audio': 3}}, 'invalid_value', 'audio'),
        ({'type': 'input_audio_buffer.append'}, 'invalid_value', 'base64'),
        ({'type': 'input_audio_buffer.append', 'audio': '§§'}, 'invalid_value', 'ASCII'),
        ({'type': 'input_audio_buffer.append', 'audio': 'AAA'}, 'invalid_value', 'base64'),
        ({'type': 'input_audio_buffer.append', 'audio': 'AA=='}, 'invalid_value', 'two bytes'),
        ({'type': 'conversation.item.create', 'item': 1}, 'invalid_value', 'object'),
        (
            {'type': 'conversation.item.create', 'item': {'type': 'function_call_output'}},
            'unsupported',
            'tools',
        ),
        (
            {'type': 'conversation.item.create', 'item': {'type': 'message', 'role': 'user'}},
            'invalid_value',
            'parts',
        ),
        ({'type': 'conversation.item.delete', 'item_id': 'x'}, 'item_not_found', 'no item'),
        ({'type': 'conversation.item.retrieve', 'item_id': {}}, 'item_not_found', 'no item'),
        ({'type': 'response.create'}, 'nothing_to_answer', 'nothing to answer'),
        ({'type': 'response.create', 'response': []}, 'invalid_value', 'object'),
        ({'type': 'response.create', 'response': 'x'}, 'invalid_value', 'object'),
        (
            {'type': 'response.create', 'response': {'tools': [{}]}},
            'unsupported',
            'tools',
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_in_words(event, code, words):
    client = Client()
    told = error(client.raw(json.dumps({**event, 'event_id': 'mine'})))
    assert told['code'] == code
    assert words in told['message']
    assert told['event_id'] == 'mine'


@pytest.mark.parametrize(
    'text', ['', '{', '[]', 'null', '3', '[' * 100_000, '\x00', '{"type": NaN}']
)
def test_garbage_is_one_error_each(text):
    client = Client()
    assert error(client.raw(text))['message']
    assert client.session.refused == 1


@pytest.mark.parametrize('half', ['\\ud800', 'a \\udc00 b'])
def test_half_a_character_is_refused_in_words_and_a_whole_one_is_not(half):
    """What the robot tells could not be sent, and what it asks could not be published."""
    client = Client()
    event = (
        '{"type": "conversation.item.create", "event_id": "%s", "item": {"type": "message", '
        '"role": "user", "content": [{"type": "input_text", "text": "%s"}]}}'
    )
    for told in (event % ('e', half), event % (half, 'a')):
        assert 'half a character' in error(client.raw(told))['message']
    assert [each['type'] for each in client.raw(event % ('e', '\\ud83d\\ude00'))] == [
        'conversation.item.added',
        'conversation.item.done',
    ]


def test_wishes_that_change_the_meaning_are_refused_and_hints_are_passed_over():
    client = Client()
    events = client.send(
        'session.update',
        session={
            'type': 'realtime',
            'tools': [{'type': 'function', 'name': 'f'}],
            'audio': {
                'input': {
                    'format': {'type': 'audio/pcmu'},
                    'turn_detection': {'type': 'server_vad', 'create_response': False},
                },
                'output': {'voice': 'ash', 'speed': 1.2, 'format': {'type': 'audio/pcm'}},
            },
        },
    )
    refused = [event['error']['param'] for event in events if event['type'] == 'error']
    assert refused == [
        'session.audio.input.format',
        'session.audio.input.turn_detection.create_response',
        'session.tools',
    ]
    assert events[-1]['session']['audio']['output']['voice'] == 'robot'


def test_what_is_kept_is_bounded():
    client = Client()
    for number in range(500):
        client.turn('USER_SPEECH_START', 101.0, number)
        client.turn('USER_SPEECH_END', 102.0, number)
        client.hears('and so', committed=3, utterance=number)
    assert len(client.session._utterances) <= 8
    assert len(client.session._told) <= 8
    assert len(client.session._items._items) <= 200
    message = {'type': 'message', 'role': 'user'}
    content = [{'type': 'input_text', 'text': 'x'}]
    for _ in range(20):
        client.send('conversation.item.create', item={**message, 'content': content})
    assert len(client.session._texts) == 8
