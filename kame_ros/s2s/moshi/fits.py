"""Whether a machine can run the moshi front-end, said before anything is fetched or loaded.

What the machine has is told (`Machine`), so that every verdict can be had of machines that are not
here. No torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kame_ros.s2s.moshi import memory
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.s2s.moshi.fast import gpu_limits

OK, WARN, LACK = 'ok', 'warning', 'missing'
# The oldest driver for a major version of CUDA: NVIDIA, CUDA compatibility, table 1.
DRIVERS = {11: 450, 12: 525, 13: 580}
_SET = '--set s2s.moshi.'
SHORT = 750  # frames of context: a minute
JETSON_TORCH = (
    'PyPI has no torch for its GPU (sm_87): take the wheel for your JetPack from '
    'https://pypi.jetson-ai-lab.io, or work in an image of it, such as dustynv/pytorch'
)


@dataclass(frozen=True)
class Gpu:
    """A GPU; memory in bytes. `capability` is (8, 9) for sm_89; (0, 0): not known."""

    name: str
    memory: float
    used: float = 0.0
    driver: str = ''
    capability: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Machine:
    """What a machine has; bytes. `torch_cuda`: that torch was built for, empty for a CPU build."""

    ram: float
    disk: float
    gpus: tuple[Gpu, ...] = ()
    jetson: bool = False  # its GPU uses the RAM
    torch: str = ''
    torch_cuda: str = ''
    torch_kinds: tuple[str, ...] = ()  # such as sm_90, of a GPU build
    moshi: bool = True
    triton: bool = True
    compiler: bool = True
    python_h: bool = True


@dataclass(frozen=True)
class FitVerdict:
    """One thing that fits or does not; `remedy` is what to do about it."""

    what: str
    level: str
    detail: str
    remedy: str = ''


@dataclass(frozen=True)
class Model:
    """What is to run: what its config.json says, and the bytes of it that are to come."""

    kwargs: Mapping[str, Any]
    oracle: bool
    to_come: float
    command: str = ''  # that brings them


def verdicts(
    config: MoshiConfig, model: Model, machine: Machine, node: str = 's2s'
) -> Iterator[FitVerdict]:
    """All that can be said beforehand, the worst of it with a remedy; `node` is to be set."""
    for verdict in _verdicts(config, model, machine):
        yield replace(verdict, remedy=verdict.remedy.replace(_SET, f'--set {node}.moshi.'))


def _verdicts(config: MoshiConfig, model: Model, machine: Machine) -> Iterator[FitVerdict]:
    yield _disk(model, machine)
    yield from _packages(machine)
    gpu = config.device != 'cpu' and (config.device != 'auto' or bool(machine.gpus))
    if not gpu:
        yield _ram_of_cpu(config, model, machine)
        return
    index = int(config.device.partition(':')[2] or 0)
    if index >= len(machine.gpus):
        count = len(machine.gpus)
        yield FitVerdict(
            'GPU',
            LACK,
            f'device is {config.device}, and there are {count} NVIDIA GPUs',
            'a machine with one; --set s2s.moshi.device=cpu is far slower than real time for a '
            'model of this size; kame up --config tandem needs none',
        )
        return
    yield from _gpu(config, model, machine, machine.gpus[index])


def _gb(count: float) -> str:
    return f'{count / 1e9:.1f} GB'


def _disk(model: Model, machine: Machine) -> FitVerdict:
    free = f'{_gb(machine.disk)} free'
    if not model.to_come:
        return FitVerdict('weights', OK, 'on this machine')
    if model.to_come > machine.disk:
        what = f'{_gb(model.to_come)} to come, {free}'
        return FitVerdict('disk', LACK, what, 'free some space, or set HF_HOME to another disk')
    return FitVerdict('weights', WARN, f'{_gb(model.to_come)} to come, {free}', model.command)


def _packages(machine: Machine) -> Iterator[FitVerdict]:
    remedy = JETSON_TORCH if machine.jetson else 'make setup-moshi'
    if not (machine.torch and machine.moshi):
        have = {'torch': machine.torch, 'moshi': machine.moshi}
        lacks = ' and '.join(name for name, there in have.items() if not there)
        yield FitVerdict('packages', LACK, f'{lacks} not installed', remedy)


def _ram_of_cpu(config: MoshiConfig, model: Model, machine: Machine) -> FitVerdict:
    dtype = config.dtype_on('cpu')
    needs = replace(_need(config, model, dtype), work=memory.PROCESS)
    detail = f'{_parts(needs, config.slots)}, of {_gb(machine.ram)}'
    if needs.total > machine.ram:
        return FitVerdict('RAM', LACK, detail, _smaller_on_cpu(config, model, dtype, machine))
    return FitVerdict('RAM', OK, detail)


def _smaller_on_cpu(config: MoshiConfig, model: Model, dtype: str, machine: Machine) -> str:
    """The gentlest change with which it fits."""
    halved = {'dtype': 'bfloat16'} if dtype == 'float32' else {}
    short = {'context': SHORT} if not config.context or config.context > SHORT else {}
    few = {'slots': 1} if config.slots > 1 else {}
    for more in (halved, {**halved, **short}, {**halved, **few}, {**halved, **short, **few}):
        kind = str(more.get('dtype', dtype))
        need = replace(_need(replace(config, **more), model, kind), work=memory.PROCESS)
        if more and need.total <= machine.ram:
            return ' '.join(f'{_SET}{key}={value}' for key, value in more.items())
    return 'a machine with more memory: nothing that can be set makes it fit'


def _gpu(config: MoshiConfig, model: Model, machine: Machine, gpu: Gpu) -> Iterator[FitVerdict]:
    yield from _driver(machine, gpu)
    yield from _compilers(config, machine)
    if config.quantise == 'fp8' and (0, 0) < gpu.capability < gpu_limits.FP8:
        kind = 'sm_{}{}'.format(*gpu.capability)
        yield FitVerdict(
            'fp8', LACK, f'{gpu.name} is {kind}, and has none', '--set s2s.moshi.quantise=int8'
        )
    yield _memory(config, model, gpu)
    if not machine.jetson:
        level = OK if machine.ram >= memory.PROCESS else WARN
        detail = f'{_gb(memory.PROCESS)} of {_gb(machine.ram)}: weights go to the GPU one by one'
        yield FitVerdict('RAM', level, detail, '' if level == OK else 'end other programs')


def _driver(machine: Machine, gpu: Gpu) -> Iterator[FitVerdict]:
    if not machine.torch:
        return
    if not machine.torch_cuda:
        remedy = JETSON_TORCH if machine.jetson else 'pip install --force-reinstall torch'
        yield FitVerdict('torch', LACK, f'{machine.torch} is a build for CPUs', remedy)
        return
    major = int(machine.torch_cuda.partition('.')[0] or 0)
    least = DRIVERS.get(major, 0)
    have = int(gpu.driver.partition('.')[0] or 0) if gpu.driver[:1].isdigit() else 0
    if have and have < least and not machine.jetson:
        yield FitVerdict(
            'driver',
            LACK,
            f'{gpu.driver}; torch {machine.torch} is for CUDA {machine.torch_cuda}',
            f'a driver of version {least} or newer, or torch for an older CUDA, such as pip '
            'install torch --index-url https://download.pytorch.org/whl/cu126',
        )
    elif have:
        yield FitVerdict('driver', OK, f'{gpu.driver}, for CUDA {machine.torch_cuda}')
    if machine.torch_kinds and gpu.capability > (0, 0):
        major, minor = gpu.capability
        fits = [
            kind
            for kind in machine.torch_kinds
            if (digits := kind.removeprefix('sm_').rstrip('af')).isdigit()
            and kind.startswith('sm_')
            and int(digits[:-1]) == major
            and int(digits[-1]) <= minor
        ]
        if not fits and not any(kind.startswith('compute_') for kind in machine.torch_kinds):
            remedy = JETSON_TORCH if machine.jetson else 'torch for a newer or older CUDA'
            detail = f'torch {machine.torch} has no kernels for sm_{major}{minor} ({gpu.name})'
            yield FitVerdict('torch', LACK, detail, remedy)


def _compilers(config: MoshiConfig, machine: Machine) -> Iterator[FitVerdict]:
    """Triton's kernels and torch.compile call a compiler; the first have a way back."""
    lacks = [
        name
        for name, there in (
            ('a C compiler', machine.compiler),
            ('Python.h', machine.python_h),
            ('triton', machine.triton),
        )
        if not there
    ]
    if not lacks:
        yield FitVerdict('compilers', OK, 'a C compiler, Python.h, triton')
        return
    yield FitVerdict(
        'compilers',
        LACK if config.compile else WARN,
        f'{" and ".join(lacks)} not there: '
        + ('compile cannot run' if config.compile else 'steps with quantise and fused are slower'),
        'apt install build-essential python3-dev; triton comes with torch for GPUs',
    )


