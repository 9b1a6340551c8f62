"""The oracle on the graph, in one process, with scripted servers."""

import json
import re
import time

import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

import kame_ros.msg as msg  # noqa: E402
from kame_ros.nodes.common import qos  # noqa: E402

SETTINGS = """
actions:
  - name: wave
    description: Waves.
    arguments: {times: {type: integer, minimum: 1, maximum: 5}}
prices:
  m: {price_in: 1.0, price_out: 2.0}
names: [kim]
"""


class Graph:
    """An oracle node and a robot that hears and sees all that it publishes."""

    def __init__(self, **parameters):
        from kame_ros.nodes.oracle_node import OracleNode

        self.executor = SingleThreadedExecutor()
        self.robot = rclpy.create_node('robot')
        self.chunks, self.events, self.requests, self.stops = [], [], [], []
        listen = self.robot.create_subscription
        listen(msg.OracleChunk, 'oracle', self.chunks.append, qos.TEXT)
        listen(msg.TurnEvent, 'turn', self.events.append, qos.TEXT)
        listen(msg.ActionRequest, 'action_request', self.requests.append, qos.TEXT)
        self.robot.create_service(Trigger, 'interrupt', self._on_interrupt)
        offer = self.robot.create_publisher
        self.transcript = offer(msg.Transcript, 'transcript', qos.TEXT)
        self.turn = offer(msg.TurnEvent, 'turn', qos.TEXT)
        self.facts = offer(String, 'facts', qos.TEXT)
        self.result = offer(msg.ActionResult, 'action_result', qos.TEXT)
        self.node = OracleNode(
            parameter_overrides=[Parameter(k, value=v) for k, v in parameters.items()]
        )
        for node in (self.robot, self.node):
            self.executor.add_node(node)
        assert self.node.trigger_configure().name == 'SUCCESS', self.node.fault
        assert self.node.trigger_activate().name == 'SUCCESS', self.node.fault
        for publisher in (self.transcript, self.facts, self.result):
            self.until(publisher.get_subscription_count)
        self.until(lambda: self.robot.count_publishers('oracle'))
        self.until(lambda: self.robot.count_publishers('turn') == 2)

    def _on_interrupt(self, request, response):
        self.stops.append(request)
        return response

    def until(self, condition, patience=20.0):
        end = time.monotonic() + patience
        while not (value := condition()):
            assert time.monotonic() < end, 'it never came true'
            self.executor.spin_once(timeout_sec=0.02)
        return value

    def say(self, text, utterance=0, revision=0, final=True):
        committed = len(text)
        self.transcript.publish(
            msg.Transcript(
                utterance=utterance, revision=revision, text=text, committed=committed, final=final
            )
        )

    def text(self):
        """What the last generation says."""
        begins = [i for i, c in enumerate(self.chunks) if c.kind == msg.OracleChunk.BEGIN]
        return ''.join(c.text for c in self.chunks[begins[-1] :]) if begins else ''

    def kinds(self):
        return [event.kind for event in self.events]

    def end(self):
        self.node.end()
        self.node.diagnostics.close()
        self.node.destroy_node()
        self.robot.destroy_node()


@pytest.fixture
def graph():
    rclpy.init()
    graphs = []

    def start(**parameters):
        graphs.append(Graph(**parameters))
        return graphs[-1]

    yield start
    for made in graphs:
        made.end()
    rclpy.try_shutdown()


@pytest.fixture
def settings(tmp_path):
    file = tmp_path / 'oracle.yaml'
    file.write_text(SETTINGS)
    return str(file)


def test_a_transcript_becomes_an_oracle_and_books(serve, graph, settings):
    server = serve('openai', ['Par', 'is, of ', 'course.'])
    g = graph(backend=f'openai:m@{server.url}', settings=settings, persona='You are Kim.')
    g.say('capital of France?')
    g.until(lambda: g.text() == 'Paris, of course.')
    g.until(lambda: msg.TurnEvent.GENERATION_ENDED in g.kinds())
    assert server.requests[-1]['messages'][0]['content'].startswith('You are Kim.')
    g.say('and Italy?', utterance=1)
    g.until(lambda: msg.TurnEvent.TURN_BOOKED in g.kinds())
    (booked,) = [e for e in g.events if e.kind == msg.TurnEvent.TURN_BOOKED]
    books = json.loads(booked.text)
    assert books['cost'] == pytest.approx((11 + 3 * 2) / 1e6)
    assert g.node.counters()['turn_started'] == 1


