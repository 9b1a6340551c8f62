"""What a graph asks of this machine: the facts, for the verdicts of s2s/moshi/fits.py."""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kame_ros.fetch.needs import moshi_parameters, needs
from kame_ros.fetch.sizes import free_bytes
from kame_ros.graph.description import Graph
from kame_ros.runtime import weights
from kame_ros.s2s.moshi import memory
from kame_ros.s2s.moshi.compiler import has_compiler, has_python_h
from kame_ros.s2s.moshi.config import RANDOM, MoshiConfig
from kame_ros.s2s.moshi.fits import LACK, OK, WARN, FitVerdict, Gpu, Machine, Model, verdicts
from kame_ros.s2s.moshi.weights import checkpoint, moshi_7b, random_sizes
from kame_ros.s2s.moshi.weights.errors import NO_SAFETENSORS, CheckpointError, NotHere
from kame_ros.s2s.moshi.weights.safetensors_header import read_header
from kame_ros.s2s.small import can_run
from kame_ros.s2s.small.config import KAME_SMALL
from kame_ros.s2s.small.model import SmallModel
from kame_ros.s2s.small.turn_end import TurnEndWeights
from kame_ros.settings.param import Param
from kame_ros.settings.values import shown

_BF16 = 'bf16'  # in the name of a repository: so are its weights, else they may be float32
_ASK_TORCH = (
    'import json, torch; print(json.dumps([torch.__version__, torch.version.cuda or "", '
    'torch.cuda.get_arch_list()]))'
)


def examine(graph: Graph) -> Iterator[FitVerdict]:
    """All that can be said before the graph is brought up. Raises ValueError for bad parameters."""
    spoken = [
        (spec.name, values)
        for spec in graph.nodes
        if (values := moshi_parameters(spec)) is not None
    ]
    for name, values in spoken:
        yield from _of_moshi(name, values)
    for spec in graph.nodes:
        if spec.name == 's2s' and spec.values.get('front_end') == 'small':
            yield _of_small(spec.name, str(spec.values.get('small.weights', KAME_SMALL)))
    for need in needs(graph):
        known = weights.KNOWN.get(need.name)
        if known is not None:
            detail = f'{known.size / 1e9:.1f} GB, {known.role}'
            yield FitVerdict(need.name, WARN, detail, f'kame get {need.name}')
    if not spoken:
        yield FitVerdict('GPU', OK, 'none is needed')


def _of_small(name: str, where: str) -> FitVerdict:
    """The weights are read: that takes half a second, and the node would say the same."""
    why = can_run.why_not(where)
    if not why:
        folder = can_run.folder_of(where)
        try:
            TurnEndWeights.load(folder, SmallModel.load(folder).size.dim)
        except (weights.MissingWeights, weights.CorruptWeights) as error:
            why = str(error)
    if why:
        remedy = '' if where == KAME_SMALL else f'correct {name}.small.weights'
        return FitVerdict('weights', LACK, why, remedy or 'make setup mends most')
    return FitVerdict('weights', OK, where)


def _of_moshi(name: str, values: dict[str, Any]) -> Iterator[FitVerdict]:
    rows = {row.name: row for row in Param.of(MoshiConfig)}
    if unknown := sorted(values.keys() - rows.keys()):
        close = difflib.get_close_matches(unknown[0], rows, 1)
        hint = f'; did you mean moshi.{close[0]}?' if close else ''
        detail = f'there is no parameter {shown(f"moshi.{unknown[0]}")[1:-1]}{hint}'
        yield FitVerdict(name, LACK, detail, 'kame up --help')
        return
    known = {key: rows[key].checked(value) for key, value in values.items() if key in rows}
    config = MoshiConfig(**known)
    try:
        model = _model(config)
    except CheckpointError as error:
        what = f'{name}.moshi.weights' + (f' or {name}.moshi.lora' if config.lora else '')
        yield FitVerdict('weights', LACK, str(error), f'correct {what}')
        return
    if size := memory.untold_size(model.kwargs):
        detail = f'not known: the config.json of {config.weights} leaves {size} to moshi'
        yield FitVerdict('memory', WARN, detail, f'--set {name}.moshi.fit=off, and try it')
        return
    yield from verdicts(config, model, machine(), name)


