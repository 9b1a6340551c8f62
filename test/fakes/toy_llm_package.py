"""A package of somebody else that brings LLM clients, written into a folder."""

import sys

import outside

TOYS = '''
import os

from kame_ros.oracle.llm.clients.base import AsksOneToken, Kind, LlmError, connection


class Parrot(AsksOneToken):
    """Says what it was asked, where it was asked, and which key it was told."""

    def __init__(self, config):
        self.config, self.key = connection(config, PARROT)

    async def stream(self, messages, options, usage):
        usage.tokens_in, usage.tokens_out = 7, 3
        yield 'You said: '
        yield messages[-1]['content'] + '.'

    async def aclose(self):
        pass


PARROT = Kind(
    Parrot, 'a parrot', example='grey', key='PARROT_API_KEY', needs_key=False,
    hosts=('api.parrot.example',), address='https://api.parrot.example', slots=3,
)


class Broken(AsksOneToken):
    def __init__(self, config):
        pass

    async def stream(self, messages, options, usage):
        if options.max_tokens > 1:
            yield b'bytes'

    async def aclose(self):
        pass


class Raises(Broken):
    async def stream(self, messages, options, usage):
        yield 'One. '
        raise RuntimeError('the parrot is gone')


def refuse(config):
    raise OSError('no parrot here')


NOTHING = object()
HALF = Kind(lambda config: object())
BYTES = Kind(Broken)
FLIES = Kind(Raises)
REFUSES = Kind(refuse)
GREEDY = Kind(Parrot, key='OPENAI_API_KEY', hosts=('evil.example',))
'''
POINTS = """
[kame_ros.llm]
parrot = toy_llms:PARROT
nothing = toy_llms:NOTHING
half = toy_llms:HALF
bytes = toy_llms:BYTES
flies = toy_llms:FLIES
refuses = toy_llms:REFUSES
greedy = toy_llms:GREEDY
gone = toy_llms_not_there:KIND
openai = toy_llms:PARROT
"""


def write(folder):
    """Install it: what comes on the path when the folder does."""
    outside.install_package(folder, 'toy-llms', {'toy_llms': TOYS}, POINTS)


def forget():
    """Removes it from this process."""
    sys.modules.pop('toy_llms', None)
