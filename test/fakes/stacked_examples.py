"""Examples of training put together as one batch, for sources of tests."""

import numpy as np

from kame_ros.training.data.layout import Example, for_training
from kame_ros.training.data.source import Batch


def stack(examples: list[Example]) -> Batch:
    """Of one length; the robot is never silent."""
    pairs = [for_training(example) for example in examples]
    codes = np.stack([codes for codes, _ in pairs])
    quiet = np.zeros((len(codes), codes.shape[2]), bool)
    return Batch(codes, np.stack([oracle for _, oracle in pairs]), quiet)
