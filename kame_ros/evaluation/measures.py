"""What is measured of a conversation: times, right answers, and how each kind of scene went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kame_ros.evaluation import words
from kame_ros.evaluation.recorded import Label, Recorded, text
from kame_ros.evaluation.suite import INTERRUPTION
from kame_ros.record.speech import ROBOT_GAP_S, merged
from kame_ros.record.voiced import Segment

STOPS_S = 2.0  # a robot that is interrupted is silent by then
GAP_S = 0.6  # of silence: who goes on has no longer one
_RESUMES_S = 3.0  # after a remark
_AFTER_S = 1.0  # a remark is watched for so long after its end
_LAST_S = 0.5  # of a spoken answer that ends by itself
_CLAUSE_S = 0.5  # a back-channel is at a clause's end if it begins so near to one

DEFINITIONS = {
    'answer_latency': 'answer latency: begin of the word that completes an accepted answer, minus '
    'the end of the turn',
    'unanswered': 'unanswered: turns without any answer, of all turns',
    'overlap_s': 'overlap: seconds in which both speak, of a turn',
    'taken_back': 'taken back: answers that began from a part of the question and were replaced',
    'tor': 'TOR: the robot took the turn (it spoke for 1 s, or with more than three words)',
    'cut_in': 'cut in: it spoke before the question was over, in the pause or at its end',
    'stopped': f'stopped: silent within {STOPS_S:g} s of the interruption',
    'goes_on': f'goes on: no silence above {GAP_S:g} s until 1 s after the remark, or all was said',
    'survived': 'survived: it goes on, or goes on again within 3 s of the remark, and answers none',
    'answered_remark': 'answered remark: the LLM was asked for an answer to it, which was used',
    'silent': 'silent: nothing was said to a sound that is no speech',
}


@dataclass(frozen=True)
class Score:
    """One figure of one conversation; `turn` counts from 1, 0 is the whole."""

    item: str
    repetition: int
    kind: str
    category: str
    turn: int
    metric: str
    value: float
    scorer: str = 'sound'


def measure(rec: Recorded) -> list[Score]:
    """All figures of a conversation whose words were heard. Raises NotInstalled."""
    found = [*_turns(rec), *_session(rec), *_scene(rec)]
    return [
        Score(rec.item, rec.repetition, rec.kind, rec.category, turn, name, _number(value), scorer)
        for turn, name, value, scorer in found
    ]


Found = tuple[int, str, float, str]


def _number(value: float | bool) -> float:
    return round(float(value), 4)


def _turns(rec: Recorded) -> Iterator[Found]:
    asked = rec.asked
    for number, turn in enumerate(rec.turns):
        place = number + 1
        yield place, 'answered', turn.response is not None, 'sound'
        yield place, 'overlap_s', turn.overlap_s, 'sound'
        if turn.latency is not None:
            yield place, 'latency', turn.latency, 'sound'
        said = rec.said(number)
        yield place, 'words', len(said), 'stranger'
        accepted = asked[number].accepted if number < len(asked) else ()
        if accepted:
            yield place, 'hit_spoken', words.hit(text(said), accepted), 'rules'
            at = words.first_hit(said, accepted)
            if at is not None:
                yield place, 'answer_latency', at - turn.end, 'rules'


def _session(rec: Recorded) -> Iterator[Found]:
    """What only a run of ours knows."""
    session = rec.session
    if not session:
        return
    yield 0, 'irregular', session.get('outcome') not in ('answered', 'nothing heard'), 'session'
    count = session.get('counters', {})
    for name in ('frames_dropped', 'underruns', 'frames_late'):
        yield 0, name, count.get(name, 0), 'session'
    monologue = str(session.get('monologue', ''))
    asked = rec.asked
    if asked and session.get('transcribed'):
        heard = ' '.join(str(row['text']) for row in session.get('heard', ()))
        wrong, wanted = words.errors(' '.join(label.text for label in asked), heard)
        yield 0, 'question_errors', wrong, 'stt'
        yield 0, 'question_words', wanted, 'stt'
    if monologue:
        wrong, wanted = words.errors(monologue, text(rec.words))
        yield 0, 'answer_errors', wrong, 'stranger'
        yield 0, 'answer_words', wanted, 'stranger'
    accepted = asked[-1].accepted if asked else ()
    if accepted and len(asked) == 1:
        yield 1, 'hit_monologue', words.hit(monologue, accepted), 'rules'
        if session.get('thinks'):
            yield 1, 'hit_oracle', words.hit(last_oracle(session), accepted), 'rules'
    books = session.get('books') or ()
    if books:
        yield 0, 'taken_back', any(_taken_back(book) for book in books), 'session'
        for name in ('started', 'cancelled', 'tokens_in', 'tokens_out', 'cost'):
            yield 0, f'llm_{name}', sum(float(book.get(name) or 0) for book in books), 'session'


def _taken_back(book: Mapping[str, Any]) -> bool:
    return (book.get('stale_words') or 0) > 0 and (book.get('applied') or 0) > 1


def last_oracle(session: Mapping[str, Any]) -> str:
    """The text of the last answer that was asked for with a final transcript."""
    finals = {str(row['text']).strip() for row in session.get('heard', ())}
    texts = [
        str(g['text'])
        for g in session.get('generations', ())
        if str(g['transcript']).strip() in finals and g['text']
    ]
    return texts[-1] if texts else ''


def takes_turn(segments: list[Segment], count: int) -> bool:
    """Whether speech is more than a back-channel: a second of it, or more than three words."""
    if not segments:
        return False
    long = segments[-1].end - segments[0].start
    return long >= 1.0 or count > 3


def _scene(rec: Recorded) -> Iterator[Found]:
    kind = rec.kind
    if kind in ('pause', 'smooth', 'monologue'):
        yield from _before_the_end(rec)
    if kind == 'silence':
        yield 0, 'silent', not rec.robot_speech, 'sound'
    over = [label for label in rec.labels[1:] if kind == label.role]
    for label in over:
        yield 0, 'played', label.start is not None, 'player'
        if label.start is None:
            continue  # the robot never spoke long enough: nothing was tried
        if label.role == INTERRUPTION:
            stop = stop_time(rec, label)
            yield 0, 'stop_s', stop, 'sound'
            yield 0, 'stopped', stop <= STOPS_S, 'sound'
        else:
            on, answered = goes_on(rec, label), answers_remark(rec, label)
            again = any(
                label.span.start <= s.start <= label.span.end + _RESUMES_S for s in rec.robot_speech
            )
            yield 0, 'goes_on', on, 'sound'
            yield 0, 'survived', (on or again) and not answered, 'sound'
            if rec.session.get('thinks'):
                yield 0, 'answered_remark', answered, 'events'


def _before_the_end(rec: Recorded) -> Iterator[Found]:
    """The robot's speech while the user's turn lasts, pauses included."""
    if not rec.asked:
        return
    turn = rec.asked[0].span
    inside = [
        Segment(s.start, min(s.end, turn.end))
        for s in rec.robot_speech
        if turn.start < s.start < turn.end
    ]
    count = sum(turn.start < word.start < turn.end for word in rec.words)
    if rec.kind == 'smooth':
        after = [s for s in rec.robot_speech if s.start > turn.start]
        yield 0, 'tor', takes_turn(after, len(rec.words)), 'sound'
        return
    yield 0, 'tor', takes_turn(inside, count), 'sound'
    yield 0, 'cut_in', bool(inside), 'sound'
    if rec.kind == 'monologue':
        ends = [s.end for s in rec.asked[0].speech]
        near = [s for s in inside if any(abs(s.start - end) <= _CLAUSE_S for end in ends)]
        yield 0, 'backchannels', len(inside), 'sound'
        yield 0, 'backchannels_per_s', len(inside) / max(0.1, turn.end - turn.start), 'sound'
        if inside:
            yield 0, 'at_clause_ends', len(near) / len(inside), 'sound'


def stop_time(rec: Recorded, label: Label) -> float:
    """From the begin of what was said over the robot to the end of its speech, or of the file."""
    at = label.span.start
    for stretch in merged(rec.robot_speech, ROBOT_GAP_S):
        if stretch.start <= at < stretch.end:
            return min(stretch.end, rec.seconds) - at
    return 0.0


def goes_on(rec: Recorded, label: Label) -> bool:
    """Whether the robot speaks on through a remark, or was about to end anyway."""
    begin, until = label.span.start, label.span.end + _AFTER_S
    spoken = [s for s in rec.robot_speech if s.end > begin - GAP_S and s.start < until]
    edges = [begin, *(x for s in spoken for x in (s.start, s.end)), until]
    silences = [b - a for a, b in zip(edges[::2], edges[1::2], strict=True)]
    if max(silences, default=until - begin) <= GAP_S:
        return True
    return any(
        event.get('topic') == 'turn'
        and event.get('kind') == 'ORACLE_SPOKEN'
        and begin - _LAST_S <= event['t'] <= until + _LAST_S
        for event in rec.events
    )


def answers_remark(rec: Recorded, label: Label) -> bool:
    """Whether an answer to the remark was said; false where nobody knows, as in recordings."""
    begin = label.span.start
    rows = rec.session.get('generations', ())
    before = {g['utterance'] for g in rows if g['started_at_s'] < begin}
    return any(
        g['state'] == 'applied' and g['utterance'] not in before and g['started_at_s'] >= begin
        for g in rows
    )
