"""The order of bringing up, and what happens to those that die or refuse: on virtual time."""

import itertools

import pytest

from kame_ros.graph.bring_up import ACTIVATE, CONFIGURE, Ask, Backoff, BringUp


class Robot:
    """Nodes that tell of themselves each second, and obey unless they are told not to."""

    def __init__(self, *names):
        self.policy = BringUp(names)
        self.t = 0.0
        self.state = dict.fromkeys(names, 'unconfigured')
        self.life = {name: f'{name}1' for name in names}
        self.deaf, self.refuses = set(), set()
        self.asked = []

    def die(self, name):
        self.policy.ended(self.t, name)
        self.life[name] = None

    def start(self, name, life):
        self.life[name], self.state[name] = life, 'unconfigured'

    def run(self, seconds):
        end = self.t + seconds
        while self.t < end:
            for name, life in self.life.items():
                if life:
                    self.policy.told(self.t, name, life, self.state[name])
            for ask in self.policy.due(self.t):
                self.asked.append((self.t, ask.name, ask.transition))
                self.policy.asked(self.t, ask)
                self.obey(ask)
            self.t += 1.0
        return self

    def obey(self, ask):
        if ask.name in self.deaf:
            return
        if ask.name in self.refuses:
            self.policy.answered(self.t, ask, False)
            return
        self.state[ask.name] = {CONFIGURE: 'inactive', ACTIVATE: 'active'}[ask.transition]
        self.policy.answered(self.t, ask, True)

    def asks(self, name):
        return [(t, transition) for t, asked, transition in self.asked if asked == name]


@pytest.fixture
def robot():
    robot = Robot('mouth', 'voice', 'ear').run(5)
    assert robot.policy.up
    robot.asked.clear()
    return robot


def test_all_are_configured_at_once_and_activated_in_order():
    robot = Robot('mouth', 'voice', 'ear')
    robot.deaf.add('mouth')
    robot.run(2)
    assert [ask[1:] for ask in robot.asked] == [(n, CONFIGURE) for n in ('mouth', 'voice', 'ear')]
    assert not robot.policy.up
    robot.deaf.clear()
    robot.run(6)
    assert robot.policy.up
    assert [ask[1] for ask in robot.asked if ask[2] == ACTIVATE] == ['mouth', 'voice', 'ear']


def test_a_node_that_is_up_is_left_alone(robot):
    robot.state['voice'] = 'inactive'  # somebody deactivated it by hand
    robot.run(20)
    robot.state['voice'] = 'unconfigured'
    robot.run(20)
    assert robot.asked == []


def test_a_node_that_was_started_anew_is_brought_up_by_itself(robot):
    robot.start('voice', 'voice2')  # nobody saw it die
    robot.run(5)
    assert [transition for _, transition in robot.asks('voice')] == [CONFIGURE, ACTIVATE]
    assert len(robot.asked) == 2


def test_a_request_to_one_that_is_dead_is_sent_again(robot):
    robot.start('voice', 'voice2')
    robot.deaf.add('voice')
    robot.run(3)
    robot.deaf.clear()
    robot.run(5)
    assert [transition for _, transition in robot.asks('voice')] == [CONFIGURE, CONFIGURE, ACTIVATE]


def test_a_node_that_is_long_in_coming_is_not_asked_twice(robot):
    robot.start('voice', 'voice2')
    robot.deaf.add('voice')
    robot.run(1)
    robot.state['voice'] = 'configuring'
    robot.run(600)
    assert len(robot.asks('voice')) == 1
    robot.deaf.clear()
    robot.state['voice'] = 'inactive'
    robot.run(2)
    assert robot.policy.is_up('voice')


def test_a_node_that_refuses_its_second_life_is_asked_with_growing_pauses(robot):
    robot.refuses.add('ear')  # its microphone is still unplugged
    robot.start('ear', 'ear2')
    robot.run(200)
    times = [t for t, _ in robot.asks('ear')]
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses[:5] == [1, 2, 4, 8, 16]
    assert set(pauses[5:]) == {30}
    assert robot.policy.is_up('mouth')
    robot.refuses.clear()
    robot.run(31)
    assert robot.policy.is_up('ear')


def test_who_refuses_in_the_first_bring_up_is_named():
    robot = Robot('mouth', 'voice')
    robot.refuses.add('voice')
    robot.run(3)
    assert robot.policy.refused == 'voice'
    assert not robot.policy.up


def test_a_refusal_of_what_is_on_its_way_already_is_none():
    policy = BringUp(['ear'])
    policy.told(0.0, 'ear', 'a', 'unconfigured')
    policy.asked(0.0, Ask('ear', CONFIGURE))
    policy.told(0.1, 'ear', 'a', 'configuring')  # for somebody else
    policy.answered(0.2, Ask('ear', CONFIGURE), False)
    assert policy.refused == ''


def test_two_nodes_of_one_name_are_noticed():
    policy = BringUp(['ear'])
    for second in range(6):
        policy.told(second, 'ear', 'a', 'active')
        policy.told(second + 0.5, 'ear', 'b', 'unconfigured')
    assert policy.doubled == 'ear'


def test_the_first_of_two_is_left_alone_when_the_second_has_gone(robot):
    for second in range(6):
        robot.policy.told(robot.t + second, 'ear', 'ear1', 'active')
        robot.policy.told(robot.t + second + 0.5, 'ear', 'b', 'unconfigured')
    assert robot.policy.doubled == 'ear'
    robot.t += 6
    robot.run(10)
    assert robot.policy.doubled == ''
    assert robot.policy.is_up('ear')
    assert robot.policy.due(robot.t) == []


def test_the_last_words_of_the_dead_are_no_second_node(robot):
    robot.die('ear')
    robot.policy.told(robot.t + 1.0, 'ear', 'ear1', 'active')
    robot.start('ear', 'ear2')
    robot.run(5)
    assert robot.policy.doubled == ''
    assert robot.policy.is_up('ear')


def test_what_is_remembered_of_the_dead_is_bounded():
    policy = BringUp(['ear'])
    for life in range(1_000):
        policy.told(60.0 * life, 'ear', f'life {life}', 'unconfigured')
        policy.ended(60.0 * life + 30.0, 'ear')
    assert list(policy._nodes['ear'].gone) == [f'life {life}' for life in range(992, 1_000)]
    policy.told(59_971.0, 'ear', 'life 999', 'active')  # its last words
    assert policy._nodes['ear'].life == ''


def test_two_deaths_at_once_cost_a_second():
    backoff = Backoff()
    assert [backoff.failed(t) - t for t in (0.0, 0.5, 2.0, 5.0)] == [0, 1, 2, 4]


def test_a_node_is_never_given_up_and_never_started_in_a_storm():
    backoff, t = Backoff(), 0.0
    starts = []
    while t < 3600:
        t = backoff.failed(t) + 1.0  # it lives for a second
        starts.append(t)
    assert 100 < len(starts) < 130
    assert all(sum(s <= x < s + 60 for x in starts) <= 7 for s in starts)


def test_old_deaths_are_forgiven():
    backoff = Backoff()
    assert [backoff.failed(t) - t for t in (0.0, 1000.0, 2000.0)] == [0, 0, 0]