def _need(config: MoshiConfig, model: Model, dtype: str = '') -> memory.Needs:
    dtype = dtype or config.dtype_on('cuda')
    return memory.needs(model.kwargs, config.memory_setting(), dtype, model.oracle)


def _memory(config: MoshiConfig, model: Model, gpu: Gpu) -> FitVerdict:
    if config.fit == 'auto':
        config = _fitted(config, model, gpu)
    needs = _need(config, model)
    detail = f'{_parts(needs, config.slots)}, of {_gb(gpu.memory)} ({gpu.name})'
    if needs.total > gpu.memory:
        return FitVerdict('GPU memory', LACK, detail, _smaller(config, model, gpu))
    if needs.total > gpu.memory - gpu.used:
        remedy = f'end what else runs there: it takes {_gb(gpu.used)}'
        return FitVerdict('GPU memory', WARN, detail, remedy)
    return FitVerdict('GPU memory', OK, detail)


def _fitted(config: MoshiConfig, model: Model, gpu: Gpu) -> MoshiConfig:
    """What fit=auto will choose from what is free now; as it is if nothing fits."""
    dtype, wanted = config.dtype_on('cuda'), config.memory_setting()
    free = int(gpu.memory - gpu.used)
    found = memory.fit(model.kwargs, free, wanted, dtype=dtype, oracle=model.oracle)
    return config if found is None else config.with_memory(found)


