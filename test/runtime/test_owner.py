import threading
import time

import pytest

from kame_ros.runtime.owner import Owners, OwnerThread


def test_it_stops_when_asked():
    ran = threading.Event()

    def body(stop):
        ran.set()
        stop.wait(10)

    owner = OwnerThread('test', body, lambda error: None)
    owner.start()
    assert ran.wait(5)
    assert owner.stop()


@pytest.mark.parametrize('kind', [ValueError, SystemExit, KeyboardInterrupt])
def test_what_the_body_raises_is_told(kind):
    faults = []

    def body(stop):
        raise kind('the model broke')

    owner = OwnerThread('test', body, faults.append)
    owner.start()
    owner.stop()
    assert [(type(fault), str(fault)) for fault in faults] == [(kind, 'the model broke')]


def test_a_body_that_hangs_is_reported():
    release = threading.Event()
    owner = OwnerThread('test', lambda stop: release.wait(10), lambda error: None)
    owner.start()
    assert not owner.stop(timeout=0.01)
    release.set()
    assert owner.stop()


def test_a_wait_in_the_body_ends_when_the_thread_is_to_stop():
    owners, faults, began = Owners(), [], threading.Event()

    def body(stop):
        while True:  # waits for something that never comes, and does not look at `stop`
            began.set()
            owners.check()
            time.sleep(0.001)

    owner = owners.add(OwnerThread('test', body, faults.append))
    owner.start()
    assert began.wait(5)
    owners.check()  # another thread is not ended by it
    assert owner.stop()
    owners.check()
    assert not faults
    assert not owners.lingering
