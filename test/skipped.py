"""Says at the end of a run what was skipped, and which command brings what was missing."""

from __future__ import annotations

import re
from collections import Counter

import pytest

DEBIAN = "sudo apt-get install $(grep -hv '^#' requirements/apt-*.txt)"
# What the reason of a skip mentions, and what brings it; the first that fits counts.
REMEDIES = (
    (r'triton', '.venv/bin/pip install --no-deps -r requirements/triton-test.txt'),
    (r'pyaudio|pywebrtc', 'make setup-devices'),
    (r'setup-js', 'make setup-js'),
    (r'espeak|flite|pulse|speex|ALSA|apt-get|apt-test|apt install chromium', DEBIAN),
    (r'torch|moshi|safetensors|sentencepiece|accelerate|matplotlib', 'make setup-moshi'),
    (r'sphinx|myst', 'make setup-docs'),
    (r'requirements-ollama', 'see test/oracle/requirements-ollama.txt'),
)


def remedy(reason: str) -> str | None:
    """The command that makes a test run that was skipped for this reason, if one is known."""
    for pattern, command in REMEDIES:
        if re.search(pattern, reason, re.IGNORECASE):
            return command
    return None


def summary(reasons: list[str], long_left_out: bool) -> list[str]:
    """The lines to print: for each command how many skips it ends, then all other reasons."""
    commands = Counter(command for reason in reasons if (command := remedy(reason)))
    others = Counter(reason for reason in reasons if not remedy(reason))
    lines = [f'{count} skipped; to run them: {command}' for command, count in commands.items()]
    lines += [f'{count} skipped: {reason}' for reason, count in others.items()]
    if long_left_out:
        lines.append('the long tests were left out; to run all: make test-all')
    return lines


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reports = terminalreporter.stats.get('skipped', [])
    reasons = [report.longrepr[2].removeprefix('Skipped: ') for report in reports]
    for line in summary(reasons, 'not long' in config.option.markexpr):
        terminalreporter.write_line(line)
