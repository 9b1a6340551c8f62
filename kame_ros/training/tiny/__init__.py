"""The recipe of kame-tiny: a closed vocabulary, a synthetic voice, dialogues, and its training."""
