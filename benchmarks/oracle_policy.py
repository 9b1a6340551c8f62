"""When to ask the LLM: ours beside the reference's two policies, on a virtual clock.

    python benchmarks/oracle_policy.py --results

Each policy hears the same growing transcripts (recorded from the streaming recogniser in
oracle_partials.json, and synthetic talkers) and asks servers that need 50 to 1500 ms to their
first token. `--record` makes the recordings anew, with the real recogniser.

Per policy and time to first token: `answers_whole`, the share of turns in which an answer to the
whole transcript was written to its end; `starved`, the share of turns without any word before the
user had finished, of those that last longer than two times to the first token; `final_delay_s`,
the median from the end of speech to the first word of the answer to the whole transcript, and
`after_final_s`, the same from the arrival of the final transcript; `words_before_reset`, the mean
number of words that an oracle had given when the next one replaced it; per turn `generations`,
`tokens_wasted` (written in generations that did not answer the whole transcript),
`tokens_unheard` (of them those that never were the oracle) and `prompt_tokens`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from oracle_rivals import Multiplexer, PollCancel
from result_file import Results
from speech_material import SPEAKERS, clips

from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.oracle.policy.decision import Adopt, Cancel, Decision, Start
from kame_ros.oracle.policy.policy import OraclePolicy
from kame_ros.text.compare import normalise, word_count
from kame_ros.wire.transcript import Transcript

RECORDED = Path(__file__).with_name('oracle_partials.json')
TTFT_MS = (50, 200, 500, 1500)
RATE = 50.0  # tokens per second after the first
ANSWER_TOKENS = 40  # thirty words
TOKENS_PER_WORD = ANSWER_TOKENS / 30
PROMPT_TOKENS = 60  # system text and history, besides the transcript
PATIENCE_S = 20.0  # after the final transcript


class Policy(Protocol):
    """What a policy decides; see OraclePolicy. `on_piece` is told of every token."""

    def on_transcript(self, t: float, transcript: Transcript) -> list[Decision]: ...
    def on_first_word(self, t: float, gen: int) -> list[Decision]: ...
    def on_piece(self, t: float, gen: int, words: int) -> list[Decision]: ...
    def on_end(self, t: float, gen: int) -> list[Decision]: ...
    def on_tick(self, t: float) -> list[Decision]: ...
    def next_deadline(self) -> float | None: ...


@dataclass(frozen=True)
class Turn:
    """A user's turn: revisions with the time of their arrival; the last one is final."""

    name: str
    revisions: tuple[tuple[float, Transcript], ...]
    speech_start: float
    speech_end: float

    @property
    def final(self) -> tuple[float, Transcript]:
        return self.revisions[-1]


@dataclass
class Stream:
    """A generation on the simulated server."""

    start: Start
    begun: float
    ttft: float
    stopped: float | None = None  # cancelled, or complete
    adopted: float | None = None
    replaced: float | None = None
    pieces: int = 1  # tokens that the policy was told of

    @property
    def first(self) -> float:
        return self.begun + self.ttft

    @property
    def done(self) -> float:
        return self.first + (ANSWER_TOKENS - 1) / RATE

    def tokens(self, until: float) -> int:
        """Written until then; the first at `first`."""
        if until < self.first - 1e-9:
            return 0
        return min(ANSWER_TOKENS, 1 + int((until - self.first) * RATE + 1e-6))


