"""What the commands share that start a graph: where it runs, and who must hear its first frame."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from kame_ros.commands import ask, eval_run
from kame_ros.commands.bring_up import first_listeners, load
from kame_ros.graph.names import BadConfig, visitor_name

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
