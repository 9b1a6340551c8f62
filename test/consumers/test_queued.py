"""A consumer behind its queue: slow, failing, and ending."""

import threading

from kame_ros.consumers.consumer import HEARS, Consumer
from kame_ros.consumers.queued import Queued
from kame_ros.wire.frame import Frame
from kame_ros.wire.health import Health
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import ChunkKind, OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

TOLD = {
    'on_mic': (Frame(1, 0.0),),
    'on_played': (Frame(2, 0.0),),
    'on_transcript': (Transcript(0, 0, 'yes', 0, False, 0.0, 1.0),),
    'on_oracle': (OracleChunk('llm', 1, ChunkKind.BEGIN),),
    'on_monologue': (MonologueToken(1, 0.0, 'yes'),),
    'on_turn': (TurnEvent(TurnKind.RESET, 1.0),),
    'on_health': ('stt', Health()),
}


class FakeScribe(Consumer):
    """Writes down what it is told; waits at the gate before each."""

    def __init__(self, raises=None):
        self.told, self.gate, self.raises = [], threading.Event(), raises

    def _write(self, *told):
        assert self.gate.wait(20)
        self.told.append(told)
        if self.raises:
            raise self.raises

    on_mic = on_played = on_transcript = on_oracle = on_monologue = on_turn = _write

    def on_health(self, node, health):
        self._write(node, health)

    def close(self):
        self.told.append('closed')


def test_everything_is_handed_on_in_order_and_close_comes_last():
    assert tuple(TOLD) == HEARS
    scribe = FakeScribe()
    queued = Queued('scribe', scribe, lambda text: None)
    assert queued.hears == set(HEARS)
    scribe.gate.set()
    for method, told in TOLD.items():
        getattr(queued, method)(*told)
    queued.close()
    assert scribe.told == [*TOLD.values(), 'closed']
    assert queued.counters() == {
        'consumer_queue': 0, 'consumer_dropped': 0, 'consumer_failed': 0,
        'consumer_queue_deepest': queued.counters()['consumer_queue_deepest'],
    }  # fmt: skip


def test_one_that_hangs_loses_the_oldest_and_holds_up_nobody():
    scribe, told = FakeScribe(), []
    queued = Queued('scribe', scribe, told.append, bound=5)
    for seq in range(100):
        queued.on_mic(Frame(seq, 0.0))  # returns at once, whatever the consumer does
    queued.close(patience_s=0.0)
    assert told == ['scribe did not end in 0 s']
    assert queued.dropped in (94, 95)  # it may have taken one before it hung
    scribe.gate.set()
    queued.close(patience_s=20.0)
    kept = [frame[0].seq for frame in scribe.told[:-1]]
    assert kept[-5:] == [95, 96, 97, 98, 99]
    assert len(kept) == 100 - queued.dropped
    assert scribe.told[-1] == 'closed'


def test_what_it_raises_is_counted_and_told_once():
    for error in (ValueError('no\nroom'), SystemExit(3), KeyError('x')):
        scribe, told = FakeScribe(error), []
        scribe.gate.set()
        queued = Queued('scribe', scribe, told.append)
        for seq in range(7):
            queued.on_mic(Frame(seq, 0.0))
        queued.close()
        assert len(scribe.told) == 8
        assert queued.counters()['consumer_failed'] == 7
        (text,) = told
        assert type(error).__name__ in text


def test_a_consumer_hears_what_it_has_methods_for():
    class Ear(Consumer):
        def on_turn(self, event):
            pass

    class Child(Ear):
        def on_oracle(self, chunk):
            pass

    assert Consumer().hears == set()
    assert Ear().hears == {'on_turn'}
    assert Child().hears == {'on_turn', 'on_oracle'}
