"""What the commands share that start a graph: where it runs, and who must hear its first frame."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from kame_ros.commands import ask, eval_run
from kame_ros.commands.bring_up import elsewhere, explain, first_listeners, load
from kame_ros.graph.description import NodeSpec, load_graph
from kame_ros.graph.names import BadConfig, visitor_name
from kame_ros.graph.processes import NodeProcess
from kame_ros.nodes.visitor.conductor import BringUpError
from kame_ros.nodes.visitor.running_graph import RunningGraph

ME = f'/{visitor_name()}'


def args(**more):
    given = dict(config='tandem', namespace='robot', domain='', discovery='LOCALHOST', record='')
    return SimpleNamespace(**{**given, 'set': [], 'params_file': '', 'hold': 0.0, **more})


@pytest.mark.parametrize(
    ('asked', 'environment', 'domain'),
    [('', None, None), ('', '', None), ('', '5', 5), ('7', None, 7), ('7', '5', 7), ('0', '5', 0)],
)
def test_the_domain_is_that_asked_for_or_of_the_environment(
    monkeypatch, asked, environment, domain
):
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    if environment is not None:
        monkeypatch.setenv('ROS_DOMAIN_ID', environment)
    given = args(domain=asked)
    load(given)
    assert given.domain == domain
    assert bool(elsewhere(given)) == (not asked)  # who names a domain means it


def test_a_domain_of_the_environment_that_is_none(monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', 'x')
    with pytest.raises(BadConfig, match='ROS_DOMAIN_ID is a number'):
        load(args())


@pytest.mark.parametrize(
    ('names', 'record', 'before_us'),
    [
        (('audio_capture', 's2s', 'stt', 'oracle'), '', 's2s,stt,'),
        (('audio_capture', 's2s'), 'bags', 's2s,recorder,'),
        (('audio_capture',), '', ''),
    ],
)
def test_who_must_hear_the_first_frame(names, record, before_us):
    assert first_listeners(names, record) == before_us + ME


@pytest.mark.parametrize('record', ['', 'bags'])
def test_a_question_and_a_conversation_wait_for_the_same_nodes(tmp_path, record):
    asked = ask._graph(args(question=tmp_path / 'q.wav', record=record))
    led = eval_run._graph(args(record=record))
    for graph in (asked, led):
        ear = next(spec for spec in graph.nodes if spec.name == 'audio_capture')
        assert ear.parameters['wait_for_listeners'] == first_listeners(graph.names, record)
        assert ('recorder' in graph.names) == bool(record)


def test_another_process_goes_on_with_a_run(monkeypatch):
    """What it is called is none of the parameters that a run must be gone on with."""
    told = []
    for pid in (1, 2):
        monkeypatch.setattr(
            'kame_ros.commands.bring_up.visitor_name', lambda pid=pid: f'kame_{pid}'
        )
        told.append(eval_run._parameters(eval_run._graph(args(record=''))))
    assert told[0] == told[1]
    assert told[0]['audio_capture']['source'] == 'topic'


def refused(tmp_path, printed, status=2):
    """A graph of which a process has ended with this status, after it printed something."""
    log = tmp_path / 's2s.log'
    log.write_text(printed)
    process = NodeProcess(NodeSpec('s2s'), 'robot', tmp_path, {})
    process._process = SimpleNamespace(poll=lambda: status)
    processes = SimpleNamespace(nodes=[process], ended=lambda: [process])
    conductor = SimpleNamespace(ended=lambda name: None)
    return RunningGraph(load_graph(), 1, None, processes, conductor, lambda seconds: None)


def test_a_wrong_setting_is_told_alone(tmp_path, capsys):
    said = "quickness is between 0.0 and 1.0, not '[2]'"
    run = refused(tmp_path, f'[INFO] something\nerror: {said}\n')
    with pytest.raises(BringUpError) as raised:
        run._restart_ended(give_up_after=3)
    assert explain(run, raised.value) == 2
    assert capsys.readouterr().err.splitlines() == [f'error: s2s: {said}']


def test_a_process_that_ends_without_a_word_shows_what_it_printed(tmp_path, capsys):
    run = refused(tmp_path, 'who knows\n')
    with pytest.raises(BringUpError) as raised:
        run._restart_ended(give_up_after=3)
    assert explain(run, raised.value) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == ['error: s2s: its process has ended', 'who knows']


@pytest.mark.parametrize(('wrong', 'status'), [(True, 2), (False, 1)])
def test_a_node_that_refuses_tells_whether_a_setting_is_wrong(wrong, status, tmp_path, capsys):
    run = refused(tmp_path, '', status=None)
    assert explain(run, BringUpError('s2s', 'cannot configure: x', bad_setting=wrong)) == status
    assert capsys.readouterr().err == 'error: s2s: cannot configure: x\n'