@dataclass
class Simulation:
    """One policy, one turn, one server. All times in virtual seconds."""

    policy: Policy
    turn: Turn
    ttft: float
    streams: dict[int, Stream] = field(default_factory=dict)
    oracle: int | None = None

    def run(self) -> Simulation:
        """Plays the turn until nothing more happens."""
        coming = list(self.turn.revisions)
        end = self.turn.final[0] + PATIENCE_S
        while True:
            live = [s for s in self.streams.values() if s.stopped is None]
            events: list[tuple[float, int, Callable[[float], list[Decision]]]] = []
            if coming:
                events.append((coming[0][0], 0, self._heard(coming)))
            for s in live:
                if s.adopted is None:
                    events.append((s.first, 1, self._first_word(s)))
                elif s.pieces < ANSWER_TOKENS:
                    events.append((s.first + s.pieces / RATE, 2, self._piece(s)))
                else:
                    events.append((s.done, 2, self._end(s)))
            deadline = self.policy.next_deadline()
            if deadline is not None and (coming or live or deadline <= self.turn.final[0] + 1.0):
                events.append((deadline, 3, self.policy.on_tick))
            if not events:
                return self
            t, _, event = min(events, key=lambda e: e[:2])
            if t > end:
                return self
            self._carry_out(t, event(t))

    def _heard(self, coming: list[tuple[float, Transcript]]) -> Callable[[float], list[Decision]]:
        def event(t: float) -> list[Decision]:
            return self.policy.on_transcript(t, coming.pop(0)[1])

        return event

    def _first_word(self, stream: Stream) -> Callable[[float], list[Decision]]:
        return lambda t: self.policy.on_first_word(t, stream.start.gen)

    def _piece(self, stream: Stream) -> Callable[[float], list[Decision]]:
        def event(t: float) -> list[Decision]:
            stream.pieces += 1
            words = int(stream.pieces / TOKENS_PER_WORD)
            return self.policy.on_piece(t, stream.start.gen, words)

        return event

    def _end(self, stream: Stream) -> Callable[[float], list[Decision]]:
        def event(t: float) -> list[Decision]:
            stream.stopped = t
            return self.policy.on_end(t, stream.start.gen)

        return event

    def _carry_out(self, t: float, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Start):
                self.streams[decision.gen] = Stream(decision, t, self.ttft)
            elif isinstance(decision, Cancel):
                self.streams[decision.gen].stopped = t
            elif isinstance(decision, Adopt):
                if self.oracle is not None:
                    self.streams[self.oracle].replaced = t
                self.oracle = decision.gen
                self.streams[decision.gen].adopted = t

    # -- what came of it --------------------------------------------------------------------

    @property
    def answer(self) -> Stream | None:
        """The stream whose oracle stands in the end, if it answers the whole transcript."""
        if self.oracle is None:
            return None
        stream = self.streams[self.oracle]
        whole = normalise(self.turn.final[1].text)
        return stream if normalise(stream.start.text) == whole else None

    @property
    def is_complete(self) -> bool:
        answer = self.answer
        return answer is not None and answer.stopped is not None and self._written(answer) >= 1

    def _written(self, stream: Stream) -> float:
        until = stream.stopped if stream.stopped is not None else stream.done
        return stream.tokens(until) / ANSWER_TOKENS

    @property
    def heard_before_end(self) -> bool:
        """Whether there was a word of any oracle before the user had finished."""
        end = self.turn.speech_end
        return any(s.adopted is not None and s.adopted <= end for s in self.streams.values())

    def wasted(self, unheard: bool = False) -> int:
        """Tokens of all streams but the answer; of those that never were the oracle."""
        answer = self.answer
        return sum(
            s.tokens(s.stopped if s.stopped is not None else s.done)
            for s in self.streams.values()
            if s is not answer and not (unheard and s.adopted is not None)
        )

    def words_at_reset(self) -> list[float]:
        """Words that each oracle had given when it was replaced."""
        return [
            s.tokens(min(s.replaced, s.stopped or s.replaced)) / TOKENS_PER_WORD
            for s in self.streams.values()
            if s.replaced is not None
        ]

    def prompt_tokens(self) -> int:
        words = sum(word_count(s.start.text) for s in self.streams.values())
        return int(PROMPT_TOKENS * len(self.streams) + words * TOKENS_PER_WORD)


POLICIES: dict[str, Callable[[int], Policy]] = {
    'ours': lambda i: OraclePolicy(PolicyConfig(first_token_s=3.0)),
    'poll_cancel': lambda i: PollCancel(phase=(0.11 * i) % 0.5),
    'multiplexer': lambda i: Multiplexer(),
}


def measure(make: Callable[[int], Policy], turns: Sequence[Turn], ttft_ms: int) -> dict[str, Any]:
    """All figures of a policy at one time to the first token."""
    ttft = ttft_ms / 1000
    runs = [Simulation(make(i), turn, ttft).run() for i, turn in enumerate(turns)]
    answers = [(run, run.answer) for run in runs]
    long = [r for r in runs if r.turn.speech_end - r.turn.speech_start > 2 * ttft + 1.0]
    resets = [words for run in runs for words in run.words_at_reset()]
    ends = [a.adopted - r.turn.speech_end for r, a in answers if a and a.adopted is not None]
    finals = [a.adopted - r.turn.final[0] for r, a in answers if a and a.adopted is not None]
    return {
        'answers_whole': round(sum(run.is_complete for run in runs) / len(runs), 3),
        'starved': round(sum(not r.heard_before_end for r in long) / len(long), 3)
        if long
        else None,
        'final_delay_s': round(statistics.median(ends), 3) if ends else None,
        'after_final_s': round(statistics.median(finals), 3) if finals else None,
        'after_final_worst_s': round(max(finals), 3) if finals else None,
        'words_before_reset': round(statistics.mean(resets), 1) if resets else None,
        'generations': round(statistics.mean(len(r.streams) for r in runs), 2),
        'tokens_wasted': round(statistics.mean(r.wasted() for r in runs), 1),
        'tokens_unheard': round(statistics.mean(r.wasted(unheard=True) for r in runs), 1),
        'prompt_tokens': round(statistics.mean(r.prompt_tokens() for r in runs)),
    }


# -- the talkers ----------------------------------------------------------------------------


