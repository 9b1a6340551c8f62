"""Weights that are left in their files until their layer is rounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')
from safetensors.torch import load_file, save_file  # noqa: E402

from kame_ros.s2s.moshi.fast import lean  # noqa: E402
from kame_ros.s2s.moshi.model import OracleLMGen  # noqa: E402
from kame_ros.s2s.moshi.weights.checkpoint import find  # noqa: E402
from kame_ros.s2s.moshi.weights.load import load_lm  # noqa: E402
from kame_ros.s2s.moshi.weights.pending import Pending  # noqa: E402


def tokens(folder: Path, leave: bool, lora: str = '', quantise: str = 'int8') -> torch.Tensor:
    """What the model says in a few steps, with its weights left in the file at first, or not."""
    pending = Pending('cpu', torch.float32) if leave else None
    lm = load_lm(find(str(folder), None, lora), 'cpu', torch.float32, pending=pending)
    gen = OracleLMGen(lm, use_sampling=False, support_out_of_sync=True)
    torch.manual_seed(0)
    user = torch.randint(0, lm.card, (8, 2, 8, 1))
    with torch.no_grad(), gen.streaming(2):
        read = pending.read if pending is not None else None
        lean.install(gen, lean.parts_for('cpu', quantise), free=True, read=read)
        said = [gen.step(codes)[:, :, 0] for codes in user]
    if pending is not None:
        assert not any(layer.weight.numel() for layer in linears(lm))
        pending.close()
    return torch.stack(said)


def linears(lm) -> list:
    return [m for m in lm.modules() if isinstance(m, torch.nn.Linear)]


def test_the_same_model_as_loaded_at_once(folder):
    assert torch.equal(tokens(folder, leave=True), tokens(folder, leave=False))


def test_fused_names_are_split(folder):
    """As Kyutai's own files have them: all steps of the depformer in one tensor."""
    want = tokens(folder, leave=False)
    state = load_file(folder / 'model.safetensors')
    for name in [key for key in state if '.in_projs.0.' in key or '.out_projs.0.' in key]:
        which = 'in' if 'in_projs' in name else 'out'
        prefix = name.partition(f'.{which}_projs.')[0]
        parts = []
        while (key := f'{prefix}.{which}_projs.{len(parts)}.weight') in state:
            parts.append(state.pop(key))
        old = 'in_proj_weight' if which == 'in' else 'out_proj.weight'
        state[f'{prefix}.{old}'] = torch.cat(parts)
    assert any(key.endswith('in_proj_weight') for key in state)
    save_file(state, folder / 'model.safetensors')
    assert torch.equal(tokens(folder, leave=True), want)


def test_lora_is_added_as_the_layer_is_read(folder):
    generator = torch.Generator().manual_seed(0)
    lora = {}
    for name in ('transformer.layers.0.self_attn.in_proj', 'depformer.layers.1.gating.3.linear_in'):
        lm = load_lm(find(str(folder)), 'cpu', torch.float32)
        layer = lm.get_parameter(f'{name.replace("in_proj", "in_projs.0")}.weight')
        rows, width = layer.shape
        lora[f'{name}.lora_A.weight'] = torch.randn(4, width, generator=generator)
        lora[f'{name}.lora_B.weight'] = torch.randn(rows, 4, generator=generator)
    lora['text_linear.weight'] = torch.randn(lm.text_linear.weight.shape, generator=generator)
    lora['text_emb.weight'] = torch.randn(lm.text_emb.weight.shape, generator=generator)
    file = str(folder / 'lora.safetensors')
    save_file(lora, file)
    want = tokens(folder, leave=False, lora=file)
    assert torch.equal(tokens(folder, leave=True, lora=file), want)
    assert not torch.equal(tokens(folder, leave=True), want)


MEASURE = """
import sys
import torch
from kame_ros.s2s.moshi.fast import lean
from kame_ros.s2s.moshi.memory import weight_bytes
from kame_ros.s2s.moshi.model import OracleLMGen, OracleLMModel
from kame_ros.s2s.moshi.weights.checkpoint import find
from kame_ros.s2s.moshi.weights.load import load_lm
from kame_ros.s2s.moshi.weights.pending import Pending
torch.set_num_threads(1)
now = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096
checkpoint = find(sys.argv[1])
torch.zeros(4, 4).bfloat16() @ torch.zeros(4, 4).bfloat16()  # lets torch load what it loads lazily
OracleLMModel(device='meta', **checkpoint.lm_kwargs)
lean.widened_parts('int8').linear(torch.ones(256, 256).bfloat16())
before = now()
open('/proc/self/clear_refs', 'w').write('5')  # the peak starts again from here
pending = Pending('cpu', torch.bfloat16) if sys.argv[2] == 'left' else None
lm = load_lm(checkpoint, 'cpu', torch.bfloat16, 10, pending=pending)
gen = OracleLMGen(lm)
gen.streaming(1).__enter__()
lean.install(gen, lean.widened_parts('int8'), free=True, read=pending and pending.read)
high = [int(l.split()[1]) * 1024 for l in open('/proc/self/status') if l.startswith('VmHWM')][0]
print(high - before, weight_bytes(checkpoint.lm_kwargs, 'int8'))
"""


@pytest.mark.skipif(not Path('/proc/self/clear_refs').exists(), reason='needs Linux')
def test_the_peak_is_that_of_the_small_weights_not_of_the_whole(
    random_folder, tmp_path, make_lm, tiny
):
    """As `peak of the load / small weights`: near 1 where it was 2 before."""
    for file in random_folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    big = {'dim': 512, 'num_layers': 24, 'num_heads': 8}
    state = {k: v.bfloat16() for k, v in make_lm(**big).state_dict().items()}
    for name in ('model.safetensors', 'config.json'):
        (tmp_path / name).unlink()
    save_file(state, tmp_path / 'model.safetensors')
    config = json.loads((random_folder / 'config.json').read_text())
    (tmp_path / 'config.json').write_text(json.dumps(config | tiny | big))
    ratios = {}
    for how in ('left', 'whole'):
        done = subprocess.run(
            [sys.executable, '-c', MEASURE, str(tmp_path), how],
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                'MALLOC_MMAP_THRESHOLD_': '65536',  # what is freed is given back at once
                'PYTHONPATH': os.pathsep.join(p for p in sys.path if p),
            },
            timeout=120,
        )
        peak, small = map(int, done.stdout.split())
        ratios[how] = peak / small
        print(f'{how}: peak {peak / 1e6:.0f} of {small / 1e6:.0f} MB: {peak / small:.2f}')
    assert ratios['left'] < 1.5 < 1.7 < ratios['whole']
