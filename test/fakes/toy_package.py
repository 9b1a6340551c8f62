"""A package of somebody else that brings engines, written into a folder with its entry points."""

import sys
import textwrap

import outside

TOYS = '''
import numpy as np
from kame_ros.stt.recogniser import Hypothesis, RecogniserError
from kame_ros.wire.transcript import Word


class Again:
    """Decodes anew: writes a word for each half second of sound that it is given."""

    max_sound_s = float('inf')

    def __init__(self, word):
        self.word = word

    def warm_up(self):
        pass

    def recognise(self, sound, final):
        count = int(len(sound) / 8000)
        words = [Word(f' {self.word}{i}', i / 2, i / 2 + 0.5, 0.9) for i in range(count)]
        return Hypothesis(tuple(words), language='en')


class Stream:
    """Streams: the same, of all sound since `begin`; a word is settled when the next one comes."""

    def __init__(self, word):
        self.word, self.heard, self.most = word, None, 0.0

    def warm_up(self):
        pass

    def begin(self):
        self.heard = 0

    def hear(self, sound):
        assert sound.dtype == np.float32
        self.most = max(self.most, len(sound) / 16_000)
        self.heard += len(sound)
        return self._said()

    def finish(self):
        said = self._said()
        return Hypothesis((*said.words, Word(' over', 99.0, 99.0)), settled=said.settled)

    def _said(self):
        count = self.heard // 8000
        words = [Word(f' {self.word}{i}', i / 2, i / 2 + 0.5, 0.9) for i in range(count)]
        return Hypothesis(tuple(words), language='en', settled=max(0, count - 1))


def again(settings):
    return Again(settings.options.get('word', 'w'))


def stream(settings):
    return Stream(settings.options.get('word', 'w'))


def nothing(settings):
    return object()
'''
POINTS = """
[kame_ros.stt]
toy-again = toy_engines:again
toy-stream = toy_engines:stream
toy-nothing = toy_engines:nothing
toy-broken = toy_engines.not_there:make
whisper = toy_engines:again
"""


def write(folder):
    """Install it: what comes on the path when the folder does."""
    outside.install_package(folder, 'toy-engines', {'toy_engines': textwrap.dedent(TOYS)}, POINTS)


def forget():
    sys.modules.pop('toy_engines', None)