def test_the_backend_is_changed_by_parameter_while_the_node_runs(serve, graph, monkeypatch):
    first, second = serve('openai', ['One.']), serve('ollama', ['Two.'])
    g = graph(backend=f'openai:m@{first.url}')
    g.say('who are you?')
    g.until(lambda: g.text() == 'One.')
    new = [
        Parameter('backend', value=f'ollama:m@{second.url}'),
        Parameter('persona', value='You are new.'),
    ]
    assert g.node.set_parameters_atomically(new).successful
    g.say('and now?', utterance=1)
    g.until(lambda: g.text() == 'Two.')
    assert 'You are new.' in str(second.requests[-1])
    monkeypatch.delenv('ANTHROPIC_API_KEY')
    bad = g.node.set_parameters_atomically([Parameter('backend', value='anthropic:m')])
    assert not bad.successful
    assert 'ANTHROPIC_API_KEY' in bad.reason
    g.say('still there?', utterance=2)
    g.until(lambda: len(second.requests) >= 3)


@pytest.mark.parametrize(
    ('name', 'value', 'why'),
    [
        ('backend', '', 'needs a backend'),
        ('backend', 'openai:m@localhost:8000', 'http://'),
        ('fallback', 'anthropic:m', 'ANTHROPIC_API_KEY'),
        ('prompt_file', '/nowhere', '/nowhere'),
        ('prompt_file', '/etc/passwd', 'may not be read'),
        ('prompt_file', '~/.ssh/id_rsa', 'may not be read'),
        ('prompt_file', '../../../../../../etc/passwd', 'may not be read'),
    ],
)
def test_a_wrong_value_is_refused_with_a_reason_and_the_node_goes_on(
    name, value, why, serve, graph, monkeypatch
):
    monkeypatch.delenv('ANTHROPIC_API_KEY', raising=False)
    g = graph(backend=f'openai:m@{serve("openai", ["One."]).url}')
    refused = g.node.set_parameters_atomically([Parameter(name, value=value)])
    assert not refused.successful
    assert why in refused.reason
    g.say('who are you?')
    g.until(lambda: g.text() == 'One.')


def test_a_set_of_parameters_with_a_wrong_one_changes_nothing(serve, graph, monkeypatch):
    monkeypatch.delenv('ANTHROPIC_API_KEY', raising=False)
    server = serve('openai', ['One.'])
    g = graph(backend=f'openai:m@{server.url}')
    mixed = [
        Parameter('persona', value='You are new.'),
        Parameter('fallback', value='anthropic:m'),
    ]
    assert 'ANTHROPIC_API_KEY' in g.node.set_parameters_atomically(mixed).reason
    g.say('who are you?')
    g.until(lambda: g.text() == 'One.')
    assert 'You are new.' not in str(server.requests[-1])
    # What was refused does not come back with what is right.
    assert g.node.set_parameters_atomically([Parameter('style', value='Be brief.')]).successful
    g.say('and now?', utterance=1)
    g.until(lambda: 'and now?' in str(server.requests[-1]))
    assert 'Be brief.' in str(server.requests[-1])
    assert 'You are new.' not in str(server.requests[-1])


def test_a_transcript_that_is_none_is_counted_and_the_node_goes_on(serve, graph):
    g = graph(backend=f'openai:m@{serve("openai", ["One."]).url}')
    g.transcript.publish(msg.Transcript(text='ab', committed=9))
    g.until(lambda: g.node.totals()['bad_messages'] == 1)
    g.say('who are you?', utterance=1)
    g.until(lambda: g.text() == 'One.')


def test_the_last_turn_is_booked_and_thinking_ends_when_the_node_is_deactivated(serve, graph):
    server = serve('openai', ['Hi.'], ['Once ', 'upon ', serve.HANG], ['Two.'])
    g = graph(backend=f'openai:m@{server.url}')
    g.say('a story')
    g.until(g.text)
    g.node.trigger_deactivate()
    g.until(lambda: msg.TurnEvent.TURN_BOOKED in g.kinds())
    assert msg.TurnEvent.GENERATION_CANCELLED in g.kinds()
    assert g.node.counters()['running'] == 0
    g.node.trigger_activate()
    g.say('and now?', utterance=1)
    g.until(lambda: g.text() == 'Two.')


