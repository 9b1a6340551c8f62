"""How eager the oracle is."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.settings.param import setting


@dataclass(frozen=True)
class PolicyConfig:
    """How eager the oracle is; times in seconds on the clock of the events.

    The defaults come from measurements on partial transcripts of streaming Whisper: asking on two
    new stable words starts 20 % fewer generations than asking on two new words of any kind.
    """

    answer_partials: bool = setting(
        True,
        'Whether to think while the user still speaks; if not, only final transcripts count.',
    )
    min_new_words: int = 2  # stable words
    min_gap_s: float = 0.4  # between the starts for partials; a final never waits
    max_streams: int = 3
    # A stale answer (the user has said more since) ends after so many words: they are heard for
    # four seconds, and the next answer comes sooner. 0: it runs on until it is replaced.
    opening_words: int = 12
    hold_s: float = 0.8  # how long an adopted stream is safe when all streams are taken
    # From the question, or from the final that says the same.
    first_token_s: float = setting(
        2.0, 'How long to wait for the first word.', low=0.05, high=600.0
    )
    stall_s: float = setting(
        3.0, 'How long an answer may pause in its middle.', low=0.05, high=600.0
    )
    total_s: float = setting(15.0, 'How long an answer may take in all.', low=0.1, high=3600.0)
    retries: int = 1  # of the same back-end, before the next one; none where a final one hung
    backoff_s: float = 0.25  # doubles with each attempt
    max_wait_s: float = 1.5  # a longer retry-after means: use the next back-end
    max_retry_after_s: float = setting(
        60.0,
        'How long at most a server that is busy is left alone, whatever it demands (retry-after); '
        'final questions do not wait for it.',
        low=0.0,
        high=3600.0,
    )
    cooldown_s: float = 30.0  # how long a back-end that failed for good is left alone
    backends: int = 1

    def __post_init__(self) -> None:
        if self.min_new_words < 1 or self.max_streams < 1 or self.backends < 1:
            raise ValueError('min_new_words, max_streams and backends are at least 1')
        if (
            min(
                self.min_gap_s,
                self.first_token_s,
                self.total_s,
                self.backoff_s,
                self.max_retry_after_s,
            )
            < 0
        ):
            raise ValueError('times are not negative')

    def believed(self, retry_after_s: float) -> float:
        """How long to wait where a server demands this: 0 where it is no time at all."""
        if not retry_after_s > 0:  # NaN too
            return 0.0
        return min(retry_after_s, self.max_retry_after_s)
