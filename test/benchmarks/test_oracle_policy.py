"""What the benchmark claims of the policy holds: it runs on a virtual clock, in a second."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / 'benchmarks' / 'oracle_policy.py'


@pytest.fixture(scope='module')
def figures(tmp_path_factory):
    file = tmp_path_factory.mktemp('benchmark') / 'figures.json'
    subprocess.run([sys.executable, SCRIPT, '--json', file], check=True, capture_output=True)
    return json.loads(file.read_text())['policies']


@pytest.mark.parametrize('ms', [50, 200, 500, 1500])
def test_never_starved_one_time_to_first_token_and_half_the_waste(figures, ms):
    ours, theirs = figures['ours'][str(ms)], figures['multiplexer'][str(ms)]
    assert ours['answers_whole'] == 1
    assert ours['starved'] == 0
    assert ours['after_final_worst_s'] <= ms / 1000 + 1e-6
    assert ours['tokens_wasted'] <= theirs['tokens_wasted'] / 2
    assert ours['words_before_reset'] >= 12


def test_the_first_reference_policy_starves_when_the_server_is_slow(figures):
    assert figures['poll_cancel']['1500']['starved'] > 0.3