def test_a_server_that_is_absent_does_not_keep_the_robot_from_starting(graph):
    g = graph(backend='ollama:m@http://127.0.0.1:9')
    g.say('hello')
    g.until(lambda: g.text() == 'Sorry, I cannot think right now.')


def test_an_action_goes_out_and_its_result_is_spoken_of(serve, graph, settings):
    wave = '<action>{"name": "wave", "arguments": {"times": 2}}</action>'
    server = serve('openai', ['Hello.'], ['Sure. ', wave], ['I waved.'])
    g = graph(backend=f'openai:m@{server.url}', settings=settings)
    g.say('wave twice')
    (request,) = g.until(lambda: g.requests)
    assert (request.kind, request.name) == (msg.ActionRequest.DO, 'wave')
    assert json.loads(request.arguments) == {'times': 2}
    g.result.publish(msg.ActionResult(id=request.id, succeeded=True, text='waved twice'))
    g.until(lambda: g.text() == 'I waved.')
    assert 'done: waved twice' in server.requests[-1]['messages'][-1]['content']


def test_facts_are_told_to_the_llm(serve, graph):
    server = serve('openai', ['80 percent.'])
    g = graph(backend=f'openai:m@{server.url}')
    g.facts.publish(String(data='battery 70 percent'))
    g.facts.publish(String(data='battery: 80 percent full'))
    before = len(server.requests)
    g.until(lambda: g.node._runner._session.facts.prompt(0.0))
    g.say('how full is your battery?')
    g.until(lambda: len(server.requests) > before)
    system, user = server.requests[-1]['messages']
    assert 'Your battery is 80 percent full.' in user['content']
    assert 'battery' not in system['content']
    assert g.node.totals()['bad_messages.facts'] == 1


def test_a_stop_word_interrupts_the_front_end_and_asks_nobody(serve, graph, settings):
    server = serve('openai', ['Once upon a time.'])
    g = graph(backend=f'openai:m@{server.url}', settings=settings)
    asked = len(server.requests)
    g.say('Kim, stop!')
    g.until(lambda: g.stops)
    g.until(lambda: msg.TurnEvent.SILENT in g.kinds())
    assert len(server.requests) == asked


def test_a_stop_word_interrupts_once(serve, graph, settings):
    server = serve('openai', ['Hello.'], ['Once upon ', 'a time ', serve.HANG])
    g = graph(backend=f'openai:m@{server.url}', settings=settings)
    g.say('Kim, stop!')
    g.until(lambda: g.stops)
    g.say('tell me a story', utterance=1)
    g.until(g.text)
    # The front-end tells late that it was stopped: the answer to a newer question goes on.
    stopped = msg.TurnEvent(kind=msg.TurnEvent.BARGE_IN, source='interrupt')
    g.turn.publish(stopped)
    g.until(lambda: g.node._stops == type(g.node._stops)())
    for _ in range(5):
        g.executor.spin_once(0.05)
    assert msg.TurnEvent.GENERATION_CANCELLED not in g.kinds()
    g.turn.publish(stopped)  # somebody else pressed a button
    g.until(lambda: msg.TurnEvent.GENERATION_CANCELLED in g.kinds())


def test_a_fact_is_heard_whoever_tells_it(serve, graph):
    server = serve('openai', ['80 percent.'])
    g = graph(backend=f'openai:m@{server.url}')
    latched = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    for name, quality in (('battery', latched), ('place', best_effort)):
        publisher = g.robot.create_publisher(String, 'facts', quality)
        if name == 'battery':  # before anybody listens
            publisher.publish(String(data='battery: 80 percent full'))
        else:
            g.until(publisher.get_subscription_count)
            publisher.publish(String(data='place: 80 percent full'))
    before = len(server.requests)
    told = g.node._runner._session.facts
    g.until(lambda: 'battery' in told.prompt(0.0) and 'place' in told.prompt(0.0))
    g.say('how full is your battery?')
    g.until(lambda: len(server.requests) > before)
    data = server.requests[-1]['messages'][1]['content']
    assert 'Your battery is 80 percent full.' in data
    assert 'Your place is 80 percent full.' in data


