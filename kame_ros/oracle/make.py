"""Makes the settings of the oracle from its parameters, for the node and for a replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.prompt import PromptConfig
from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.llm.backend_names import BackendNames
from kame_ros.oracle.settings import OracleSettings
from kame_ros.settings.param import Param, filled
from kame_ros.trust.files import TrustedFiles

Read = Callable[[str], Any]  # the value of a parameter by its name


def make_backends(read: Read, settings: OracleSettings) -> list[Backend]:
    """The back-ends that the parameters name, in the order in which they are asked.

    Raises ValueError.
    """
    how = {row.name: read(row.name) for row in Param.of(Backend)}
    names = filled(BackendNames, read).names
    return [settings.priced(parse_backend(text, **how)) for text in names]


def make_config(
    read: Read, backends: Sequence[Backend], settings: OracleSettings, files: TrustedFiles
) -> OracleConfig:
    """All settings; `files` reads the prompt where it is in a file. Raises ValueError, OSError."""
    prompt: PromptConfig = filled(PromptConfig, read)
    if prompt.prompt_file:
        prompt = replace(prompt, text=files.read(prompt.prompt_file))
    config: OracleConfig = filled(
        OracleConfig,
        read,
        backends=tuple(backends),
        prompt=prompt,
        routes=settings.routes,
        actions=settings.actions,
        stop_words=settings.stop_words,
    )
    return config
