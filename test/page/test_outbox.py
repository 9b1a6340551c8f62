"""What waits for a socket is bounded, in number and in size."""

import asyncio

from kame_ros.page.outbox import Outbox


def test_texts_leave_in_their_order():
    async def body():
        box = Outbox(3)
        assert [box.put(text) for text in 'abc'] == [True] * 3
        assert [await box.get() for _ in 'abc'] == list('abc')
        waiting = asyncio.ensure_future(box.get())
        await asyncio.sleep(0)
        box.put('d')
        assert await waiting == 'd'

    asyncio.run(body())


def test_who_does_not_read_is_overrun():
    async def body():
        for box, text in ((Outbox(3), 'x'), (Outbox(100, most_characters=30), 'x' * 10)):
            assert [box.put(text) for _ in range(5)] == [True] * 3 + [False] * 2
            assert box.is_overrun.is_set()
            assert [await box.get() for _ in range(3)] == [text] * 3

    asyncio.run(body())