def test_a_barge_in_takes_back_the_words(serve, graph):
    server = serve('openai', ['Hello.'], ['Once upon ', 'a time ', serve.HANG])
    g = graph(backend=f'openai:m@{server.url}')
    g.say('tell me a story')
    g.until(g.text)
    stamp = g.node.get_clock().now().to_msg()
    barge_in = msg.TurnEvent(kind=msg.TurnEvent.BARGE_IN, source='s2s')
    barge_in.header.stamp = stamp
    g.turn.publish(barge_in)
    g.until(lambda: g.chunks[-1].kind == msg.OracleChunk.CLEAR)
    g.until(lambda: msg.TurnEvent.GENERATION_CANCELLED in g.kinds())


@pytest.mark.parametrize(
    ('text', 'why'),
    [('actons: []', 'did you mean actions'), ('- a', 'not a table'), ('a: [', 'is not understood')],
)
def test_a_settings_file_that_is_wrong_is_told(tmp_path, text, why):
    from kame_ros.oracle.settings import read_settings

    file = tmp_path / 'x.yaml'
    file.write_text(text)
    with pytest.raises(ValueError, match=why):
        read_settings(str(file))


def test_a_wrong_price_is_told():
    from kame_ros.oracle.llm.backend import parse_backend
    from kame_ros.oracle.settings import OracleSettings

    with pytest.raises(ValueError, match=r"prices of openai:m.*'prize'"):
        OracleSettings(prices={'m': {'prize': 1.0}}).priced(parse_backend('openai:m'))


def test_the_example_of_the_settings_file_is_right():
    from pathlib import Path

    from kame_ros.oracle.settings import read_settings

    settings = read_settings(str(Path(__file__).parents[2] / 'config' / 'settings' / 'oracle.yaml'))
    assert list(settings.actions.usable) == ['wave']
    assert settings.stop_words.heard('robot, stop') == 'stop'


def test_the_parts_of_the_example_that_are_commented_out_are_right_too(tmp_path):
    from pathlib import Path

    from kame_ros.oracle.llm.backend import parse_backend
    from kame_ros.oracle.settings import read_settings

    example = Path(__file__).parents[2] / 'config' / 'settings' / 'oracle.yaml'
    code = re.compile(r'^( *)# (?=routes:|embedding:|[a-z0-9.-]+: \{|  )', re.MULTILINE)
    file = tmp_path / 'all.yaml'
    file.write_text(code.sub(r'\1', example.read_text()))
    settings = read_settings(str(file))
    assert [route.name for route in settings.routes] == ['reasoning']
    assert settings.embedding
    assert settings.priced(parse_backend('openai:gpt-4.1')).price_out == 8.0
    thinker = settings.priced(parse_backend('openai:qwen3-8b@http://127.0.0.1:8000/v1'))
    assert 'chat_template_kwargs' in thinker.client_config.extra


def test_files_that_were_given_at_start_are_read_and_settings_of_others_refused(
    serve, graph, settings, tmp_path
):
    prompt = tmp_path / 'prompt.txt'
    prompt.write_text('You are Kim.')
    server = serve('openai', ['One.'])
    backend = f'openai:m@{server.url}'
    g = graph(backend=backend, settings=settings, prompt_file=str(prompt))
    prompt.write_text('You are Ann.')
    assert g.node.set_parameters_atomically(
        [Parameter('prompt_file', value=str(prompt))]
    ).successful
    g.say('who are you?')
    g.until(lambda: g.text() == 'One.')
    assert server.requests[-1]['messages'][0]['content'].startswith('You are Ann.')
    g.node.trigger_deactivate()
    g.node.trigger_cleanup()
    for name, value in (
        ('settings', '/etc/passwd'),
        ('prompt_file', '/etc/passwd'),
        ('backend', 'embedded:/etc/passwd'),
        ('backend', 'openai:m@http://anywhere.example'),
        ('fallback', 'ollama:m, openai:m@http://anywhere.example'),
    ):
        (result,) = g.node.set_parameters([Parameter(name, value=value)])
        assert not result.successful
        assert 'KAME_' in result.reason
    assert g.node.trigger_configure().name == 'SUCCESS'


