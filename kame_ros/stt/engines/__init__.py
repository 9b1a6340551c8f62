"""The engines that recognise speech, and the door for those of other packages.

A new engine is one file, with a function that takes `EngineSettings` and gives a `Recogniser` (it
decodes sound anew while it grows) or a `StreamingRecogniser` (it hears each sound once), and one
line: in `DOOR`, or in the pyproject.toml of another package:

    [project.entry-points.'kame_ros.stt']
    my-engine = 'my_package.my_engine:make'

`--set stt.engine=my-engine` takes it then. What only this engine can be told comes by
`stt.engine_options`. Its `recognise` or `hear` may raise anything: it is counted, and told once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kame_ros.runtime.doors import Door
from kame_ros.settings.options import ReadOptions, options_of
from kame_ros.settings.param import MODEL, OPTIONS, SERVER, check_settings, setting
from kame_ros.stt.recogniser import Recogniser, StreamingRecogniser


@dataclass(frozen=True)
class EngineSettings:
    """What an engine is told: the parameters of the stt node. Each takes what it understands.

    `may_fetch`: a model that is not on this machine may be got from a hub. Raises ValueError for
    what cannot be.
    """

    model: str = setting(
        'whisper-base',
        "A packaged model, a Whisper model by name, a folder, or the server's name for it.",
        names=MODEL,
    )
    language: str = setting('en', 'Such as en or en-US; empty: detected anew in each decode.')
    device: str = setting(
        'cpu',
        'Where Whisper runs, if it is on this machine.',
        choices=('cpu', 'cuda', 'auto'),
    )
    compute_type: str = setting('', "CTranslate2's number format, such as int8; empty: what fits.")
    threads: int = setting(1, 'Threads of Whisper; two on busy cores are slower.', low=1, high=64)
    beam: int = setting(5, 'Beam of the final decode; partial ones are greedy.', low=1, high=10)
    window_s: float = setting(15.0, 'Sound that Whisper hears at once.', low=4.0, high=30.0)
    base_url: str = setting('', "Address of a transcription server; empty: OpenAI's.", names=SERVER)
    key_variable: str = setting(
        'OPENAI_API_KEY', 'Name of the environment variable that holds the key of the server.'
    )
    timeout_s: float = setting(5.0, 'How long to wait for the server.', low=0.1, high=60.0)
    engine_options: str = setting(
        '', "What only another package's engine knows: 'key=value; key=value'.", names=OPTIONS
    )
    may_fetch: bool = True

    def __post_init__(self) -> None:
        check_settings(self)
        options_of(self.engine_options)

    @cached_property
    def options(self) -> ReadOptions:
        """`engine_options` by key, which an engine reads while it is made."""
        return options_of(self.engine_options)


Engine = Recogniser | StreamingRecogniser
DOOR = Door(
    'engine',
    'kame_ros.stt',
    {
        'whisper': 'kame_ros.stt.engines.whisper:make',
        'remote': 'kame_ros.stt.engines.remote:make',
    },
    Engine,
    'has neither recognise, warm_up and max_sound_s nor begin, hear, finish and warm_up',
)


def names() -> tuple[str, ...]:
    """The names of all engines, ours first. Imports none of them."""
    return DOOR.names()


def make(name: str, settings: EngineSettings) -> Engine:
    """Make an engine by its name; nobody can replace one of ours.

    Raises ValueError for a name that is none or for options that it has not, ImportError for an
    engine of another package that cannot be loaded or is none, and what the engine itself raises.
    """
    engine: Engine = DOOR.make(name, settings)
    settings.options.refuse_unread(DOOR.label(name))
    return engine
