"""Speech-to-text by a server: any OpenAI-compatible transcription endpoint."""

from __future__ import annotations

import io
import math
import re
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from kame_ros.stt.engines import EngineSettings
from kame_ros.stt.recogniser import Hypothesis, ServerError
from kame_ros.text.language import primary
from kame_ros.text.well_formed import printable
from kame_ros.trust import keys as trust
from kame_ros.trust.addresses import read_address
from kame_ros.trust.proxies import connection_options, proxy_hint
from kame_ros.trust.redact import redact
from kame_ros.wire.transcript import Word

_RATE = 16_000
_OFFICIAL = 'https://api.openai.com/v1'
_KEY = 'OPENAI_API_KEY'


class RemoteRecogniser:
    """`POST /v1/audio/transcriptions`, as OpenAI, vLLM, speaches and others offer it.

    The key comes from the environment variable `key_variable` and from nowhere else, and goes only
    where the environment lets it (see kame_ros.trust.keys); a server in the own network needs none.
    Words have times where the server gives them, else they are spread evenly over the sound;
    probabilities are unknown: 0.5, which never settles a word at once.
    """

    max_sound_s = 25.0

    def __init__(
        self,
        model: str = 'whisper-1',
        *,
        base_url: str = '',
        language: str = '',
        key_variable: str = EngineSettings.key_variable,
        timeout_s: float = EngineSettings.timeout_s,
    ) -> None:
        """Make the client; `timeout_s` bounds a call.

        Raises ValueError without a key or URL, or for a key that may not go to that server.
        """
        url = (base_url or _OFFICIAL).rstrip('/')
        read_address(url)
        self._why_no_key = trust.why_no_key(key_variable, url)
        if key_variable != _KEY and (why := trust.why_not_allowed(key_variable, url)):
            raise ValueError(why)
        if self._why_no_key and trust.is_official(key_variable, url):
            raise ValueError(
                f'{self._why_no_key}: set it, or base_url to a server that needs no key'
            )
        self._client = _new_client(url, trust.key_for(key_variable, url), timeout_s)
        self._url = url
        self._optional: dict[str, Any] = {
            'response_format': 'verbose_json',
            'timestamp_granularities': ['word'],
            'temperature': 0.0,
            **({'language': language} if language else {}),
        }
        self._model = model

    def warm_up(self) -> None:
        """Ask for half a second of silence: opens the connection. Raises ServerError."""
        self.recognise(np.zeros(_RATE // 2, np.float32), final=False)

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        """Decode float32[n] at 16 kHz. No prompt is sent: it could loop."""
        from openai import APIStatusError, OpenAIError

        try:
            answer = self._ask(_wav(sound))
        except OpenAIError as error:
            text = f'{type(error).__name__}: {error}'
            if isinstance(error, APIStatusError) and error.status_code in (401, 403):
                text += f' ({self._why_no_key})' if self._why_no_key else ''
            raise ServerError(printable(redact(text))) from error
        return _hypothesis(answer, len(sound) / _RATE)

    def _ask(self, sound: bytes) -> Any:
        """The answer; asked anew without a field that the server refuses by name, or with /v1.

        What it refuses is not sent again.
        """
        from openai import BadRequestError, NotFoundError, UnprocessableEntityError

        while True:
            try:
                return self._client.audio.transcriptions.create(
                    model=self._model, file=('speech.wav', sound, 'audio/wav'), **self._optional
                )
            except (BadRequestError, UnprocessableEntityError) as error:
                text = f'{error.body} {error}'.replace('verbose_json', 'response_format')
                refused = [k for k in self._optional if re.search(rf'\b{k}\b', text)]
                if not refused:
                    raise
                # Times of words come in the verbose format only.
                refused += ['timestamp_granularities'] if 'response_format' in refused else []
                self._optional = {k: v for k, v in self._optional.items() if k not in refused}
            except NotFoundError:
                if '/v1' in self._url or not self._url.startswith('http'):
                    raise
                self._url += '/v1'
                self._client = self._client.with_options(base_url=self._url)


def _new_client(url: str, key: str, timeout_s: float) -> Any:
    from openai import DefaultHttpxClient, OpenAI

    official = trust.is_official(_KEY, url)
    others: dict[str, Any] = {} if official else {'organization': '', 'project': ''}
    try:
        return OpenAI(
            api_key=key or 'none',
            base_url=url,
            timeout=timeout_s,
            max_retries=0,
            http_client=DefaultHttpxClient(**connection_options(url)),
            **others,
        )
    except (ImportError, ValueError) as error:  # a proxy that httpx cannot use
        raise ValueError(f'{url} cannot be reached: {proxy_hint(error)}') from error


def _wav(sound: np.ndarray) -> bytes:
    out = io.BytesIO()
    with wave.open(out, 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((np.clip(sound, -1.0, 1.0) * 32_767).astype('<i2').tobytes())
    return out.getvalue()


def _hypothesis(answer: Any, seconds: float) -> Hypothesis:
    text = str(getattr(answer, 'text', '') or '').strip()
    segments = _list(getattr(answer, 'segments', None))
    scores = [x for s in segments if (x := _number(s, 'avg_logprob')) is not None]
    doubts = [x for s in segments if (x := _number(s, 'no_speech_prob')) is not None]
    return Hypothesis(
        words=_words(text, _list(getattr(answer, 'words', None)), seconds),
        log_probability=float(np.mean(scores)) if scores else 0.0,
        no_speech=float(np.mean(doubts)) if doubts else 0.0,
        language=_code(str(getattr(answer, 'language', '') or '')),
    )


def _words(text: str, timed: Sequence[Any], seconds: float) -> tuple[Word, ...]:
    """The words of the text (with its punctuation), timed if the server's words match them."""
    texts = [' ' + word for word in text.split()]
    ends = [(_number(word, 'start'), _number(word, 'end')) for word in timed]
    times = [(start, end) for start, end in ends if start is not None and end is not None]
    if len(times) != len(texts):
        share = seconds / max(1, len(texts))
        times = [(i * share, (i + 1) * share) for i in range(len(texts))]
    return tuple(Word(t, a, b, 0.5) for t, (a, b) in zip(texts, times, strict=True))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(entry: Any, name: str) -> float | None:
    """A finite number of an entry, which the SDK gives as an object or, if it is odd, as a dict."""
    value = entry.get(name) if isinstance(entry, dict) else getattr(entry, name, None)
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return None


def _code(language: str) -> str:
    """OpenAI's verbose answer says 'english' where others say 'en' or 'en-US'."""
    common = {'english': 'en', 'german': 'de', 'french': 'fr', 'spanish': 'es', 'japanese': 'ja'}
    tag = primary(language)
    return tag if len(tag) == 2 else common.get(tag, '')


def make(settings: EngineSettings) -> RemoteRecogniser:
    """The engine, as the stt node is set."""
    return RemoteRecogniser(
        settings.model,
        base_url=settings.base_url,
        language=settings.language,
        key_variable=settings.key_variable,
        timeout_s=settings.timeout_s,
    )
