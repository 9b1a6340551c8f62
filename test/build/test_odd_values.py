"""Files with a value of an odd type in any place are refused in words that are not Python's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from odd_values import PYTHON, documents

from kame_ros.evaluation import foreign, questions, suite
from kame_ros.graph.description import load_graph
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.settings import read_settings
from kame_ros.training import config as training
from kame_ros.training.data import data_file, dialogue
from kame_ros.training.oracles import oracle_file

ACTION = {
    'name': 'wave',
    'description': 'Waves.',
    'arguments': {'times': {'type': 'integer', 'minimum': 0, 'maximum': 3, 'choices': [1, 2]}},
}
SETTINGS = {
    'actions': [ACTION],
    'allow': ['wave'],
    'routes': [{'name': 'a', 'backend': 0, 'keywords': ['k'], 'examples': ['e']}],
    'prices': {'m': {'price_in': 1.0, 'slots': 2}},
    'stop_words': ['stop'],
    'names': ['Robi'],
    'embedding': {'model': 'a', 'tokenizer': 'b'},
}
GRAPH = {
    '/**': {'ros__parameters': {'use_sim_time': False}},
    '/**/s2s': {'ros__parameters': {'front_end': 'tts', 'tts': {'quickness': 0.5}}},
    'stt': {'ros__parameters': {'step_s': 0.4}},
}
FINE_TUNING = {
    'checkpoint': 'a/b',
    'lora': {'rank': 4, 'scaling': 2.0, 'embeddings': True},
    'losses': {'padding': 0.5},
    'steps': 10,
    'betas': [0.9, 0.95],
    'precision': 'bfloat16',
}
CUE = {'sound': 's.wav', 'when': 'at', 'seconds': 0.5, 'speech': [[0.1, 0.2]], 'accepted': ['a']}
SUITE = {
    **{'format': 1, 'name': 'n', 'seed': 0, 'voices': ['v'], 'sounds': {}},
    'items': [{'id': 'a', 'kind': 'question', 'cues': [CUE], 'tags': {'x': 1}}],
}
QUESTION = {'id': 'f', 'category': 'fact', 'text': 'Which?', 'accepted': ['a'], 'note': ''}
ORACLE = {'request': 0, 'at': 0.1, 'ratio': 1.0, 'level': 1, 'listener': 'A', 'text': 'x'}
ENTRY = {'name': 'n', 'robot': 'A', 'frames': 3, 'held_out': False, 'fingerprint': 'f'}
DATA = {
    **{'format': 2, 'complete': True, 'checkpoint': 'a', 'codec_file': 'b', 'codebooks': 8},
    **{'card': 2048, 'text_card': 100, 'marks': {'start': 1}, 'tokenizer_sha256': 'x'},
    **{'silence': [1, 2], 'skipped': {}},
    'shards': [{'file': 'a', 'entries': [ENTRY], 'sha256': 's', 'bytes': 1}],
}


def read_oracle_settings(path: Path) -> None:
    found = read_settings(str(path))
    found.priced(Backend('ollama', 'm'))
    found.stop_words.heard('hello')


def read_oracles(path: Path) -> None:
    oracle_file.read(path, 'A')
    oracle_file.check(path, dialogue.Dialogue('a', ()), [])


def read_data(path: Path) -> None:
    data_file.read(path.parent).entries()


@pytest.mark.parametrize(
    ('name', 'good', 'read', 'refuses'),
    [
        ('oracle.yaml', SETTINGS, read_oracle_settings, ValueError),
        ('graph.yaml', GRAPH, lambda path: load_graph(str(path)), ValueError),
        ('train.yaml', FINE_TUNING, training.read, training.ConfigError),
        ('suite.json', SUITE, lambda path: suite.load(path.parent), suite.BadSuite),
        ('questions.jsonl', QUESTION, questions.read_questions, suite.BadSuite),
        (
            'output.json',
            {'chunks': [{'text': 'a', 'timestamp': [0.1, 0.2]}]},
            foreign.read_words,
            suite.BadSuite,
        ),
        (
            'icc_gt_distribution.json',
            {'a': [0.1]},
            lambda path: foreign.human_distribution(path.parent),
            suite.BadSuite,
        ),
        (
            'dialogue.json',
            [{'speaker': 'A', 'word': 'x', 'start': 0.1, 'end': 0.2}],
            dialogue.load,
            dialogue.DataError,
        ),
        ('oracles.jsonl', ORACLE, read_oracles, dialogue.DataError),
        ('data.json', DATA, read_data, dialogue.DataError),
    ],
)
@pytest.mark.filterwarnings('ignore::FutureWarning')  # of odd regular expressions
def test_no_refusal_speaks_python(tmp_path, name, good, read, refuses):
    path = tmp_path / name
    refused, python = 0, []
    for where, document in documents(good):
        if name.endswith('.yaml'):
            path.write_text(yaml.safe_dump(document))
        else:
            head = '{"oracles": "x"}\n' if name == 'oracles.jsonl' else ''
            path.write_text(f'{head}{json.dumps(document)}\n')
        try:
            read(path)
        except (refuses, OSError) as error:
            refused += 1
            python += [f'{where}: {error}'] if PYTHON.search(str(error)) else []
    assert python == []
    assert refused > 10
