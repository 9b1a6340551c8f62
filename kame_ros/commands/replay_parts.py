"""The parts of the graph that a configuration describes, without the nodes around them."""

from __future__ import annotations

from collections.abc import Sequence

from kame_ros.consumers.consumer import Consumer
from kame_ros.graph.description import Graph, NodeSpec
from kame_ros.graph.names import BadConfig
from kame_ros.nodes.common.tables import parameter_table, reader
from kame_ros.nodes.robot.front_ends import make_front_end
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmClient
from kame_ros.oracle.make import Read, make_backends, make_config
from kame_ros.oracle.settings import read_settings
from kame_ros.replay.llms import AheadLlm, ReplayBackend
from kame_ros.replay.virtual_graph import Meter, Timing, VirtualGraph
from kame_ros.s2s.mux.mux import MuxConfig
from kame_ros.settings.param import filled
from kame_ros.stt.config import TranscriberConfig
from kame_ros.stt.engines import EngineSettings
from kame_ros.stt.make import speech_to_text
from kame_ros.trust.files import TrustedFiles
from kame_ros.turns.vad import SileroVad


def make_graph(
    graph: Graph, consumers: Sequence[Consumer], llm: LlmClient | None, timing: Timing
) -> VirtualGraph:
    """The parts, loaded; `llm` answers in the place of all back-ends, None: those of the graph do.

    Raises BadConfig for a graph without a recogniser or a front-end of its own, ValueError for
    values that cannot be, and what loading raises.
    """
    specs = {spec.name: spec for spec in graph.nodes}
    for name, why in (('stt', 'nobody hears words'), ('s2s', 'no front-end of its own speaks')):
        if name not in specs:
            raise BadConfig(f'{graph.config} cannot be replayed: in it, {why}')
    hears, speaks = _reader(specs['stt']), _reader(specs['s2s'])
    stt = speech_to_text(
        hears('engine'),
        filled(EngineSettings, hears),
        SileroVad(),
        filled(TranscriberConfig, hears),
        Meter(timing.decode_s),
    )
    stt.warm_up()
    front_end = make_front_end(speaks)
    front_end.warm_up()
    thinks = specs.get('oracle')
    return VirtualGraph(
        stt,
        front_end,
        oracle_config(_reader(thinks), llm) if thinks else None,
        consumers,
        timing,
        filled(MuxConfig, speaks, 'oracle_'),
        speaks('drop_oracle_on_barge_in'),
    )


def oracle_config(read: Read, llm: LlmClient | None) -> OracleConfig:
    """The settings of the oracle, whose clients are those of a replay. Raises ValueError, OSError.

    The files that they name were given by whoever types the command, and may be read.
    """
    files = TrustedFiles.at_start((read('settings'), read('prompt_file')))
    settings = read_settings(read('settings'), files)
    backends = [_replayed(backend, llm) for backend in make_backends(read, settings)]
    return make_config(read, backends, settings, files)


def _replayed(backend: Backend, llm: LlmClient | None) -> ReplayBackend:
    if llm is not None:
        return ReplayBackend.of(backend, lambda: llm)
    backend.check()
    return ReplayBackend.of(backend, lambda: AheadLlm(backend))


def _reader(spec: NodeSpec) -> Read:
    """Reads the parameters of a node as it would itself; raises BadConfig for one it has not."""
    known = {row.name for row in parameter_table(spec.module)}
    if unknown := sorted(spec.parameters.keys() - known):
        raise BadConfig(f'{spec.name} has no parameter {unknown[0]}')
    return reader(spec)
