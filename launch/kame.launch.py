"""Starts the conversation with `ros2 launch kame_ros kame.launch.py`.

The nodes and their parameters come from kame_ros.graph, as they do for `kame up`. They are brought
up one after the other in its order: each is configured when the one before it is active.

    ros2 launch kame_ros kame.launch.py config:=kame namespace:=robot1
    ros2 launch kame_ros kame.launch.py oracle_backend:=ollama:llama3.2 stt_model:=whisper-tiny.en
"""

from __future__ import annotations

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from kame_ros.graph import (
    DEFAULT_CONFIG,
    DEFAULT_NAMESPACE,
    PACKAGE,
    SHORTCUTS,
    load_graph,
    shortcut_overrides,
)

ARGUMENTS = {
    'config': (DEFAULT_CONFIG, 'a configuration by name, or the path of a parameter file'),
    'namespace': (DEFAULT_NAMESPACE, 'the namespace of the nodes: one for each robot'),
    'use_sim_time': ('false', 'whether time comes from /clock'),
    'autostart': ('true', 'whether the nodes are configured and activated'),
    'discovery': ('LOCALHOST', 'who finds the nodes; SUBNET: other machines too'),
    'log_level': ('info', 'how much the nodes tell'),
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
            SetEnvironmentVariable(
                'ROS_AUTOMATIC_DISCOVERY_RANGE', LaunchConfiguration('discovery')
            ),
            OpaqueFunction(function=nodes),
        ]
    )


def nodes(context: LaunchContext) -> list[Action]:
    """The nodes of the graph, each waiting for the one before it."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    graph = load_graph(
        given['config'], namespace=given['namespace'], overrides=shortcut_overrides(given)
    )
    actions = [
        LifecycleNode(
            package=PACKAGE,
            executable=spec.name,
            name=spec.name,
            namespace=graph.namespace,
            parameters=[{**spec.parameters, 'use_sim_time': given['use_sim_time'] == 'true'}],
            arguments=['--ros-args', '--log-level', given['log_level']],
            output='screen',
            respawn=True,
            respawn_delay=1.0,
        )
        for spec in graph.nodes
    ]
    if given['autostart'] != 'true':
        return actions
    return [*brought_up(actions), *actions]


def brought_up(actions: list[LifecycleNode]) -> list[Action]:
    """Handlers that configure and activate the nodes in order, and again when one comes back."""
    handlers: list[Action] = []
    begun: set[int] = set()  # nodes whose turn has come

    def configure(place: int) -> list[Action]:
        begun.add(place)
        return [change(actions[place], Transition.TRANSITION_CONFIGURE)]

    for place, node in enumerate(actions):

        def on_start(event: object, context: LaunchContext, place: int = place) -> list[Action]:
            # The first node begins the chain; one that is started anew joins in by itself.
            return configure(place) if place == 0 or place in begun else []

        def next_one(context: LaunchContext, place: int = place + 1) -> list[Action]:
            return configure(place) if place < len(actions) and place not in begun else []

        handlers.append(RegisterEventHandler(OnProcessStart(target_action=node, on_start=on_start)))
        handlers.append(
            on_transition(
                node, 'configuring', 'inactive', change(node, Transition.TRANSITION_ACTIVATE)
            )
        )
        handlers.append(
            on_transition(node, 'activating', 'active', OpaqueFunction(function=next_one))
        )
    return handlers


def on_transition(node: LifecycleNode, start: str, goal: str, action: Action) -> Action:
    """Does something when a node goes from one state to another."""
    return RegisterEventHandler(
        OnStateTransition(
            target_lifecycle_node=node, start_state=start, goal_state=goal, entities=[action]
        )
    )


def change(node: LifecycleNode, transition: int) -> EmitEvent:
    """Asks a node for a transition."""
    return EmitEvent(
        event=ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
    )
