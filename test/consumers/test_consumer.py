from kame_ros.consumers.consumer import HEARS, Consumer, Relay


class Half(Consumer):
    """Hears two things."""

    def on_mic(self, frame):
        """A frame."""

    def on_turn(self, event):
        """An event."""


class Notes(Relay):
    """Notes all that it is told."""

    def __init__(self):
        self.told = []

    def pass_on(self, name, *told):
        self.told.append((name, told))


def test_a_consumer_hears_what_it_has_a_method_for():
    assert Half().hears == {'on_mic', 'on_turn'}
    assert Consumer().hears == frozenset()


def test_a_relay_hears_all_and_hands_on_what_it_is_told():
    notes = Notes()
    assert notes.hears == set(HEARS)
    for name in HEARS:
        getattr(notes, name)(*(['s2s'] if name == 'on_health' else []), name)
    assert notes.told == [
        (name, ('s2s', name) if name == 'on_health' else (name,)) for name in HEARS
    ]
