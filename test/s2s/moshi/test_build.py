"""Memory and GPUs: what is loaded, on which device, how much of it, and that it is given back."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from fake_vad import FakeVad
from recording_cuda import RecordingCuda

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')

from kame_ros.runtime.owner import OutOfMemory  # noqa: E402
from kame_ros.s2s.moshi import build as built  # noqa: E402
from kame_ros.s2s.moshi import memory  # noqa: E402
from kame_ros.s2s.moshi.build import build, build_slots, fitted  # noqa: E402
from kame_ros.s2s.moshi.config import MoshiConfig  # noqa: E402
from kame_ros.s2s.moshi.fast import gpu_limits, lean  # noqa: E402
from kame_ros.s2s.moshi.weights import moshi_7b, runtime  # noqa: E402
from kame_ros.s2s.moshi.weights.random_checkpoint import write  # noqa: E402
from kame_ros.wire.oracle import Oracle  # noqa: E402

GREEDY = {'temperature': 0, 'temperature_text': 0}
ANSWER = Oracle('llm', 1, 'The elephant is an animal that lives on land.', True)
GB = 10**9


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp('random'))


def config_of(folder, **changes) -> MoshiConfig:
    return MoshiConfig(weights=str(folder), **{**GREEDY, 'priming_frames': 2, **changes})


def hearing(frames: int, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((frames, 1920)) * 3000
    return noise.astype(np.int16)


# Giving back ------------------------------------------------------------------------------


@pytest.mark.parametrize('quantise', ['none', 'int8'])
@pytest.mark.parametrize('lean_step', [True, False])
def test_nothing_of_a_model_lives_after_the_clean_up(folder, quantise, lean_step):
    """Three rounds of configure and clean-up, with the garbage collector off between them."""
    if quantise != 'none' and not lean_step:
        pytest.skip('quantise needs lean')
    config = config_of(folder, quantise=quantise, lean=lean_step, device='cpu')
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            front_end = build(config, FakeVad())
            front_end.warm_up()
            for frame in hearing(3):
                front_end.step(frame, ANSWER)
            slots = front_end._slots
            alive = [weakref.ref(module) for module in slots._lm.modules()]
            alive += [weakref.ref(module) for module in slots._mimi.modules()]
            alive += [weakref.ref(weight) for weight in slots._lm.parameters()]
            alive += [weakref.ref(weight) for weight in slots._mimi.parameters()]
            ring = slots._lm.transformer.layers[0].self_attn._streaming_state.kv_cache.cache
            alive += [weakref.ref(slots._gen), weakref.ref(ring)]
            del ring
            front_end.close()
            # The front-end itself may still be known to a link or a thread.
            assert [ref() for ref in alive if ref() is not None] == []
            front_end.close()
            assert front_end.counters()['oracle_stream'] == 1
    finally:
        gc.enable()


def test_a_build_begins_with_what_an_earlier_one_has_left(folder, monkeypatch):
    """A load that failed leaves its parts in the traceback, until somebody collects."""
    calls = []
    monkeypatch.setattr(runtime, 'collect', lambda: calls.append('collect'))
    monkeypatch.setattr(built, '_build', lambda *_: calls.append('build'))
    build_slots(config_of(folder, device='cpu'))
    assert calls == ['collect', 'build']


# Which GPU --------------------------------------------------------------------------------


def test_the_gpu_is_made_current_by_its_number(monkeypatch):
    cuda = RecordingCuda()
    monkeypatch.setattr(torch.cuda, 'device', cuda.device)
    with runtime.on('cuda:1'):
        assert cuda.current == 'cuda:1'
    with runtime.on(torch.device('cpu')):
        assert cuda.current == ''
    assert [where for where, _ in cuda.entered] == ['cuda:1']


def test_the_load_and_each_step_run_with_the_gpu_of_the_model(folder, monkeypatch):
    """Of the second GPU, from two threads: the load's, and the one that steps."""
    slots = build_slots(config_of(folder, device='cpu', slots=2))
    cuda = RecordingCuda()
    monkeypatch.setattr(torch.cuda, 'device', cuda.device)
    monkeypatch.setattr(torch.cuda, 'device_count', cuda.device_count)
    seen = []
    monkeypatch.setattr(built, '_build', lambda *_: seen.append(('load', cuda.current)) or slots)
    assert build_slots(config_of(folder, device='cuda:1')) is slots
    slots.device = torch.device('cuda:1')  # as if it were there
    advance, start_over = slots._advance, slots._start_over
    monkeypatch.setattr(
        slots, '_advance', lambda *args: seen.append(('step', cuda.current)) or advance(*args)
    )
    monkeypatch.setattr(
        slots,
        '_start_over',
        lambda *a, **k: seen.append(('reset', cuda.current)) or start_over(*a, **k),
    )

    def serve() -> None:
        slots.warm_up()
        slot = slots.join()
        for frame in hearing(3):
            slots.step({slot: frame}, {})
        slots.reset(slot)
        slots.leave(slot)

    thread = threading.Thread(target=serve, name='owner')
    thread.start()
    thread.join()
    assert {what for what, _ in seen} == {'load', 'step', 'reset'}
    assert {where for _, where in seen} == {'cuda:1'}
    assert {name for _, name in cuda.entered} == {threading.current_thread().name, 'owner'}
    assert cuda.current == ''


def test_a_gpu_that_is_not_there_is_refused(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'device_count', RecordingCuda(2).device_count)
    with pytest.raises(RuntimeError, match='device is cuda:2, but torch sees 2 GPUs'):
        build_slots(config_of(folder, device='cuda:2'))


