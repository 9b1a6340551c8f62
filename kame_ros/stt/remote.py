"""Speech-to-text by a server: any OpenAI-compatible transcription endpoint."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from kame_ros import trust
from kame_ros.proxies import connection_options, proxy_hint
from kame_ros.redact import redact
from kame_ros.stt.recogniser import Hypothesis, RecogniserError
from kame_ros.stt.transcript import Word

_RATE = 16_000
_OFFICIAL = 'https://api.openai.com/v1'
_KEY = 'OPENAI_API_KEY'


class RemoteRecogniser:
    """`POST /v1/audio/transcriptions`, as OpenAI, vLLM, speaches and others offer it.

    The key comes from the environment variable `key_variable` and from nowhere else, and goes only
    where the environment lets it (see kame_ros.trust); a server in the own network needs none.
    Words have times where the server gives them, else they are spread evenly over the sound;
    probabilities are unknown: 0.5, which never settles a word at once.
    """

    max_sound = 25.0

    def __init__(
        self,
        model: str = 'whisper-1',
        *,
        base_url: str = '',
        language: str = '',
        key_variable: str = 'OPENAI_API_KEY',
        timeout: float = 5.0,
        client: Any = None,
    ) -> None:
        """Make the client; `timeout` in s bounds a call.

        Raises ValueError without a key or URL, or for a key that may not go to that server.
        """
        url = (base_url or _OFFICIAL).rstrip('/')
        self._why_no_key = trust.why_no_key(key_variable, url)
        if client is None:
            if key_variable != _KEY and (why := trust.why_not_allowed(key_variable, url)):
                raise ValueError(why)
            if self._why_no_key and trust.is_official(key_variable, url):
                raise ValueError(
                    f'{self._why_no_key}: set it, or base_url to a server that needs no key'
                )
            client = _new_client(url, trust.key_for(key_variable, url), timeout)
        self._client = client
        self._model = model
        self._language = language

    def warm_up(self) -> None:
        """Ask for half a second of silence: opens the connection. Raises RecogniserError."""
        self.recognise(np.zeros(_RATE // 2, np.float32), final=False)

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        """Decode float32[n] at 16 kHz. No prompt is sent: it could loop."""
        from openai import APIStatusError, OpenAIError

        options: dict[str, Any] = {'language': self._language} if self._language else {}
        try:
            answer = self._client.audio.transcriptions.create(
                model=self._model,
                file=('speech.wav', _wav(sound), 'audio/wav'),
                response_format='verbose_json',
                timestamp_granularities=['word'],
                temperature=0.0,
                **options,
            )
        except OpenAIError as error:
            text = f'{type(error).__name__}: {error}'
            if isinstance(error, APIStatusError) and error.status_code in (401, 403):
                text += f' ({self._why_no_key})' if self._why_no_key else ''
            raise RecogniserError(redact(text)) from error
        return _hypothesis(answer, len(sound) / _RATE)


def _new_client(url: str, key: str, timeout: float) -> Any:
    from openai import DefaultHttpxClient, OpenAI

    official = trust.is_official(_KEY, url)
    others: dict[str, Any] = {} if official else {'organization': '', 'project': ''}
    try:
        return OpenAI(
            api_key=key or 'none',
            base_url=url,
            timeout=timeout,
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
    segments = list(getattr(answer, 'segments', None) or ())
    scores = [s.avg_logprob for s in segments if getattr(s, 'avg_logprob', None) is not None]
    doubts = [s.no_speech_prob for s in segments if getattr(s, 'no_speech_prob', None) is not None]
    return Hypothesis(
        words=_words(text, list(getattr(answer, 'words', None) or ()), seconds),
        log_probability=float(np.mean(scores)) if scores else 0.0,
        no_speech=float(np.mean(doubts)) if doubts else 0.0,
        language=_code(str(getattr(answer, 'language', '') or '')),
    )


def _words(text: str, timed: Sequence[Any], seconds: float) -> tuple[Word, ...]:
    """The words of the text (with its punctuation), timed if the server's words match them."""
    texts = [' ' + word for word in text.split()]
    if len(timed) == len(texts):
        times = [(float(word.start), float(word.end)) for word in timed]
    else:
        share = seconds / max(1, len(texts))
        times = [(i * share, (i + 1) * share) for i in range(len(texts))]
    return tuple(Word(t, a, b, 0.5) for t, (a, b) in zip(texts, times, strict=True))


def _code(language: str) -> str:
    """OpenAI's verbose answer says 'english' where others say 'en'."""
    common = {'english': 'en', 'german': 'de', 'french': 'fr', 'spanish': 'es', 'japanese': 'ja'}
    return language if len(language) == 2 else common.get(language.lower(), '')