def _parts(needs: memory.Needs, slots: int) -> str:
    talk = f'{slots} conversation{"s" if slots > 1 else ""}'
    return (
        f'{_gb(needs.total)} (weights {_gb(needs.weights)}, {talk} {_gb(needs.heard)}, '
        f'Mimi {_gb(needs.codec)}, the rest about {_gb(needs.work)})'
    )


def _smaller(config: MoshiConfig, model: Model, gpu: Gpu) -> str:
    """The gentlest change with which it fits."""
    for more in choices(config):
        if _need(replace(config, **more), model).total <= gpu.memory:
            return ' '.join(f'{_SET}{key}={value}' for key, value in more.items())
    return 'a GPU with more memory: nothing that can be set makes it fit'


def choices(config: MoshiConfig) -> Iterator[dict[str, Any]]:
    """What can be set to need less memory, the gentlest first."""
    short = {'context': SHORT} if not config.context or config.context > SHORT else {}
    few = {'slots': 1} if config.slots > 1 else {}
    kinds = [config.quantise] if config.quantise != 'none' else ['none', 'int8', 'int4']
    for kind in kinds:
        own = {} if kind == config.quantise else {'quantise': kind}
        for more in (own, {**own, **short}, {**own, **few}, {**own, **short, **few}):
            if more:
                yield more
