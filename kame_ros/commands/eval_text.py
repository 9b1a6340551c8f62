"""`kame eval run --text-only`: the LLM of a configuration is asked in writing, without sound."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from rich.markup import escape

from kame_ros.commands.eval_show import tables, tell_left_out
from kame_ros.commands.show import bar, console, fail, refuse
from kame_ros.evaluation import words
from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.run_folder import BadRun, RunFolder, describe, write_json
from kame_ros.evaluation.score_file import read_scores, write_scores
from kame_ros.evaluation.suite import BadSuite, Item, Suite
from kame_ros.graph.description import Graph
from kame_ros.oracle.conversation.prompt import PromptConfig, build_messages
from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.llm.clients.base import LlmError, Options, Usage
from kame_ros.text.misfit import misfit

_TEXTS = 'texts'


def run_text_only(
    args: argparse.Namespace, suite: Suite, items: tuple[Item, ...], graph: Graph
) -> int:
    """Asks each question, as the oracle node would, and keeps the answers."""
    try:
        values, told = _values(graph), written_run(suite, graph)
        backend = _backend(values)
        prompt = PromptConfig(str(values.get('persona', '')), str(values.get('style', '')))
        backend.check()
    except (ValueError, LlmError) as error:
        return refuse(error)
    folder = RunFolder(args.output)
    try:
        folder.open(told)
        asyncio.run(_ask(backend, prompt, items, args.repeat, args.output / _TEXTS))
    except (BadRun, LlmError, OSError) as error:
        return fail(escape(str(error)))
    finally:
        folder.close()
    console.print(f'next: kame eval score {args.output}', style='dim')
    return 0


def written_run(suite: Suite, graph: Graph) -> dict[str, Any]:
    """What a run in writing says of itself; raises BadSuite where there is no LLM."""
    return {**describe(suite, graph.config, {'oracle': _values(graph)}), 'text_only': True}


def _values(graph: Graph) -> dict[str, Any]:
    oracle = next((spec for spec in graph.nodes if spec.name == 'oracle'), None)
    if oracle is None:
        raise BadSuite(f'{graph.config} has no oracle: nobody is asked in writing')
    return oracle.values


def _backend(values: dict[str, Any]) -> Backend:
    how = {n: values[n] for n in ('max_tokens', 'temperature') if n in values}
    return parse_backend(str(values.get('backend', '')), **how)


async def _ask(
    backend: Backend, prompt: PromptConfig, items: tuple[Item, ...], repeat: int, folder: Path
) -> None:
    todo = [
        (item, number)
        for number in range(1, repeat + 1)
        for item in items
        if any(cue.asks for cue in item.cues) and not _path(folder, item, number).is_file()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    client = await asyncio.to_thread(backend.connect)
    options = Options(backend.max_tokens, backend.temperature)
    try:
        with bar() as bars:
            for item, number in bars.track(todo, description='asking'):
                history: list[dict[str, str]] = []
                answers = []
                for cue in (cue for cue in item.cues if cue.asks):
                    asked = build_messages(prompt, (), cue.text)
                    messages = [asked[0], *history, asked[-1]]
                    pieces = [p async for p in client.stream(messages, options, Usage())]
                    answers.append(''.join(pieces).strip())
                    history += [asked[-1], {'role': 'assistant', 'content': answers[-1] or '-'}]
                accepted = [list(cue.accepted) for cue in item.cues if cue.asks]
                row = {'item': item.id, 'repetition': number, 'kind': item.kind}
                row |= {'category': item.category, 'answers': answers, 'accepted': accepted}
                write_json(_path(folder, item, number), row)
    finally:
        await client.aclose()


def _path(folder: Path, item: Item, number: int) -> Path:
    return folder / f'{item.id}.{number}.json'


def score_text_only(args: argparse.Namespace, out: Path) -> int:
    """Right answers by rules."""
    found: list[Score] = []
    bad: dict[str, str] = {}
    for path in sorted((args.folder / _TEXTS).glob('*.json')):
        try:
            found += _scored(json.loads(path.read_text(encoding='utf-8')))
        except (ValueError, KeyError, TypeError, OSError) as error:
            bad[path.name] = f'{path} is not understood ({misfit(error)})'
    tell_left_out(bad)
    if not found:
        raise BadRun(f'{args.folder} holds no answers yet')
    write_scores(out, found, {'stt': '', 'conversations': len(found), 'left_out': bad})
    scores, scoring = read_scores(out)
    for table in tables({out.name: (scores, {})}, scoring):
        console.print(table)
    return int(bool(bad))


def _scored(row: dict[str, Any]) -> list[Score]:
    found = []
    for turn, (answer, accepted) in enumerate(zip(row['answers'], row['accepted'], strict=True), 1):
        place = (row['item'], row['repetition'], row['kind'], row['category'], turn)
        found.append(Score(*place, 'words_text', len(answer.split()), 'text'))
        if accepted:
            hit = float(words.hit(answer, accepted))
            found.append(Score(*place, 'hit_text', hit, 'rules'))
    return found