def test_a_running_oracle_asks_no_server_and_loads_no_file_that_the_start_has_not_named(
    serve, graph, tmp_path
):
    server = serve('openai', ['One.'])
    g = graph(backend=f'openai:m@{server.url}')
    (tmp_path / 'not.gguf').write_text('text')
    for name, value, says in (
        ('backend', 'openai:m@http://anywhere.example', 'KAME_HOSTS=anywhere.example:80'),
        ('fallback', 'openai:m@http://anywhere.example/v1', 'KAME_HOSTS=anywhere.example:80'),
        ('backend', 'embedded:/etc/shadow', 'KAME_FILES'),
        ('fallback', f'embedded:{tmp_path}/not.gguf', 'KAME_FILES'),
        ('backend', 'openai:m@http://[::1/v1', 'no address'),
        ('persona', 'x' * 200_000, '200000 characters of at most 4000'),
        ('persona', 'a\x1b[2Jb', 'control character'),
        ('hidden_marks', '(a+)+' * 1_000, 'characters of at most'),
    ):
        (result,) = g.node.set_parameters([Parameter(name, value=value)])
        assert not result.successful, value[:100]
        assert says in result.reason
        assert len(result.reason) < 400
        assert '\n' not in result.reason
    g.say('who are you?')
    g.until(lambda: g.text() == 'One.')


def test_who_asked_is_told_that_there_is_no_answer_and_why(serve, graph):
    g = graph(backend=f'openai:m@{serve("openai", serve.Status(401)).url}')
    g.say('who are you?', utterance=3)
    g.until(lambda: g.text() == 'Sorry, I cannot think right now.')
    begun = [c.generation for c in g.chunks if c.kind == msg.OracleChunk.BEGIN]
    failed = msg.TurnEvent.GENERATION_FAILED
    (told,) = g.until(lambda: [e for e in g.events if e.kind == failed and e.generation in begun])
    assert told.utterance == 3
    assert '401' in told.text
    assert all(e.kind < 100 for e in g.events)


def test_half_a_character_in_an_error_is_told_and_the_next_question_answered(serve, graph):
    bad = serve.Status(400, body={'error': {'message': '\ud800 bad'}})
    g = graph(backend=f'openai:m@{serve("openai", bad, bad, ["One."]).url}')
    answered = []
    for utterance in range(4):
        g.chunks.clear()
        g.say('who are you?', utterance=utterance)
        g.until(lambda: g.text().endswith('.'))
        answered.append(g.text())
    assert answered[-1] == 'One.'
    assert g.node.counters()['faults'] == 0
    assert g.node.complaint() == ''


def test_a_fault_of_ours_is_a_warning_and_the_next_question_is_answered(serve, graph):
    g = graph(backend=f'openai:m@{serve("openai", ["One."]).url}')
    session = g.node._runner._session
    session.policy.on_tick, real = lambda *_: 1 / 0, session.policy.on_tick
    g.say('who are you?')
    g.until(lambda: g.node.counters()['faults'] or g.text() == 'One.')
    session.policy.on_tick = real
    g.say('and now?', utterance=1)
    g.until(lambda: g.text() == 'One.')
    assert 'faults' in g.node.WARN_WHEN_GROWING
    assert 'transcripts_old' in g.node.WARN_WHEN_GROWING
    assert 'held_back_s' in g.node.WARN_WHEN_GROWING
    assert set(g.node.WARN_WHEN_GROWING) <= set(g.node.counters())


def test_a_forged_number_does_not_make_later_transcripts_old(serve, graph):
    server = serve('openai', ['One.'])
    g = graph(backend=f'openai:m@{server.url}')
    for utterance, text in ((3, 'who are you?'), (2**32 - 1, 'forged'), (4, 'and where?')):
        g.say(text, utterance=utterance)
        g.until(lambda t=text: t in str(server.requests))
    assert g.node.counters()['transcripts_old'] == 0
    assert g.node.counters()['numbered_anew'] == 1
