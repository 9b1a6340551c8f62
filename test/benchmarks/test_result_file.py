"""What a benchmark writes, and that every benchmark writes it."""

import argparse
import json
import re
from pathlib import Path

import pytest
import result_file

FOLDER = Path(result_file.__file__).parent
PROGRAMS = sorted(
    path
    for path in FOLDER.glob('*.py')
    if "__name__ == '__main__'" in path.read_text()
    and path.name not in ('figures.py', 'turn_picture.py', 'ask_picture.py')
)
RESULTS = sorted((FOLDER / 'results').glob('*.json'))


@pytest.mark.parametrize('path', PROGRAMS, ids=lambda path: path.stem)
def test_every_benchmark_writes_its_figures_in_this_way(path):
    text = path.read_text()
    assert f"Results(parser, '{path.stem}'" in text
    assert '.write(' in text
    assert "add_argument('--json'" not in text


@pytest.mark.parametrize('path', RESULTS, ids=lambda path: path.stem)
def test_every_result_says_where_when_and_how_it_was_measured(path):
    result = json.loads(path.read_text())
    assert result['command'].startswith(f'python benchmarks/{result["benchmark"]}.py')
    assert (FOLDER / f'{result["benchmark"]}.py').is_file()
    assert re.fullmatch(r'\d{4}-\d\d-\d\d', result['date'])
    assert re.fullmatch(r'[0-9a-f]{12}', result['commit']), 'measured on files that nobody has'
    assert result['machine']['processor']
    assert result['machine']['cores'] > 0
    assert isinstance(result['busy'], bool)
    assert result['figures']


def test_only_what_is_asked_for_is_written(tmp_path):
    parser = argparse.ArgumentParser()
    writer = result_file.Results(parser, 'talk')
    details, told = tmp_path / 'build' / 'all.json', tmp_path / 'results' / 'talk.json'
    writer.write(parser.parse_args([]), {'latency_s': 0.8}, [1])
    writer.write(parser.parse_args(['--json', str(details)]), {'latency_s': 0.8}, [1])
    assert not told.exists()
    writer.write(parser.parse_args(['--results', str(told)]), {'latency_s': 0.8}, [2])
    assert json.loads(details.read_text()) == [1]
    assert json.loads(told.read_text())['figures'] == {'latency_s': 0.8}


def test_without_a_path_the_result_goes_where_figures_are_taken_from():
    parser = argparse.ArgumentParser()
    result_file.Results(parser, 'talk')
    assert parser.parse_args(['--results']).results == FOLDER / 'results' / 'talk.json'


@pytest.mark.parametrize('timed', [True, False])
def test_what_others_compute_is_told(monkeypatch, timed):
    ticks = iter([0.0, 1000.0])
    monkeypatch.setattr(result_file.Load, '_ticks', staticmethod(lambda: next(ticks)))
    monkeypatch.setattr(result_file, '_TICKS', 100)
    monkeypatch.setattr(result_file, 'CORES', 2)
    monkeypatch.setattr(result_file.time, 'monotonic', iter([0.0, 10.0]).__next__)
    assert result_file.Load().told(timed) == {'others_cores': 1.0, 'busy': timed}
