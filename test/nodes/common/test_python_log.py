"""What plain Python logs in a node is on the log of ROS, and its warnings are remembered."""

import logging
import sys

import numpy as np
import pytest
from fake_vad import FakeVad

from kame_ros.nodes.common.python_log import PACKAGE, PythonLog
from kame_ros.turns.turn_tracker import TurnTracker


@pytest.fixture
def heard():
    told = []
    log = PythonLog(lambda level, text: told.append((logging.getLevelName(level), text)))
    log.attach()
    yield log, told
    log.detach()


class Failing:
    min_silence_s = 0.1

    def decide(self, pause):
        raise RuntimeError('boom\nsecond line')

    def reset(self):
        pass


def test_a_strategy_that_fails_is_told_once_in_a_line(heard):
    log, told = heard
    tracker = TurnTracker(FakeVad(), Failing())
    for loud in (12_000, 0, 0, 0):
        for _ in range(12):
            tracker.hear(np.full(1920, loud, np.int16))
    assert tracker.faults > 1
    ((level, text),) = told
    assert level == 'WARNING'
    assert 'the end-of-turn strategy failed, words and silence decide instead' in text
    (line,) = log.warnings
    assert line.endswith('RuntimeError: boom second line')


def test_each_warning_is_remembered_once_and_only_the_first_ones(heard):
    log, told = heard
    logger = logging.getLogger(f'{PACKAGE}.of_a_test')
    logger.setLevel(logging.INFO)
    logger.info('all is well')
    for number in [*range(20), 0]:
        logger.warning('fault %d', number)
    logger.setLevel(logging.NOTSET)
    assert len(told) == 22
    assert log.warnings == [f'fault {n}' for n in range(8)]


def test_a_traceback_is_on_the_log_alone(heard):
    log, told = heard
    try:
        raise ValueError('of a test')
    except ValueError:
        logging.getLogger(f'{PACKAGE}.of_a_test').exception('it failed', exc_info=sys.exc_info())
    assert log.warnings == ['it failed']
    assert 'ValueError: of a test' in told[0][1]


def test_after_it_is_detached_it_hears_nothing(heard):
    log, told = heard
    log.detach()
    logging.getLogger(f'{PACKAGE}.of_a_test').warning('nobody hears')
    assert (told, log.warnings) == ([], [])
