import re
import threading
from pathlib import Path

import pytest

import kame_ros
from kame_ros.runtime.inbox import Inbox

QUEUE = re.compile(r'self\.(\w+)(?:: [^=\n]+)? = (?:Inbox|Intake|Mailbox|MicQueue|Once)\(')


def filled(drop: str) -> Inbox[int]:
    inbox: Inbox[int] = Inbox(3, drop=drop)
    for item in range(5):
        inbox.put(item)
    return inbox


def test_the_oldest_goes_where_news_matter():
    inbox = filled('oldest')
    assert inbox.drain() == [2, 3, 4]
    assert (inbox.received, inbox.dropped, inbox.deepest) == (5, 2, 3)


def test_the_newest_is_refused_where_order_matters():
    inbox = filled('newest')
    assert inbox.drain() == [0, 1, 2]
    assert inbox.dropped == 2


def test_put_tells_of_a_loss():
    inbox: Inbox[int] = Inbox(1)
    assert inbox.put(1)
    assert not inbox.put(2)


def test_get_gives_up_when_nothing_comes():
    assert Inbox(1).get(timeout=0.01) is None


def test_closing_wakes_the_reader_and_keeps_what_is_there():
    inbox: Inbox[int] = Inbox(2)
    got = []
    reader = threading.Thread(target=lambda: got.append(inbox.get(timeout=10)))
    reader.start()
    inbox.close()
    reader.join(5)
    assert got == [None]
    assert not inbox.put(1)
    full: Inbox[int] = Inbox(2)
    full.put(7)
    full.close()
    assert full.get() == 7


@pytest.mark.parametrize(('bound', 'drop'), [(0, 'oldest'), (3, 'some')])
def test_nonsense_is_refused(bound, drop):
    with pytest.raises(ValueError, match='inbox'):
        Inbox(bound, drop=drop)


def test_counters_have_a_prefix():
    assert filled('oldest').counters('mic') == {
        'mic_queue': 3,
        'mic_queue_deepest': 3,
        'mic_dropped': 2,
    }


def test_it_opens_empty_and_counts_on():
    inbox = filled('oldest')
    inbox.close()
    inbox.open()
    assert inbox.drain() == []
    assert inbox.put(7)
    assert (inbox.get(), inbox.received, inbox.dropped) == (7, 6, 2)


def test_what_any_queue_drops_is_counted():
    uncounted, queues = [], 0
    for path in Path(kame_ros.__file__).parent.rglob('*.py'):
        text = path.read_text()
        for name in set(QUEUE.findall(text)):
            queues += 1
            if not re.search(rf'self\.{name}\.(dropped|counters\()', text):
                uncounted.append(f'{path.name}: {name}')
    assert queues > 12
    assert uncounted == []