def synthetic(words_per_s: float, count: int, pause: tuple[int, float] = (0, 0.0)) -> Turn:
    """A talker whose recogniser revises every 0.25 s and commits all but the last two words.

    `pause`: after so many words, so many seconds of silence.
    """
    ends = [
        1.0 + (i + 1) / words_per_s + (pause[1] if i >= pause[0] > 0 else 0) for i in range(count)
    ]
    words = [f'word{i}' for i in range(count)]
    revisions: list[tuple[float, Transcript]] = []
    t, heard = 1.25, 0
    while heard < count:
        known = sum(end <= t - 0.2 for end in ends)
        if known > heard:
            heard = known
            text = ' '.join(words[:heard])
            sure = len(' '.join(words[: max(0, heard - 2)]))
            said = Transcript(0, len(revisions), text, sure, False, 1.0, t)
            revisions.append((t, said))
        t += 0.25
    text = ' '.join(words)
    end = ends[-1]
    at = max(end + 0.5, revisions[-1][0] + 0.01)
    revisions.append((at, Transcript(0, len(revisions), text, len(text), True, 1.0, end)))
    name = f'{words_per_s} words/s' + (', pauses' if pause[0] else '')
    return Turn(name, tuple(revisions), 1.0, end)


def talkers() -> list[Turn]:
    """Slow, usual, fast, very fast; and one that pauses in the middle."""
    return [
        *(synthetic(rate, 30) for rate in (1.5, 2.5, 4.0, 6.0)),
        synthetic(2.5, 20, pause=(10, 1.0)),
    ]


def recorded() -> list[Turn]:
    """The recordings; every utterance is a turn."""
    return [
        Turn(
            entry['name'],
            tuple((r['t'], _transcript(i, r)) for i, r in enumerate(entry['revisions'])),
            entry['speech_start'],
            entry['speech_end'],
        )
        for entry in json.loads(RECORDED.read_text())
    ]


def _transcript(i: int, r: dict[str, Any]) -> Transcript:
    committed = len(r['text']) if r['final'] else 0
    return Transcript(0, i, r['text'], committed, r['final'], 0.0, 0.0, stable=r['stable'])


def record(voices: Sequence[str]) -> None:
    """Makes the recordings with the streaming recogniser, at its real cost of CPU time."""
    from stt_policies import ours

    policy = ours('whisper-base', 'cpu')
    entries = []
    for voice in voices:
        for clip in clips(voice):
            for turn in _turns(f'{voice} {clip.name}', policy.run(clip.sound, real=True)):
                entries.append(turn)
                print(turn['name'], len(turn['revisions']))
    RECORDED.write_text(json.dumps(entries, indent=1) + '\n')


def _turns(name: str, run: Any) -> Iterator[dict[str, Any]]:
    by_utterance: dict[int, list[tuple[float, Transcript]]] = {}
    for t, transcript in run.transcripts:
        by_utterance.setdefault(transcript.utterance, []).append((t, transcript))
    for revisions in by_utterance.values():
        final = revisions[-1][1]
        if final.final and final.text:
            yield {
                'name': name,
                'speech_start': round(final.start, 2),
                'speech_end': round(final.end, 2),
                'revisions': [
                    {
                        't': round(t, 3),
                        'text': r.text,
                        'stable': len(r.stable_text),
                        'final': r.final,
                    }
                    for t, r in revisions
                ],
            }


def main() -> None:
    """Runs all, prints tables, writes the JSON."""
    parser = _parser()
    writer = Results(parser, 'oracle_policy', timed=False)
    options = parser.parse_args()
    if options.record:
        record(options.record)
    groups = {'recorded': recorded(), 'synthetic': talkers()}
    groups = {'all': [turn for turns in groups.values() for turn in turns], **groups}
    tables = {
        group: {
            name: {str(ms): measure(make, turns, ms) for ms in TTFT_MS}
            for name, make in POLICIES.items()
        }
        for group, turns in groups.items()
    }
    result = {
        'server': {'tokens_per_s': RATE, 'answer_tokens': ANSWER_TOKENS},
        'turns': {group: len(turns) for group, turns in groups.items()},
        'policies': tables['all'],
        'recorded': tables['recorded'],
        'synthetic': tables['synthetic'],
    }
    _print(tables)
    wasted = {name: by_ms['200']['tokens_wasted'] for name, by_ms in tables['all'].items()}
    figures = {key: result[key] for key in ('turns', 'policies')}
    figures['wasted_of_multiplexer'] = round(wasted['ours'] / wasted['multiplexer'], 3)
    writer.write(options, figures, result)


def _print(tables: dict[str, dict[str, dict[str, dict[str, Any]]]]) -> None:
    from rich.console import Console
    from rich.table import Table

    for group, policies in tables.items():
        keys = list(next(iter(next(iter(policies.values())).values())))
        table = Table('policy', 'ms', *keys, title=group)
        for name, by_ms in policies.items():
            for ms, values in by_ms.items():
                table.add_row(
                    name, ms, *('' if values[k] is None else str(values[k]) for k in keys)
                )
        Console(width=160).print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--record', nargs='+', choices=SPEAKERS, help='make the recordings anew')
    return parser


if __name__ == '__main__':
    main()
