"""Writes a small random KAME checkpoint: the whole path without a download, on a CPU.

What it says is noise. It has the shape of the real thing: oracle, depformer, codec, tokeniser.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.s2s.moshi.weights.random_sizes import CARD, LM, VOCABULARY
from kame_ros.s2s.moshi.weights.upstream import loaders

TEXT = """\
Good morning, I am a robot that listens and speaks at the same time.
The elephant is the largest animal that lives on land, and the blue whale is larger still.
Water boils at one hundred degrees and freezes at zero degrees at the level of the sea.
What is the capital of France? The capital of France is Paris, on the river Seine.
My battery is low: I am going back to the charging station now, please follow me.
One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen.
Could you bring me the red cup from the kitchen table? Yes, I will be there in a minute.
She asked whether the answer was right, and he said that it depends on the question.
Planets move around the sun because gravity bends their path, as Newton and Einstein explained.
An unbelievable number of people speak more than one language, which is a wonderful thing.
"""
LOUDNESS = 0.05  # RMS of the noise it speaks: there, but no harm to an ear
FRAMES = 8  # of white noise that the codebooks and the loudness are set by


def write(folder: Path, seed: int = 0) -> Path:
    """Writes config.json, weights and tokeniser into `folder`, and gives `folder`.

    The same seed gives the same checkpoint. About 5 MB, in a few seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    pieces = _piece_count(tokenizer)
    lm_kwargs = {**loaders._lm_kwargs, **LM, 'text_card': pieces}
    mimi_config = _mimi_config()
    (folder / 'tokenizer.model').write_bytes(tokenizer)
    (folder / 'mimi.json').write_text(json.dumps(mimi_config, indent=1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        save_file(_lm_state(lm_kwargs), folder / 'model.safetensors')
        save_file(_mimi_state(mimi_config), folder / 'mimi.safetensors')
    config = {
        **lm_kwargs,
        'moshi_name': 'model.safetensors',
        'mimi_name': 'mimi.safetensors',
        'mimi_config_name': 'mimi.json',
        'tokenizer_name': 'tokenizer.model',
        'model_type': 'moshi',
    }
    # Last: a folder with a config.json is a whole checkpoint.
    (folder / 'config.json').write_text(json.dumps(config, indent=1))
    return folder


def _tokenizer() -> bytes:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.splitlines()),
        model_writer=model,
        vocab_size=VOCABULARY,
        hard_vocab_limit=False,
        byte_fallback=True,
        pad_id=3,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def _piece_count(model: bytes) -> int:
    from sentencepiece import SentencePieceProcessor

    tokenizer: Any = SentencePieceProcessor(model_proto=model)
    return tokenizer.vocab_size()


def _mimi_config() -> dict[str, Any]:
    """Mimi with an eighth of its width and a quarter of its transformer."""
    base: dict[str, Any] = json.loads(json.dumps(loaders._mimi_config))
    base['seanet'] |= {'n_filters': 8, 'dimension': 64}
    base['quantizer'] |= {
        'dimension': 32,
        'n_q': 8,
        'bins': CARD,
        'input_dimension': 64,
        'output_dimension': 64,
    }
    base['transformer'] |= {
        'd_model': 64,
        'num_heads': 4,
        'num_layers': 2,
        'dim_feedforward': 256,
        'input_dimension': 64,
        'output_dimensions': [64],
    }
    return base


def _lm_state(lm_kwargs: dict[str, Any]) -> dict[str, Tensor]:
    lm = OracleLMModel(device='cpu', dtype=torch.float32, **lm_kwargs)
    return {key: value.contiguous() for key, value in lm.state_dict().items()}


@torch.no_grad()
def _mimi_state(config: dict[str, Any]) -> dict[str, Tensor]:
    """A random codec: codebooks of what the encoder really gives, a decoder of bounded loudness."""
    mimi = loaders.get_mimi(None, config, num_codebooks=config['quantizer']['n_q'])
    noise = torch.randn(1, 1, FRAMES * mimi.frame_size) * 0.1
    latent = mimi._encode_to_unquantized_latent(noise)
    for name, buffer in mimi.named_buffers():
        if name.endswith('embedding_sum'):  # all zero as it is: every code would be 0
            buffer.normal_(std=float(latent.std()))
    for module in mimi.modules():
        if getattr(module, '_embedding', None) is not None:
            module.register_buffer('_embedding', None, persistent=False)  # cached zeros
    sound = mimi.decode(torch.randint(0, config['quantizer']['bins'], (1, mimi.num_codebooks, 8)))
    last = [m for m in mimi.decoder.modules() if isinstance(m, torch.nn.Conv1d)][-1]
    last.weight.mul_(LOUDNESS / float(sound.std()))
    if last.bias is not None:
        last.bias.zero_()
    return {key: value.contiguous() for key, value in mimi.state_dict().items()}
