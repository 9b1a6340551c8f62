"""Several robots on one model: each speaks as it would alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_vad import FakeVad

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')

from kame_ros.s2s.front_end import TurnKind  # noqa: E402
from kame_ros.s2s.moshi.build import build, build_slots  # noqa: E402
from kame_ros.s2s.moshi.config import MoshiConfig, Sampling  # noqa: E402
from kame_ros.s2s.moshi.model import OracleLMGen  # noqa: E402
from kame_ros.s2s.moshi.slots import MoshiSlots  # noqa: E402
from kame_ros.s2s.moshi.weights.checkpoint import find  # noqa: E402
from kame_ros.s2s.moshi.weights.load import load_lm, load_mimi, load_tokenizer  # noqa: E402
from kame_ros.s2s.moshi.weights.random_checkpoint import write  # noqa: E402
from kame_ros.wire.frame import silence  # noqa: E402
from kame_ros.wire.oracle import Oracle  # noqa: E402

GREEDY = {'temperature': 0, 'temperature_text': 0}
ANSWER = 'The elephant is an unbelievable animal that lives on land.'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp('random'))


def make(folder, slots: int = 1, **changes) -> MoshiSlots:
    told = {**GREEDY, 'priming_frames': 0, **changes}
    return build_slots(MoshiConfig(weights=str(folder), slots=slots, **told))


def hearing(seed: int, frames: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((frames, 1920)) * 3000
    return noise.astype(np.int16)


def oracle_at(robot: int, frame: int) -> Oracle | None:
    """A growing answer, another for each robot, replaced by a second one half-way."""
    if frame < 3 * robot:
        return None
    generation = 1 + (frame > 25)
    text = f'{robot} {ANSWER}' if generation == 1 else f'Robot {robot} now says this.'
    return Oracle('llm', generation, text[: frame * 4], frame * 4 > len(text))


def watch(slots: MoshiSlots) -> list:
    """All tokens of every step from now on: a list of [slots, codebooks]."""
    seen: list = []
    step = slots._gen.step

    def watched(codes):
        tokens = step(codes)
        seen.append(tokens[:, :, 0].clone())
        return tokens

    slots._gen.step = watched
    return seen


def alone(folder, robot: int, frames: int) -> tuple[list, list]:
    slots = make(folder)
    seen = watch(slots)
    slot = slots.join()
    sound = hearing(robot, frames)
    steps = [
        slots.step({slot: sound[at]}, {slot: oracle_at(robot, at)})[slot] for at in range(frames)
    ]
    return steps, [tokens[0] for tokens in seen]


def test_a_slot_speaks_as_the_same_session_alone(folder):
    """Three robots that join at other times, miss ticks, and one that starts over."""
    frames = 45
    slots = make(folder, slots=3)
    slots.warm_up()
    seen = watch(slots)
    rng = np.random.default_rng(5)
    at = {robot: 0 for robot in range(3)}
    steps = {robot: [] for robot in range(3)}
    tokens = {robot: [] for robot in range(3)}
    sounds = {robot: hearing(robot, frames) for robot in range(3)}
    places = {0: slots.join()}
    for tick in range(75):
        if tick in (4, 9):
            places[len(places)] = slots.join()
        if tick == 20:  # robot 1 had a first session, which must leave no trace
            slots.reset(places[1])
            at[1], steps[1], tokens[1] = 0, [], []
        due = [r for r in places if at[r] < frames and (rng.random() < 0.8 or tick > 60)]
        if not due:
            continue
        out = slots.step(
            {places[r]: sounds[r][at[r]] for r in due},
            {places[r]: oracle_at(r, at[r]) for r in due},
        )
        assert set(out) == {places[r] for r in due}
        for r in due:
            at[r] += 1
            steps[r].append(out[places[r]])
            tokens[r].append(seen[-1][places[r]])
    assert slots.held > 0
    for robot in range(3):
        want, want_tokens = alone(folder, robot, at[robot])
        assert at[robot] >= 40
        assert torch.equal(torch.stack(tokens[robot]), torch.stack(want_tokens))
        for ours, theirs in zip(steps[robot], want, strict=True):
            assert ours.pieces == theirs.pieces
            difference = ours.speech.astype(int) - theirs.speech.astype(int)
            assert np.abs(difference).max() <= 2  # float rounding of another batch size
        assert any(np.abs(step.speech).max() > 100 for step in want)


def test_seats(folder):
    slots = make(folder, slots=2)
    assert [slots.join(), slots.join()] == [0, 1]
    with pytest.raises(RuntimeError, match='all 2 slots'):
        slots.join()
    slots.leave(0)
    with pytest.raises(KeyError, match='nobody has taken slot 0'):
        slots.step({0: hearing(0, 1)[0]}, {})
    with pytest.raises(KeyError, match='nobody has taken slot 0'):
        slots.interrupt(0)
    assert slots.join() == 0
    assert slots.step({}, {}) == {}


def test_steps_are_those_of_moshi_called_by_hand(folder):
    """The first-frame rule and the order of codec and model, written out with moshi alone."""
    frames = 12
    checkpoint = find(str(folder))
    lm, mimi = load_lm(checkpoint, dtype=torch.float32), load_mimi(checkpoint)
    encode = load_tokenizer(checkpoint).encode
    fed = [lm.text_initial_token_id, *encode(ANSWER)]
    gen = OracleLMGen(lm, use_sampling=False)
    sound = hearing(3, frames)
    want = []
    with torch.no_grad(), gen.streaming(1), mimi.streaming(1):
        for at in range(frames):
            codes = mimi.encode(torch.from_numpy(sound[at] / np.float32(32768))[None, None])
            if at == 0:
                mimi.reset_streaming()
            gen.feed_oracle([fed[at]])
            tokens = gen.step(codes)
            if tokens is not None:
                want.append(mimi.decode(tokens[:, 1:])[0, 0].numpy() * 32767)
    slots = make(folder)
    slot = slots.join()
    answer = Oracle('llm', 1, ANSWER, True)
    got = [slots.step({slot: frame}, {slot: answer})[slot].speech for frame in sound]
    assert not got[0].any()  # the answer to frame 0 is one frame late
    for ours, theirs in zip(got[1:], want, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2)


def test_reset_is_a_new_session(folder):
    front_end = build(MoshiConfig(weights=str(folder), **GREEDY))
    front_end.warm_up()
    sound = hearing(1, 10)
    answer = Oracle('llm', 1, ANSWER, True)

    def session() -> list:
        return [front_end.step(frame, answer) for frame in sound]

    first = session()
    front_end.reset()
    second = session()
    told, *events = second[0].events
    assert told.kind is TurnKind.ROBOT_SPEECH_END  # it was cut off
    second[0] = replace(second[0], events=tuple(events))
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.speech, b.speech)
        assert (a.pieces, a.events) == (b.pieces, b.events)


def test_interrupt_silences_and_forgets(folder):
    front_end = build(MoshiConfig(weights=str(folder), hush_s=0.4, **GREEDY))
    sound = hearing(1, 20)
    answer = Oracle('llm', 1, ANSWER, True)
    before = [front_end.step(frame, answer) for frame in sound[:6]]
    assert before[-1].speech.any()
    pending = front_end.counters()['oracle_pending']
    front_end.interrupt()
    hushed = [front_end.step(frame, answer) for frame in sound[6:11]]
    assert not any(step.speech.any() or step.pieces for step in hushed)
    after = front_end.step(sound[11], answer)
    assert after.speech.any()
    counters = front_end.counters()
    assert counters['oracle_cleared'] == pending > 0
    assert counters['oracle_pending'] == 0


def test_a_user_who_speaks_over_the_robot_clears_the_oracle(folder):
    front_end = build(MoshiConfig(weights=str(folder), **GREEDY), FakeVad())
    quiet, loud = hearing(1, 1)[0] // 20, np.clip(hearing(1, 1)[0] * 5, -20000, 20000)
    answer = Oracle('llm', 1, ANSWER, True)
    steps = [front_end.step(frame, answer) for frame in [quiet] * 4 + [loud] * 16]
    events = [event for step in steps for event in step.events]
    assert [(e.source, e.generation) for e in events if e.kind == TurnKind.BARGE_IN] == [('llm', 1)]
    counters = front_end.counters()
    assert counters['barge_ins'] == 1
    assert counters['oracle_cleared'] > 0
    assert counters['oracle_pending'] == 0
    assert not steps[-1].speech.any()  # it stops
    front_end.reset()
    assert front_end.step(quiet, answer).events[0].kind == TurnKind.ORACLE_APPLIED


def test_oracle_changes_what_is_said(folder):
    said = []
    for answer in (None, Oracle('llm', 1, ANSWER, True)):
        front_end = build(MoshiConfig(weights=str(folder), **GREEDY))
        steps = [front_end.step(frame, answer) for frame in hearing(1, 20)]
        said.append(np.concatenate([step.speech for step in steps]))
        kinds = [event.kind for step in steps for event in step.events]
        assert (TurnKind.ORACLE_APPLIED in kinds) == (answer is not None)
    assert not np.array_equal(*said)


def test_a_seed_gives_the_same_speech_again(folder):
    said = []
    for seed in (1, 1, 2):
        front_end = build(MoshiConfig(weights=str(folder), seed=seed))
        said.append(np.concatenate([front_end.step(f, None).speech for f in hearing(1, 8)]))
    assert np.array_equal(said[0], said[1])
    assert not np.array_equal(said[0], said[2])


def test_counters_and_complaint(folder):
    slots = make(folder)
    from kame_ros.s2s.moshi.front_end import MoshiFrontEnd

    ticks = iter(0.1 * n for n in range(10_000))
    front_end = MoshiFrontEnd(slots, clock=lambda: next(ticks))
    front_end.warm_up()
    assert front_end.counters()['steps'] == 0
    for frame in hearing(1, 130):
        front_end.step(frame, None)
    counters = front_end.counters()
    assert counters['steps'] == counters['slow_steps'] == 130
    assert counters['real_time_factor'] == pytest.approx(1.25)
    assert counters['step_p99_ms'] == pytest.approx(100)
    assert counters['oracle_stream'] == 1
    assert 'needs 1.25 s for each second' in front_end.complaint()


def test_plain_moshi_runs_and_ignores_the_oracle(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    for file in folder.iterdir():
        if file.name != 'model.safetensors':
            (tmp_path / file.name).symlink_to(file)
    state = load_file(folder / 'model.safetensors')
    del state['oracle_emb.weight']
    save_file(state, tmp_path / 'model.safetensors')
    said = []
    for answer in (None, Oracle('llm', 1, ANSWER, True)):
        front_end = build(MoshiConfig(weights=str(tmp_path), **GREEDY))
        assert front_end.counters()['oracle_stream'] == 0
        steps = [front_end.step(frame, answer) for frame in hearing(1, 8)]
        said.append(np.concatenate([step.speech for step in steps]))
        kinds = [event.kind for step in steps for event in step.events]
        assert TurnKind.ORACLE_APPLIED not in kinds
        assert front_end.counters()['oracle_fed'] == 0
    assert np.array_equal(*said)


def test_a_codec_of_another_frame_is_refused(folder):
    checkpoint = find(str(folder))
    mimi = load_mimi(checkpoint)
    mimi._frame_rate = 25
    with pytest.raises(ValueError, match='frames of 960 samples'):
        MoshiSlots(load_lm(checkpoint), mimi, None, sampling=Sampling())


def test_a_missing_gpu_is_said(folder):
    if torch.cuda.device_count() > 7:
        pytest.skip('a machine with eight GPUs')
    with pytest.raises(RuntimeError, match=r'device is cuda:7, but torch sees \d GPUs'):
        build(MoshiConfig(weights=str(folder), device='cuda:7'))


def test_smaller_weights_that_need_a_gpu_are_refused_before_the_load():
    with pytest.raises(ValueError, match='quantise int4 is not there for the device cpu'):
        build(MoshiConfig(weights='/nowhere', device='cpu', quantise='int4'))


def test_eight_bits_speak_too(folder):
    front_end = build(MoshiConfig(weights=str(folder), quantise='int8', device='cpu', **GREEDY))
    front_end.warm_up()
    steps = [front_end.step(frame, None) for frame in hearing(1, 5)]
    assert steps[-1].speech.any()


def test_a_model_without_a_lean_step_runs_and_says_so(folder, tmp_path, caplog):
    import json

    from safetensors.torch import save_file

    from kame_ros.s2s.moshi.model import OracleLMModel

    for file in folder.iterdir():
        if file.name not in ('model.safetensors', 'config.json'):
            (tmp_path / file.name).symlink_to(file)
    config = json.loads((folder / 'config.json').read_text()) | {'layer_scale': 0.5}
    (tmp_path / 'config.json').write_text(json.dumps(config))
    kwargs = find(str(folder)).lm_kwargs | {'layer_scale': 0.5}
    lm = OracleLMModel(device='cpu', **kwargs)
    save_file(lm.state_dict(), tmp_path / 'model.safetensors')
    front_end = build(MoshiConfig(weights=str(tmp_path), **GREEDY))
    assert 'this model has layer scale: it runs without the lean step' in caplog.text
    assert [front_end.step(frame, None) for frame in hearing(1, 4)][-1].speech.any()


def test_its_voice_is_held_in_the_turn_of_the_user_and_what_it_is_told_waits(folder):
    config = MoshiConfig(weights=str(folder), **GREEDY, speak='after_turn', end_of_turn='words')
    front_end = build(config, FakeVad())
    quiet, loud = hearing(1, 1)[0] // 20, np.clip(hearing(1, 1)[0] * 5, -20000, 20000)
    answer = Oracle('llm', 1, ANSWER, True)
    steps = [front_end.step(frame, answer) for frame in [loud] * 10 + [quiet] * 20]
    events = [(k, event.kind) for k, step in enumerate(steps) for event in step.events]
    (over,) = [k for k, kind in events if kind == TurnKind.TURN_ENDED]
    applied = [k for k, kind in events if kind == TurnKind.ORACLE_APPLIED]
    assert not any(step.speech.any() or step.pieces for step in steps[4:over])
    assert over <= applied[-1] <= over + 2
    assert front_end.counters()['frames_held'] >= over - 6
    assert front_end.counters()['turns_ended.silence'] == 1


def test_it_is_silent_when_the_user_goes_on_in_a_turn_that_had_ended(folder):
    config = MoshiConfig(weights=str(folder), **GREEDY, speak='after_turn', end_of_turn='words')
    front_end = build(config, FakeVad())
    quiet, loud = hearing(1, 1)[0] // 20, np.clip(hearing(1, 1)[0] * 5, -20000, 20000)
    answer = Oracle('llm', 1, ANSWER, True)
    user = [loud] * 10 + [quiet] * 14 + [loud] * 12 + [quiet] * 20
    steps = [front_end.step(frame, answer) for frame in user]
    at = {
        kind: [k for k, step in enumerate(steps) for event in step.events if event.kind == kind]
        for kind in TurnKind
    }
    (back,) = at[TurnKind.TAKEN_BACK]
    begun, ended = at[TurnKind.TURN_ENDED]
    assert begun < back <= 24 + 3 < ended
    assert any(step.speech.any() for step in steps[begun + 1 : back])
    assert not any(step.speech.any() or step.pieces for step in steps[back + 3 : ended])
    assert any(step.speech.any() for step in steps[ended:])
    assert not at[TurnKind.BARGE_IN]
    assert front_end.counters()['turns_taken_back'] == 1
    assert {step.gain for step in steps} == {1.0}


def test_without_an_ear_its_voice_cannot_be_held(folder):
    with pytest.raises(ValueError, match='speak=guided needs barge_in'):
        build(MoshiConfig(weights=str(folder), speak='guided'))


# Priming ----------------------------------------------------------------------------------


def test_a_session_begins_as_if_silence_had_been_heard(folder):
    """Bit for bit what a model says that has heard it: in each slot, after a reset, beside others.

    Through rings that have gone round, as the frames of others would shine through.
    """
    frames, primed_by = 12, 7
    changes = {'context': 16, 'slots': 2}
    heard = make(folder, **changes)
    slot = heard.join()
    heard._sessions[slot].hush = primed_by
    for _ in range(primed_by):
        step = heard.step({slot: silence()}, {slot: None})[slot]
        assert not step.speech.any()
        assert not step.pieces
    sound = hearing(4, frames)
    answer = Oracle('llm', 1, ANSWER, True)
    want_tokens = watch(heard)
    want = [heard.step({slot: frame}, {slot: answer})[slot] for frame in sound]

    slots = make(folder, priming_frames=primed_by, **changes)
    slots.warm_up()
    for _ in range(2):
        assert slots.join() in (0, 1)
    for frame in hearing(9, 40):
        slots.step({0: frame, 1: frame}, {})
    for slot in (1, 0, 1):
        slots.reset(slot)
        tokens = watch(slots)
        got = [slots.step({slot: frame}, {slot: answer})[slot] for frame in sound]
        for ours, theirs in zip(tokens, want_tokens, strict=True):
            assert torch.equal(ours[slot], theirs[0])
        for ours, theirs in zip(got, want, strict=True):
            assert np.abs(ours.speech.astype(int) - theirs.speech).max() <= 2
            assert ours.pieces == theirs.pieces
        assert got[0].speech.any()  # the first frame has an answer: silence came before it
        other = 1 - slot
        slots.step({other: sound[0]}, {})


def test_without_priming_a_session_begins_with_nothing(folder):
    slots = make(folder, priming_frames=0)
    slots.warm_up()
    slot = slots.join()
    assert not slots.step({slot: hearing(4, 1)[0]}, {})[slot].speech.any()


def test_an_oracle_that_is_taken_without_a_word_is_fed_again(folder):
    """A random model is never silent by itself: its words are held down."""
    counters = {}
    for mode, retries in (('fifo', 1), ('fifo', 0), ('positional', 1)):
        front_end = build(
            MoshiConfig(weights=str(folder), mode=mode, oracle_retries=retries, **GREEDY)
        )
        for frame in hearing(1, 60):
            front_end._slots.hush(0)
            front_end.step(frame, Oracle('llm', 1, 'Yes, it is.', True))
        counters[mode, retries] = front_end.counters()
    again, once, reference = counters.values()
    assert again['oracle_fed'] == 2 * once['oracle_fed'] > 0
    assert again['oracle_retried'] == 1
    assert once['oracle_retried'] == reference['oracle_retried'] == 0
    assert once['oracle_recall'] == 0.0
