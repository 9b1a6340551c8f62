"""What kame-small says of its own accord: before an answer, to correct itself, without an answer.

The model learns these phrases and no others, so that the words of what it says are known.
"""

LEAD_INS = (
    'Well,',
    'Let me see.',
    'Good question.',
    'One moment.',
    'Sure.',
    'Okay.',
    'Hmm, let me think.',
    'Right.',
    'So,',
    'Let me think.',
)
CORRECTIONS = ('or rather,', 'I mean,', 'no, wait,', 'sorry,')
UNKNOWN = ("Sorry, I don't know that.", "I don't know, I'm afraid.")
OWN_PHRASES = LEAD_INS + CORRECTIONS + UNKNOWN
