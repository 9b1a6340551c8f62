"""The bank of users: questions, pauses inside them, noises, as the ear hears them."""

import random
import re
from types import SimpleNamespace

import numpy as np
import pytest

from kame_ros.training.small import user_texts, users
from kame_ros.training.small.bank import UserKind
from kame_ros.training.small.rooms import NOISE_DB, ROOMS, Rooms, gain
from kame_ros.training.small.users import UserSound, hesitating, with_pauses
from kame_ros.training.small.voices import HELD_OUT, TRAINING, EspeakVoice, Spoken
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

TEXT = 'Where is the old station?'


def tone(seconds):
    return np.sin(2 * np.pi * 200 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def spoken(seconds=2.0, words=5):
    """An utterance whose words begin evenly."""
    step = round(seconds * SAMPLE_RATE) // words
    return Spoken(tone(seconds), tuple(step * n for n in range(words)))


@pytest.fixture(scope='module')
def rooms():
    return Rooms(1, [tone(1.0)])


@pytest.mark.parametrize('count', [1, 2])
def test_a_pause_is_inside_at_a_word_and_nothing_is_lost(count):
    for seed in range(20):
        paused = with_pauses(spoken(4.0, 8), TEXT, random.Random(seed), count, (0.5, 0.5))
        edges = np.flatnonzero(np.diff(paused.speaks.astype(int))) + 1
        assert len(edges) == 2 * count
        assert paused.speaks[0]
        assert paused.speaks[-1]
        begins, ends = edges[::2], edges[1::2]
        assert (ends - begins == round(0.5 * SAMPLE_RATE)).all()
        at = begins[0] / SAMPLE_RATE
        assert min(abs(at - 0.5 * n) for n in range(1, 8)) < 0.04  # a word begins each 0.5 s
        assert not paused.sound[~paused.speaks].any()
        assert paused.speaks.sum() == pytest.approx(4.0 * SAMPLE_RATE, abs=0.05 * SAMPLE_RATE)


@pytest.mark.parametrize('count', [1, 2])
def test_each_word_ends_on_its_side_of_a_pause(count):
    for seed in range(20):
        paused = with_pauses(spoken(4.0, 5), TEXT, random.Random(seed), count, (1.0, 1.0))
        assert len(paused.word_ends) == len(TEXT.split())
        assert paused.word_ends[-1] == len(paused.sound)
        lengths = np.diff((0, *paused.word_ends)) / SAMPLE_RATE
        assert sum(abs(seconds - 0.8) < 0.08 for seconds in lengths) == 5 - count
        assert sum(abs(seconds - 1.8) < 0.08 for seconds in lengths) == count
        assert all(paused.speaks[end - 800] for end in paused.word_ends)


def test_it_is_not_known_when_words_end_where_the_voice_does_not_tell():
    lost = Spoken(tone(4.0), (0, 24_000))
    assert with_pauses(lost, TEXT, random.Random(1), 1).word_ends == ()


def test_what_is_too_short_has_no_place_for_a_pause():
    with pytest.raises(ValueError, match='no place for a pause'):
        with_pauses(spoken(0.6, 2), 'Why not?', random.Random(1), 1)
    with pytest.raises(ValueError, match='no place for a pause'):
        hesitating(None, 'Why not?', random.Random(1))


def test_a_hesitation_is_spoken_in_two_parts_of_which_the_first_goes_on():
    said = []

    def say(text):
        said.append(text)
        return Spoken(tone(1.0), ())

    who = SimpleNamespace(say=say)
    for seed in range(20):
        sound = hesitating(who, 'Where, please, is the station?', random.Random(seed))
        assert sound.word_ends == ()
        assert 0.4 < (~sound.speaks).sum() / SAMPLE_RATE < 1.8
    assert all(text.endswith(',') for text in said[::2])
    assert not [text for text in said[::2] if ',,' in text]
    assert all(text.endswith('station?') for text in said[1::2])


def test_the_words_of_a_hesitation_are_those_of_the_text():
    who = SimpleNamespace(say=lambda text: spoken(1.0, len(text.split())))
    for seed in range(20):
        sound = hesitating(who, 'Where, please, is the station?', random.Random(seed))
        assert sound.text == 'Where, please, is the station?'
        assert len(sound.word_ends) == 5
        assert list(sound.word_ends) == sorted(sound.word_ends)
        assert sound.word_ends[-1] == len(sound.sound)


def test_features_begin_and_end_with_speech(rooms):
    paused = with_pauses(spoken(), TEXT, random.Random(3), 1, (1.0, 1.0))
    features, labels = users.heard(paused, 0, rooms, random.Random(3))
    assert features.dtype == labels.dtype == np.uint8
    assert features.shape == (len(labels), 84)
    assert labels[0] == labels[-1 - users.TAIL] == 1
    assert not labels[-users.TAIL :].any()
    silent = np.flatnonzero(labels[: -users.TAIL] == 0)
    assert len(silent) in (11, 12)
    assert (np.diff(silent) == 1).all()
    assert features[labels == 1, :80].max(axis=1).min() > features[silent[1:], :80].max()
    assert not features[silent[users.TAIL :]].any()  # the room of -96 dBFS, where no echo is


def test_a_single_silent_frame_is_no_pause(rooms):
    sound = tone(1.0)
    sound[9600 : 9600 + 2 * FRAME_SAMPLES - 1] = 0
    _, labels = users.heard(
        UserSound(sound, np.ones(len(sound), bool)), 0, rooms, random.Random(1)
    )  # fmt: skip
    assert labels[: -users.TAIL].all()


def test_rooms_are_as_loud_as_they_say(rooms):
    for room in range(ROOMS):
        noise = rooms.noise(room, 20 * SAMPLE_RATE)
        level_db = 20 * np.log10(np.sqrt((noise**2).mean()))
        assert level_db == pytest.approx(NOISE_DB[room // 3], abs=0.2)
    assert not np.array_equal(rooms.noise(9, 100), rooms.noise(9, 100))
    whole = rooms.noise(11, 100, 7)
    assert np.array_equal(np.concatenate([rooms.noise(11, 60, 7), rooms.noise(11, 40, 67)]), whole)
    assert 10 ** (-24 / 20) <= gain(random.Random(1)) <= 10 ** (-3 / 20)


def test_an_echo_is_quieter_than_the_sound_and_no_longer(rooms):
    sound = np.zeros(SAMPLE_RATE)
    sound[100] = 1.0
    heard = [rooms.echo(random.Random(seed), sound) for seed in range(10)]
    echoed = [each for each in heard if not np.array_equal(each, sound)]
    assert 0 < len(echoed) < 10
    for each in echoed:
        assert len(each) == len(sound)
        assert each[100] == pytest.approx(1.0)
        assert 0 < (each[101:] ** 2).sum() < 0.11
        assert not np.abs(each[100 + round(0.26 * SAMPLE_RATE) :]).max() > 1e-6


def test_bursts_are_short_and_differ():
    made = [users.burst(random.Random(seed)) for seed in range(30)]
    assert all(0.02 < len(each) / SAMPLE_RATE < 0.3 for each in made)
    assert all(np.abs(each).max() == pytest.approx(1.0) for each in made)
    assert len({len(each) for each in made}) > 20


def test_texts_are_filled_and_varied():
    rng = random.Random(1)
    for draw, least in ((user_texts.question, 450), (user_texts.statement, 200)):
        made = [draw(rng) for _ in range(500)]
        assert len(set(made)) > least
        assert not [text for text in made if re.search(r'[{}]', text)]
        assert not [text for text in made if text[0] != text[0].upper() or text[-1] not in '.?']
    assert len(user_texts.QUESTIONS) >= 60
    assert {user_texts.back_channel(rng) for _ in range(300)} == set(user_texts.BACK_CHANNELS)


def test_voices_to_measure_with_are_not_trained_on():
    def names(voices):
        return {getattr(voice, 'name', None) for voice in voices}

    assert not names(HELD_OUT) & names(TRAINING)
    assert len(names(TRAINING)) >= 20
    variants = {
        voice.name.partition('+')[2] for voice in TRAINING if isinstance(voice, EspeakVoice)
    }
    held = {voice.name.partition('+')[2] for voice in HELD_OUT if isinstance(voice, EspeakVoice)}
    assert not held & variants


def test_a_bank_holds_each_kind_in_its_room(tmp_path, monkeypatch):
    class Talker:
        def say(self, text):
            return spoken(0.4 if text in user_texts.BACK_CHANNELS else 3.0, max(5, text.count(' ')))

    monkeypatch.setattr(users, 'talker', lambda voice, rng: Talker())
    counts = {kind: 4 for kind in UserKind} | {UserKind.BACKGROUND: 2}
    path = tmp_path / 'users.npz'
    told = []
    users.make(path, HELD_OUT, counts, 1, lambda done, all_: told.append((done, all_)))
    with np.load(path) as file:
        bank = {name: file[name] for name in file.files}
    assert told[-1] == (22, 22)
    assert {kind: int((bank['kind'] == kind).sum()) for kind in UserKind} == counts
    assert len(bank['starts']) == 23
    assert bank['starts'][-1] == len(bank['features']) == len(bank['labels'])
    for kind, begin, end in zip(bank['kind'], bank['starts'], bank['starts'][1:], strict=False):
        labels = bank['labels'][begin:end]
        if kind in (UserKind.BACKGROUND, UserKind.BURST):
            assert not labels.any()
        else:
            tail = int(bank['tail'])
            assert labels[0] == labels[-1 - tail] == 1
            assert not labels[-tail:].any()
            assert labels[:-tail].all() == (kind != UserKind.PAUSED)
    assert set(bank['room'][bank['kind'] == UserKind.BACKGROUND]) == {0, 1}
    users.make(tmp_path / 'again.npz', HELD_OUT, counts, 1)
    with np.load(tmp_path / 'again.npz') as file:
        assert np.array_equal(file['features'], bank['features'])
