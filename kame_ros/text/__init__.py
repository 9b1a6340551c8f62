"""From text as it is written to text as it is spoken: one path for all that is to be said.

    a chunk -> markup.Markup     plain text: no markup, reasoning, calls of tools; signs stay
            -> spoken_words      its words: as written, as said, where clauses and sentences end
            -> voice or model    the tts front-end speaks `speech` and shows `text`; moshi, which
                                 turns text into tokens itself, is given `speakable.SpokenText`

The oracle node reads what its LLM writes in this way to know reasoning and the length of an answer;
what it publishes is plain text as it is written. s2s reads all that comes on the topic `oracle`,
whoever published it, and the texts of the action `say`. Reading a plain text again changes nothing.

Signs become words (signs.py), not numbers: of the normalisers that were tried, hibari's own reads
figures, ordinals, years and clock times best when it is given them alone. It fails at signs like
"−", "~" or "²", at anything split into words, and at numbers of more than 36 digits. WeText (45 MB)
stops with an error at "−", "½" and "#"; voxnorm leaves most signs as they are.
"""