# What the kernels cannot ------------------------------------------------------------------


def gpu(monkeypatch, capability) -> None:
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda _device: capability)


def test_fp8_is_refused_before_the_load_where_the_gpu_has_none(monkeypatch):
    gpu(monkeypatch, (8, 6))
    with pytest.raises(ValueError, match=r'sm_86.* has no 8-bit floating point.*int8'):
        lean.parts_for('cuda:0', 'fp8')


@pytest.mark.parametrize(('quantise', 'fused'), [('int8', False), ('int4', False), ('none', True)])
def test_kernels_that_fail_have_a_way_back(monkeypatch, caplog, quantise, fused):
    gpu(monkeypatch, (8, 9))
    monkeypatch.setattr(lean, '_fails', lambda *_: 'OutOfResources: shared memory')
    parts = lean.parts_for('cuda', quantise, fused)
    assert 'fused kernels are not used' in caplog.text
    assert 'OutOfResources: shared memory' in caplog.text
    assert parts == lean.widened_parts(quantise)
    gpu(monkeypatch, (7, 5))
    monkeypatch.setattr(lean, '_fails', lambda *_: pytest.fail('it is too old to be tried'))
    assert lean.parts_for('cuda', quantise, fused) == lean.widened_parts(quantise)


def test_too_many_slots_for_the_kernels_have_a_way_back(monkeypatch, caplog):
    gpu(monkeypatch, (9, 0))
    slots = gpu_limits.MOST_SLOTS + 1
    parts = lean.parts_for('cuda', 'int8', slots=slots)
    assert parts == lean.widened_parts('int8')
    assert f'not {slots}' in caplog.text


# How much ---------------------------------------------------------------------------------


def test_what_does_not_fit_is_made_smaller(caplog):
    config = MoshiConfig(fit='auto', slots=2)
    model = moshi_7b.LM
    room = {
        80: ('none', 3000, 2),
        19: ('none', 750, 2),
        16: ('int8', 3000, 2),
        10: ('int4', 1500, 2),
        8: ('int4', 375, 1),
    }
    for gigabytes, want in room.items():
        got = fitted(config, model, gigabytes * GB, 'cuda', 'bfloat16')
        assert (got.quantise, got.context, got.slots) == want, gigabytes
    with pytest.raises(ValueError, match=r'takes 7\.6 GB, and 6\.0 GB are free on cuda'):
        fitted(config, model, 6 * GB, 'cuda', 'bfloat16')
    with pytest.raises(ValueError, match=r"fit=auto needs '\w+' in config\.json"):
        fitted(config, {'dep_q': 8}, 6 * GB, 'cuda', 'bfloat16')


def test_after_memory_ran_out_it_takes_less():
    config = MoshiConfig(fit='auto')
    free, taken = 26 * GB, []
    for shortfalls in range(9):
        now = fitted(replace(config, shortfalls=shortfalls), moshi_7b.LM, free, 'cuda', 'bfloat16')
        setting = memory.Setting(now.quantise, now.context, now.slots)
        taken.append(memory.needs(moshi_7b.LM, setting).total)
        assert taken[-1] <= free * 0.9**shortfalls
    assert taken == sorted(taken, reverse=True)
    assert taken[-1] < 0.6 * taken[0]


def test_fit_on_a_cpu_builds_what_it_has_chosen(folder, monkeypatch, caplog):
    kwargs = json.loads((folder / 'config.json').read_text())
    exact = memory.needs(kwargs, memory.Setting('none', 250, 1), 'float32').total
    monkeypatch.setattr(runtime, 'free_bytes', lambda _device: int(exact * 0.999 / 0.97))
    caplog.set_level('INFO')
    slots = build_slots(config_of(folder, device='cpu', fit='auto', slots=4))
    assert slots.slots == 1
    assert 'fit: quantise=' in caplog.text
    slots.warm_up()
    assert slots.step({slots.join(): hearing(1)[0]}, {})


# When it runs out -------------------------------------------------------------------------


def no_memory(*_args, **_kwargs):
    raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 20.00 MiB')


def test_memory_that_runs_out_while_talking_is_told_with_advice(folder, monkeypatch):
    front_end = build(config_of(folder, device='cpu', context=200))
    front_end.warm_up()
    front_end.step(hearing(1)[0], None)
    monkeypatch.setattr(front_end._slots._gen, 'step', no_memory)
    with pytest.raises(OutOfMemory) as told:
        front_end.step(hearing(1)[0], None)
    assert str(told.value).startswith('the speech model has no memory left while it talked: ')
    assert 'context=200' in str(told.value)
    assert 's2s.moshi.quantise=int8 saves' in str(told.value)
    front_end.close()


def test_memory_that_runs_out_in_the_warm_up_is_told(folder, monkeypatch):
    slots = build_slots(config_of(folder, device='cpu'))
    monkeypatch.setattr(slots._gen, 'step', no_memory)
    with pytest.raises(OutOfMemory, match=r'left while it warmed up: quantise=none.*fit=auto'):
        slots.warm_up()


def test_memory_that_runs_out_in_the_load_is_told(folder, monkeypatch):
    from kame_ros.s2s.moshi.weights import load

    monkeypatch.setattr(load, 'load_lm', no_memory)
    with pytest.raises(OutOfMemory, match=r'does not fit into the memory of cpu: .*takes about'):
        build_slots(config_of(folder, device='cpu'))