def _model(config: MoshiConfig) -> Model:
    where = config.weights
    if where == RANDOM:
        text = {'text_card': random_sizes.VOCABULARY}
        return Model({**moshi_7b.LM, **random_sizes.LM, **text}, True, 0.0)
    try:
        found = checkpoint.find(where, config.revision or None, config.lora)
    except NotHere as error:
        oracle = 'kyutai/' not in where and 'personaplex' not in where.lower()
        kind = 'bfloat16' if _BF16 in where else 'float32'
        kwargs = _told_kwargs(where, config)
        _check_sizes(where, kwargs)
        whole = 0.0 if memory.untold_size(kwargs) else memory.file_bytes(kwargs, kind, oracle)
        size_there = whole - _here(where)
        more = f' --revision {shlex.quote(error.revision)}' if error.revision else ''
        return Model(
            kwargs, oracle, max(size_there, 1.0), f'kame get {shlex.quote(error.name)}{more}'
        )
    oracle = _has_oracle(found)
    _check_sizes(where, found.lm_kwargs)
    return Model(found.lm_kwargs, oracle, 0.0)


def _check_sizes(where: str, kwargs: dict[str, Any]) -> None:
    if bad := memory.bad_size(kwargs):
        raise CheckpointError(f'what {where} tells of its sizes: {bad[:200]}')


def _told_kwargs(where: str, config: MoshiConfig) -> dict[str, Any]:
    """What a config.json that is here tells, or else Moshi's."""
    try:
        return checkpoint.find(where, config.revision or None, weights=False, codec=False).lm_kwargs
    except CheckpointError:
        return dict(moshi_7b.LM)


def _here(where: str) -> float:
    """Bytes of a repository that have come already."""
    from kame_ros.fetch.hub_cache import CachedRepository, cache_folder

    folder = CachedRepository(where, cache_folder()).folder / 'blobs'
    return float(sum(path.stat().st_size for path in folder.glob('*') if path.is_file()))


def _has_oracle(found: checkpoint.Checkpoint) -> bool:
    """Whether the weights have KAME's oracle embedding, from the headers of their files.

    Raises CheckpointError for a file that has none.
    """
    return any(key.startswith('oracle_emb.') for path in found.lm_files for key in _header(path))


def _header(path: Path) -> dict[str, Any]:
    try:
        with path.open('rb') as file:
            header, _ = read_header(file, path)
    except OSError as error:
        raise CheckpointError(f'cannot read {path}: {error.strerror}') from error
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise CheckpointError(f'{path} {NO_SAFETENSORS}')
    return header


def machine() -> Machine:
    """What this machine has. Takes a few seconds where torch is installed: it is asked."""
    from kame_ros.fetch.hub_cache import cache_folder

    version, cuda, kinds = _torch()
    jetson = _is_jetson()
    return Machine(
        ram=_ram(),
        disk=free_bytes(cache_folder()),
        gpus=_gpus() or (_orin() if jetson else ()),
        jetson=jetson,
        torch=version,
        torch_cuda=cuda,
        torch_kinds=tuple(kinds),
        moshi=importlib.util.find_spec('moshi') is not None,
        triton=importlib.util.find_spec('triton') is not None,
        compiler=has_compiler(),
        python_h=has_python_h(),
    )


def _torch() -> tuple[str, str, list[str]]:
    """Its version, its CUDA, and the GPUs that it has kernels for; in a process of its own."""
    if importlib.util.find_spec('torch') is None:
        return '', '', []
    try:
        done = subprocess.run(
            [sys.executable, '-c', _ASK_TORCH],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        version, cuda, kinds = json.loads(done.stdout.splitlines()[-1])
        return str(version), str(cuda), list(kinds)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return importlib.metadata.version('torch'), '', []


def _ram() -> float:
    try:
        for line in Path('/proc/meminfo').read_text(encoding='ascii').splitlines():
            if line.startswith('MemAvailable'):
                return float(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return float(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES'))


def _gpus() -> tuple[Gpu, ...]:
    if not shutil.which('nvidia-smi'):
        return ()
    columns = 'name,memory.total,memory.used,driver_version,compute_cap'
    query = ['nvidia-smi', f'--query-gpu={columns}', '--format=csv,noheader,nounits']
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return read_gpus(answer.stdout)


def read_gpus(text: str) -> tuple[Gpu, ...]:
    """Reads what nvidia-smi tells of each GPU; what it does not know is 0."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(',')]
        if len(cells) != 5:
            continue
        name, total, used, driver, kind = cells
        major, _, minor = kind.partition('.')
        found.append(
            Gpu(
                name,
                _number(total) * 1048576,
                _number(used) * 1048576,
                driver,
                (int(_number(major)), int(_number(minor))),
            )
        )
    # A Jetson's nvidia-smi tells no memory: it is the RAM.
    return tuple(gpu for gpu in found if gpu.memory)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _is_jetson() -> bool:
    return Path('/etc/nv_tegra_release').exists()


def _orin() -> tuple[Gpu, ...]:
    total = float(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES'))
    return (Gpu('Jetson, memory shared with the CPU', total, total - _ram(), '', (8, 7)),)
