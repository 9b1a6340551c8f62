"""The comparison of texts, under the name that the oracle's modules know it by."""

from kame_ros.text.compare import normalise, word_count

__all__ = ['normalise', 'word_count']
