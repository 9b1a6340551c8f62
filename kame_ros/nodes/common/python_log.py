"""What the plain Python of a node logs, on the log of ROS, too: it knows nothing of rclpy."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

from kame_ros.text.well_formed import printable, printable_lines
from kame_ros.trust.redact import redact

PACKAGE = 'kame_ros'
_MOST = 8  # warnings that are remembered: each is told once, and they are few


class PythonLog(logging.Handler):
    """Gives what is logged below `kame_ros` to `tell(level, text)`, and remembers the warnings."""

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        super().__init__()
        self._tell = tell
        self.warnings: list[str] = []  # the first of them, one line each

    def emit(self, record: logging.LogRecord) -> None:
        """Called by any thread."""
        text = redact(record.getMessage())
        line = printable(' '.join(text.split()))
        remembered = record.levelno >= logging.WARNING and len(self.warnings) < _MOST
        if remembered and line not in self.warnings:
            self.warnings.append(line)
        if record.exc_info and record.exc_info[1] is not None:
            text += '\n' + redact(''.join(traceback.format_exception(record.exc_info[1])))
        try:
            self._tell(record.levelno, printable_lines(text))
        except Exception:
            self.handleError(record)

    def attach(self) -> None:
        """Hears from now on. For a process of one node."""
        logging.getLogger(PACKAGE).addHandler(self)

    def detach(self) -> None:
        """Hears nothing any more."""
        logging.getLogger(PACKAGE).removeHandler(self)
