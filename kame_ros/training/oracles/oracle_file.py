"""The oracles of a dialogue in a file of JSON lines, written one by one, so that a run resumes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kame_ros.text.json_lines import json_lines
from kame_ros.text.misfit import misfit
from kame_ros.training.data.arrival import ArrivedOracle
from kame_ros.training.data.data_file import write_whole
from kame_ros.training.data.dialogue import DataError, Dialogue
from kame_ros.training.oracles.schedule import TRUTH, Request

# What reading a line raises that is no oracle.
_BROKEN = (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError)


def fingerprint(dialogue: Dialogue, requests: list[Request], how: str) -> str:
    """Tells oracles made otherwise, or of another transcript, from these."""
    parts = [how, *(repr(asdict(word)) for word in dialogue.words)]
    parts += [repr(asdict(request)) for request in requests]
    return hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:16]


class OracleFile:
    """The oracles written so far, by the number of their request.

    Raises DataError if the file was made from another transcript or in another way. A last line
    that was cut off, as by a power failure, is written anew. `transcript` is the fingerprint of
    the dialogue alone, by which `check` knows it again.
    """

    def __init__(self, path: Path, fingerprint: str, transcript: str = '') -> None:
        self._path = path
        self.texts: dict[int, str] = {}
        head: dict[str, object] = {
            'oracles': fingerprint,
            **({'transcript': transcript} if transcript else {}),
        }
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append(head)
            return
        try:
            whole = path.read_text()
        except UnicodeDecodeError as error:
            raise DataError(f'{path} is damaged ({misfit(error)})') from error
        lines = whole.split('\n')[:-1]  # what follows the last line break was cut off
        rows = [self._row(number, line) for number, line in enumerate(lines, 1)]
        if rows and rows[0].get('oracles') != fingerprint:
            raise DataError(
                f'{path} was made from another transcript, back-end or seed: remove it, or choose '
                'another folder'
            )
        try:
            self.texts = {int(row['request']): str(row['text']) for row in rows[1:]}
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f'{path} is damaged ({misfit(error)})') from error
        kept = ''.join(line + '\n' for line in lines)
        if kept != whole:
            write_whole(path, kept.encode())
        if not rows:
            self._append(head)

    def _row(self, number: int, line: str) -> dict[str, Any]:
        try:
            row: Any = json.loads(line)
            if not isinstance(row, dict) or not ({'request', 'text'} <= set(row) or number == 1):
                raise ValueError('not an oracle')
        except (ValueError, RecursionError) as error:
            raise DataError(
                f'line {number} of {self._path} is damaged ({misfit(error)})'
            ) from error
        return dict(row)

    def add(self, number: int, request: Request, text: str) -> None:
        """Writes the oracle of a request. Raises OSError if the disk is full."""
        row = {
            'request': number,
            'at': round(request.at, 3),
            'ratio': round(request.ratio, 3),
            'level': request.level,
            'listener': request.listener,
            'text': text,
        }
        self._append(row)
        self.texts[number] = text

    def _append(self, row: dict[str, object]) -> None:
        with self._path.open('a') as file:
            file.write(json.dumps(row) + '\n')


def check(path: Path, dialogue: Dialogue, requests: list[Request]) -> None:
    """Raises DataError if the oracles are not those of the dialogue, all of them."""
    try:
        rows = [json.loads(line) for line in json_lines(path.read_text())]
        made_from = rows[0].get('transcript', '') if rows else ''
        found = {int(row['request']): row for row in rows[1:]}
        times = {number: float(row['at']) for number, row in found.items()}
    except (OSError, *_BROKEN) as error:
        raise DataError(f'{path} is damaged or no file of oracles ({misfit(error)})') from error
    # Files from before the fingerprint of the transcript: by the times, and by the real answers.
    fits = made_from in ('', fingerprint(dialogue, requests, '')) and all(
        0 <= number < len(requests)
        and abs(requests[number].at - times[number]) < 2e-3
        and (requests[number].level < TRUTH or row.get('text') == requests[number].truth)
        for number, row in found.items()
    )
    if not fits:
        raise DataError(
            f'{path} was made from another transcript: remove it, and run "kame train oracles" '
            'again'
        )
    if len(found) < len(requests):
        raise DataError(
            f'{path} lacks {len(requests) - len(found)} of {len(requests)} oracles: run "kame '
            'train oracles" again, it goes on where it ended'
        )


def read(path: Path, listener: str) -> list[ArrivedOracle]:
    """The oracles for one speaker, in the order of the requests. Raises DataError."""
    try:
        rows = [json.loads(line) for line in json_lines(path.read_text())[1:]]
        rows.sort(key=lambda row: row['request'])
        return [
            ArrivedOracle(float(row['at']), str(row['text']), row['ratio'] >= 1.0)
            for row in rows
            if row['listener'] == listener
        ]
    except (OSError, *_BROKEN) as error:
        raise DataError(f'{path} is damaged or no file of oracles ({misfit(error)})') from error
