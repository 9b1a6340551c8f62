"""Which delay of a calm stream is spare."""

from kame_ros.audio.playout.spare import SpareMargin

TARGET = 0.06


def told(spare, margins, holes=0):
    """What may be left out in each tick; it is left out."""
    found = []
    for margin in margins:
        found.append(spare.update(margin, TARGET, holes))
        spare.left_out(found[-1])
    return found


def test_nothing_is_known_of_the_first_second():
    assert told(SpareMargin(), [0.13] * 11) == [0.0] * 11


def test_what_is_above_the_target_is_spare_step_by_step():
    spare, margin, left_out = SpareMargin(), 0.13, []
    for _ in range(40):
        left_out.append(spare.update(margin, TARGET, 0))
        spare.left_out(left_out[-1])
        margin -= left_out[-1]
    assert max(left_out) <= 0.015
    assert TARGET <= margin < TARGET + 0.008


def test_the_least_margin_of_the_last_second_counts():
    spare = SpareMargin()
    assert told(spare, [0.13] * 6 + [0.065] + [0.13] * 11) == [0.0] * 18  # one frame came late
    assert told(spare, [0.13]) == [0.015]


def test_after_a_hole_its_delay_stays_for_20_s():
    spare = SpareMargin()
    told(spare, [0.062] * 20)
    assert not any(told(spare, [0.142] * 249, holes=1))
    assert told(spare, [0.142] * 2, holes=1)[-1] == 0.015


def test_a_stream_that_begins_anew_is_watched_anew():
    spare = SpareMargin()
    told(spare, [0.065] * 20)
    spare.restart()
    assert told(spare, [0.13] * 12) == [0.0] * 11 + [0.015]
