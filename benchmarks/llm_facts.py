"""Asks an LLM twenty simple facts, as the oracle asks: how many are right, how long it takes.

    python benchmarks/llm_facts.py embedded:qwen2.5-1.5b embedded:smollm2-135m-instruct

An answer is right if it has one of the words that only a right answer has. Times are those of this
machine, with the system text in the cache; those of the processor are the same on a busy one.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import time
from pathlib import Path

from result_file import Results

from kame_ros.oracle.conversation.prompt import PromptConfig, build_messages
from kame_ros.oracle.llm.backend import parse_backend
from kame_ros.oracle.llm.clients.base import LlmUnavailable, Options, Usage

FACTS = (
    ('What is the capital of France?', 'paris'),
    ('What is the capital of Japan?', 'tokyo'),
    ('What is the largest planet of the solar system?', 'jupiter'),
    ('How many days are in a week?', 'seven|7'),
    ('Who wrote Romeo and Juliet?', 'shakespeare'),
    ('At how many degrees Celsius does water boil?', '100|hundred'),
    ('What is the chemical symbol of gold?', r'\bau\b'),
    ('Which animal is the largest on earth?', 'blue whale'),
    ('How many legs does a spider have?', 'eight|8'),
    ('What is seven times eight?', '56|fifty-six|fifty six'),
    ('Who painted the Mona Lisa?', 'leonardo|da vinci'),
    ('On which continent is Egypt?', 'africa'),
    ('What do bees make?', 'honey'),
    ('Which planet is closest to the sun?', 'mercury'),
    ('What is the opposite of hot?', 'cold'),
    ('In which year did the Second World War end?', '1945'),
    ('What is the capital of Italy?', 'rome'),
    ('How many hours are in a day?', '24|twenty-four|twenty four'),
    ('Which gas do plants take from the air?', 'carbon dioxide|co2'),
    ('What colour do you get when you mix blue and yellow?', 'green'),
)


def peak_mb() -> float:
    """The most memory that this process has had."""
    for line in Path('/proc/self/status').read_text(encoding='ascii').splitlines():
        if line.startswith('VmHWM'):
            return float(line.split()[1]) / 1000
    return 0.0


async def ask(name: str, quiet: bool) -> dict[str, float]:
    """Asks all facts of one back-end and prints what came of it."""
    client = parse_backend(name).connect()
    prompt = PromptConfig()
    began = time.perf_counter()
    await client.warm_up(build_messages(prompt, (), 'Hello.'))
    ready = time.perf_counter() - began
    right, first, whole, cpu = 0, [], [], []
    for question, words in FACTS:
        began, used, answer, at = time.perf_counter(), time.process_time(), '', 0.0
        messages = build_messages(prompt, (), question)
        async for piece in client.stream(messages, Options(64, 0.0), Usage()):
            if piece and not answer:
                at = time.perf_counter() - began
            answer += piece
        first.append(at)
        whole.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
        good = bool(re.search(words, answer.lower()))
        right += good
        if not quiet:
            print(f'{"  " if good else "X "}{question}  {" ".join(answer.split())}')
    await client.aclose()
    figures = {
        'right': right,
        'questions': len(FACTS),
        'ready_after_s': round(ready, 2),
        'first_word_median_s': round(statistics.median(first), 3),
        'answer_median_s': round(statistics.median(whole), 3),
        'answer_max_s': round(max(whole), 3),
        'answer_core_median_s': round(statistics.median(cpu), 3),
        'peak_memory_mb': round(peak_mb()),
    }
    print(
        f'{name}: {right} of {len(FACTS)} right, ready after {ready:.1f} s, first word '
        f'{statistics.median(first):.2f} s, whole answer {statistics.median(whole):.2f} s '
        f'(medians; slowest {max(whole):.1f} s), of one processor {statistics.median(cpu):.2f} s, '
        f'peak memory of the process {peak_mb():.0f} MB'
    )
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('backend', nargs='+', help='as oracle.backend has it')
    parser.add_argument('--quiet', action='store_true', help='only the sums')
    results = Results(parser, 'llm_facts')
    args = parser.parse_args()
    figures = {}
    for name in args.backend:
        try:
            figures[name] = asyncio.run(ask(name, args.quiet))
        except (LlmUnavailable, ValueError) as error:
            parser.exit(1, f'{name}: {error}\n')
    results.write(args, figures, figures)


if __name__ == '__main__':
    main()
