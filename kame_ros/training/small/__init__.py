"""The recipe of kame-small: a corpus, a voice in small codes, users, scenes, and its training."""
