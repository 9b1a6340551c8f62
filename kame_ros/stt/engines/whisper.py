"""Speech-to-text with Whisper on this machine; it encodes the sound that is there, not 30 s."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from kame_ros.runtime import weights
from kame_ros.stt.engines import EngineSettings
from kame_ros.stt.engines.whisper_guards import GuardConfig, compression_ratio
from kame_ros.stt.recogniser import Hypothesis, RecogniserError
from kame_ros.text.language import primary
from kame_ros.wire.transcript import Word

_RATE = 16_000
_MEL_PER_S = 100
_MEL_PER_TOKEN_FRAME = 2  # the encoder halves the mel frames: 20 ms each
_TOKENS_PER_S = 8  # few speak faster; a decoder that loops always does
_TOKENS_SPARE = 10
_NO_BLANKS = ('zh', 'ja', 'th', 'lo', 'my', 'yue')  # as in faster_whisper.tokenizer
_LONGEST = 220  # tokens of output: half of Whisper's context is for earlier text
_MAX_LENGTH_PER_TOKEN = 2  # CTranslate2 keeps half of `max_length` for earlier text as well
# s: the window of a sound that is no longer than this. In 10 s the decoder loops where speech fills
# them; of short sounds it hears the same, in two thirds of the time.
_SHORT_WINDOW_S, _SHORT_S = 10.0, 6.0


class WhisperRecogniser:
    """faster-whisper's model without its 30 s window.

    `WhisperModel.transcribe` pads every sound to 30 s, and the encoder is most of the cost of a
    partial. Here sound is padded to `window` s: 15 s cost a quarter of 30 s at equal error; at
    10 s and less the decoder begins to loop, unless the sound is short: 6 s are padded to 10 s.
    Partials are greedy, finals use `beam`. No earlier text conditions the output. One thread: two
    on busy cores are slower.
    """

    def __init__(
        self,
        model: str = EngineSettings.model,
        *,
        language: str = '',
        device: str = EngineSettings.device,
        compute_type: str = EngineSettings.compute_type,
        threads: int = EngineSettings.threads,
        window: float = EngineSettings.window_s,
        beam: int = EngineSettings.beam,
        may_fetch: bool = EngineSettings.may_fetch,
    ) -> None:
        """Load. `language` is a tag such as en or en-US, or empty to detect it per utterance.

        `may_fetch`: see EngineSettings. Raises MissingWeights, CorruptWeights, or ValueError for a
        language the model lacks.
        """
        if not 4.0 <= window <= 30.0:
            raise ValueError(f'the window of Whisper is 4 to 30 s, not {window}')
        os.environ.setdefault('OMP_NUM_THREADS', str(threads))
        path = _locate(model) if may_fetch else _on_this_machine(model)
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import _LANGUAGE_CODES

        try:
            self._model = WhisperModel(
                path,
                device=device,
                compute_type=compute_type or ('int8' if device == 'cpu' else 'default'),
                cpu_threads=threads,
                num_workers=1,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise weights.MissingWeights(f'cannot load the model {model!r}: {error}') from error
        asked, language = language, primary(language)
        if asked.strip() and language not in _LANGUAGE_CODES:
            raise ValueError(f'Whisper knows no language {asked!r}')
        self.multilingual = bool(self._model.model.is_multilingual)
        if not self.multilingual and language not in ('', 'en'):
            raise ValueError(f'{model} speaks English only, not {language!r}')
        self.max_sound_s = window - 2.0
        self._window = window
        self._beam = beam
        self._fixed = language if self.multilingual else 'en'
        self._language = self._fixed or 'en'
        self._tokenizers: dict[str, Any] = {}

    def warm_up(self) -> None:
        """Decode a second of silence."""
        self.recognise(np.zeros(_RATE, np.float32), final=True)

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        """Decode float32[n] at 16 kHz, n / 16000 at most `max_sound_s`. Raises RecogniserError."""
        try:
            return self._recognise(sound, final)
        except RuntimeError as error:  # CTranslate2: out of memory, a lost device
            raise RecogniserError(str(error)) from error

    def _recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        seconds = len(sound) / _RATE
        encoded = self._encode(sound)
        if not self._fixed:
            ((token, _), *_) = self._model.model.detect_language(encoded)[0]
            self._language = token[2:-2]
        tokenizer = self._tokenizer(self._language)
        start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        most = min(_LONGEST, _TOKENS_SPARE + int(_TOKENS_PER_S * seconds))
        result = self._generate(encoded, start, final, most)
        if len(result.sequences_ids[0]) >= most and not self._loops(tokenizer, result):
            result = self._generate(encoded, start, final, _LONGEST)  # somebody does speak faster
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        return Hypothesis(
            words=self._words(tokenizer, encoded, tokens, seconds),
            log_probability=result.scores[0],
            no_speech=result.no_speech_prob,
            language=self._language,
        )

    def _generate(self, encoded: Any, start: list[int], final: bool, most: int) -> Any:
        """The best output of at most `most` tokens."""
        return self._model.model.generate(
            encoded,
            [start],
            beam_size=self._beam if final else 1,
            max_length=_MAX_LENGTH_PER_TOKEN * most,
            suppress_blank=True,
            suppress_tokens=[-1],
            return_scores=True,
            return_no_speech_prob=True,
        )[0]

    @staticmethod
    def _loops(tokenizer: Any, result: Any) -> bool:
        text = tokenizer.decode(result.sequences_ids[0])
        return compression_ratio(text) > GuardConfig.compression

    def _encode(self, sound: np.ndarray) -> Any:
        import ctranslate2

        short = len(sound) <= _SHORT_S * _RATE
        window = min(self._window, _SHORT_WINDOW_S) if short else self._window
        padded = np.zeros(int(window * _RATE), np.float32)
        padded[: len(sound)] = sound[: len(padded)]
        mel = self._model.feature_extractor(padded, padding=0)
        mel = mel[:, : int(window * _MEL_PER_S)]
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None], np.float32))
        return self._model.model.encode(view)

    def _words(
        self, tokenizer: Any, encoded: Any, tokens: list[int], seconds: float
    ) -> tuple[Word, ...]:
        """Words with times and probabilities, from the cross-attention of the decoder."""
        if not tokens:
            return ()
        frames = max(_MEL_PER_TOKEN_FRAME, int(seconds * _MEL_PER_S))
        aligned = self._model.model.align(
            encoded, tokenizer.sot_sequence, [tokens], frames, median_filter_width=7
        )[0]
        begins = np.zeros(len(tokens) + 1)
        for token, frame in reversed(aligned.alignments):
            begins[min(token, len(tokens))] = frame * 0.02
        begins = np.maximum.accumulate(begins)
        pieces, groups = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
        words: list[Word] = []
        at = 0
        for piece, group in zip(pieces[:-1], groups[:-1], strict=True):
            until = at + len(group)
            probability = float(np.mean(aligned.text_token_probs[at:until]))
            words.append(Word(piece, float(begins[at]), float(begins[until]), probability))
            at = until
        return tuple(_whole_words(words, tokenizer.language_code))

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, self.multilingual, task='transcribe', language=language
            )
        return self._tokenizers[language]


def _whole_words(words: Sequence[Word], language: str) -> list[Word]:
    """Join punctuation, and the parts of a word with a hyphen, to the word before them.

    Where a language has no blanks between words, every piece with a letter stays a word.
    """
    blanks = language not in _NO_BLANKS
    out: list[Word] = []
    opening = ''
    for word in words:
        spoken = any(c.isalnum() for c in word.text)
        begins = word.text.startswith(' ') or not (blanks or not spoken)
        if out and not begins:
            out[-1] = replace(out[-1], text=out[-1].text + word.text)
            if spoken:
                least = min(out[-1].probability, word.probability)
                out[-1] = replace(out[-1], end=word.end, probability=least)
        elif spoken:
            out.append(replace(word, text=opening + word.text))
            opening = ''
        else:
            opening += word.text
    return out


def _locate(model: str) -> str:
    """A packaged name or a path; else a name that faster-whisper may fetch from a hub."""
    try:
        return str(weights.find(model, 'stt'))
    except weights.MissingWeights:
        if model in weights.KNOWN:
            raise
        from faster_whisper import available_models

        if model in available_models() or model.count('/') == 1:
            return model
        raise


def _on_this_machine(model: str) -> str:
    """The folder of a model, for which nothing is fetched. Raises MissingWeights."""
    path = _locate(model)
    if not os.path.exists(path):  # a hub's name: its cache may have it
        from faster_whisper import download_model

        with suppress(OSError, ValueError):
            path = download_model(model, local_files_only=True)
    # Without its tokenizer faster-whisper would fetch one.
    if not os.path.isfile(os.path.join(path, 'tokenizer.json')):
        raise weights.MissingWeights(
            f'the model {model!r} is not whole on this machine, and nothing is fetched that was '
            f'not named when this node was started: start with --set stt.model={model}'
        )
    return path


def make(settings: EngineSettings) -> WhisperRecogniser:
    """The engine, as the stt node is set."""
    return WhisperRecogniser(
        settings.model,
        language=settings.language,
        device=settings.device,
        compute_type=settings.compute_type,
        threads=settings.threads,
        window=settings.window_s,
        beam=settings.beam,
        may_fetch=settings.may_fetch,
    )
