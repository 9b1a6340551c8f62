import threading

from kame_ros.owner import OwnerThread


def test_it_stops_when_asked():
    ran = threading.Event()

    def body(stop):
        ran.set()
        stop.wait(10)

    owner = OwnerThread('test', body, lambda error: None)
    owner.start()
    assert ran.wait(5)
    assert owner.stop()


def test_what_the_body_raises_is_told():
    faults = []

    def body(stop):
        raise ValueError('the model broke')

    owner = OwnerThread('test', body, faults.append)
    owner.start()
    owner.stop()
    assert [str(fault) for fault in faults] == ['the model broke']


def test_a_body_that_hangs_is_reported():
    release = threading.Event()
    owner = OwnerThread('test', lambda stop: release.wait(10), lambda error: None)
    owner.start()
    assert not owner.stop(timeout=0.01)
    release.set()
    assert owner.stop()
