import asyncio

import pytest

from kame_ros.replay.virtual_time import Stuck, VirtualLoop, run


def test_sleeping_takes_no_time_and_all_of_it():
    log = []

    async def sleeper(name, seconds):
        await asyncio.sleep(seconds)
        log.append((name, loop.time()))

    async def main():
        await asyncio.gather(sleeper('b', 3600.0), sleeper('a', 1.5))
        return 'done'

    loop = VirtualLoop(100.0)
    assert run(main(), loop) == 'done'
    assert log == [('a', 101.5), ('b', 3700.0)]


def test_threads_are_done_in_place():
    async def main():
        value = await asyncio.to_thread(lambda: 42)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        return value, loop.time()

    loop = VirtualLoop(5.0)
    assert run(main(), loop) == (42, 5.0)


def test_who_waits_for_nothing_is_told():
    async def main():
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run(main(), VirtualLoop())
