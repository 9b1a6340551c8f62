"""Starts the conversation with `ros2 launch kame_ros kame.launch.py`.

The nodes and their parameters come from `graph.description`, as they do for `kame up`, and they
are brought up as it does it, by `kame conduct`: all are configured, then activated in their order,
and again when one comes back. What cannot be right (a misspelt parameter, a back-end that does not
exist) ends the launch.

    ros2 launch kame_ros kame.launch.py config:=kame namespace:=robot1
    ros2 launch kame_ros kame.launch.py oracle_backend:=ollama:llama3.2 stt_model:=whisper-tiny.en
    ros2 launch kame_ros kame.launch.py page:=true
    ros2 launch kame_ros kame.launch.py params_file:=my.yaml set:='stt.language=no; stt.beam=3'
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit, OnShutdown
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.substitutions import ExecutableInPackage
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

from kame_ros.graph.description import (
    DEFAULT_CONFIG,
    DEFAULT_NAMESPACE,
    PACKAGE,
    SHORTCUTS,
    Graph,
    NodeSpec,
    load_graph,
    parameter_file,
    parse_overrides,
    shortcut_overrides,
)
from kame_ros.graph.early import BAD_SETTING, PARENT, PROGRAM
from kame_ros.graph.memory import FOLDER
from kame_ros.graph.names import DISCOVERY, check_discovery, switch
from kame_ros.graph.page import NODE as PAGE
from kame_ros.graph.page import page_mode, page_parameters

ARGUMENTS = {
    'config': (DEFAULT_CONFIG, 'a configuration by name, or the path of a parameter file'),
    'namespace': (DEFAULT_NAMESPACE, 'the namespace of the nodes: one for each robot'),
    'params_file': ('', 'a ROS parameter file that outranks the configuration'),
    'set': ('', 'parameters that outrank all: node.parameter=value; node.parameter=value'),
    'record': ('', 'a folder: all topics with the sound are kept in a bag below it'),
    'use_sim_time': ('false', 'whether time comes from /clock'),
    'autostart': ('true', 'whether the nodes are configured and activated'),
    'discovery': (DISCOVERY[0], 'who finds the nodes; SUBNET: other machines too'),
    'log_level': ('info', 'how much the nodes tell'),
    'page': ('false', 'true: a page that shows the conversation; talk: one to talk through'),
    'page_host': ('', 'where the page is served; empty: this machine only'),
    **{
        argument: ('', f'sets {parameter} of {node}; empty: as in the configuration')
        for argument, (node, parameter) in SHORTCUTS.items()
    },
}


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the nodes that they ask for."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            OpaqueFunction(function=nodes),
        ]
    )


def nodes(context: LaunchContext) -> list[Action]:
    """The nodes of the graph, and what brings them up."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    page = page_parameters(page_mode(given['page']), given['page_host'])
    overrides = {node: dict(values) for node, values in page.items()}
    for node, values in shortcut_overrides(given).items():
        overrides.setdefault(node, {}).update(values)
    texts = filter(None, map(str.strip, given['set'].split(';')))
    for node, values in parse_overrides(texts).items():
        overrides.setdefault(node, {}).update(values)
    if given['record']:
        folder = str(Path(given['record']).expanduser().resolve())
        overrides.setdefault('recorder', {}).setdefault('folder', folder)
    pushed = context.launch_configurations.get('ros_namespace')  # by whoever includes this file
    graph = load_graph(
        given['config'],
        namespace=make_namespace_absolute(prefix_namespace(pushed, given['namespace'])) or '/',
        overrides=overrides,
        params_file=given['params_file'],
        also=[*([PAGE] if page else []), *(['recorder'] if given['record'] else [])],
    )
    folder = Path(tempfile.mkdtemp(prefix='kame-'))
    # Of the nodes alone: what includes this file has later nodes of its own.
    env = {
        'ROS_AUTOMATIC_DISCOVERY_RANGE': check_discovery(given['discovery']),
        FOLDER: str(folder),  # what a node that comes back must still know
        PARENT: str(os.getpid()),
        PROGRAM: '1',
    }
    sim = switch(given['use_sim_time'], 'use_sim_time')
    actions = [
        LifecycleNode(
            package=PACKAGE,
            executable=spec.name,
            name=spec.name,
            namespace=graph.namespace,
            parameters=[written(spec, folder), *([{'use_sim_time': True}] if sim else [])],
            arguments=['--ros-args', '--log-level', given['log_level']],
            additional_env=env,
            output='screen',
            respawn=True,
            respawn_delay=1.0,
        )
        for spec in graph.nodes
    ]
    handlers: list[Action] = [
        RegisterEventHandler(OnShutdown(on_shutdown=lambda *_: shutil.rmtree(folder, True))),
        *(ends_the_launch(node, [BAD_SETTING], 'a setting is wrong') for node in actions),
    ]
    if switch(given['autostart'], 'autostart'):
        conductor = brought_up(graph, given, env)
        handlers += [ends_the_launch(conductor, [1, 2], 'a node did not come up'), conductor]
    return [*handlers, *actions]


def written(spec: NodeSpec, folder: Path) -> str:
    """The path of a file with the parameters of a node."""
    path = folder / f'{spec.name}.yaml'
    path.write_text(parameter_file(spec), encoding='utf-8')
    return str(path)


def brought_up(graph: Graph, given: dict[str, str], env: dict[str, str]) -> ExecuteProcess:
    """The process that configures and activates the nodes, and again when one comes back."""
    command = [ExecutableInPackage('kame', PACKAGE), 'conduct', '--config', given['config']]
    if mode := page_mode(given['page']):
        command += ['--page', mode]
    if given['record']:
        command += ['--record', given['record']]
    return ExecuteProcess(
        cmd=[*command, '--namespace', graph.namespace, '--discovery', given['discovery']],
        name='kame_conduct',
        additional_env={name: env[name] for name in env if name != PROGRAM},
        output='screen',
    )


def ends_the_launch(process: ExecuteProcess, statuses: list[int], why: str) -> Action:
    """Ends the launch when a process ends with one of these statuses."""

    def on_exit(event: object, context: LaunchContext) -> list[Action]:
        if context.is_shutdown or getattr(event, 'returncode', 0) not in statuses:
            return []
        return [EmitEvent(event=Shutdown(reason=f'{why}: see the last error above'))]

    return RegisterEventHandler(OnProcessExit(target_action=process, on_exit=on_exit))
