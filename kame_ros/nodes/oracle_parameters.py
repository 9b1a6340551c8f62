"""The parameters of the oracle node."""

from kame_ros.nodes.parameters import Param

PARAMETERS = (
    Param(
        'backend',
        'embedded:smollm2-135m-instruct',
        'Who answers, as kind:model or kind:model@url; kinds: embedded, ollama, openai, '
        'anthropic, gemini. Keys come from the environment only.',
        live=True,
    ),
    Param(
        'fallback',
        '',
        'Who answers when the first one does not, and who is routed to: like backend, several '
        'with commas between; empty: nobody.',
        live=True,
    ),
    Param(
        'answer_partials',
        True,
        'Whether to think while the user still speaks; if not, only final transcripts count.',
        live=True,
    ),
    Param(
        'max_words',
        30,
        'An answer is cut at a sentence before it gets longer.',
        1,
        500,
        live=True,
    ),
    Param(
        'hidden_marks',
        '',
        'Marks of the LLM that are not to be read, beside those that are known; blanks between '
        'them. A mark like <pad> is left out; with <note>...</note> all between the two is.',
        live=True,
    ),
    Param('max_tokens', 64, 'The bound that the server keeps.', 1, 4096, live=True),
    Param(
        'temperature',
        0.0,
        'How freely the LLM chooses its words; anthropic is not told, as newer models refuse it.',
        0.0,
        2.0,
        live=True,
    ),
    Param(
        'persona',
        '',
        'Who the robot is, in a sentence; empty: a helpful robot with a voice.',
        live=True,
    ),
    Param('style', '', 'How it speaks; empty: in one short sentence.', live=True),
    Param(
        'prompt_file',
        '',
        'A text file with the whole system text, instead of persona and style; for larger models '
        'see config/settings/prompt.txt.',
        live=True,
    ),
    Param(
        'history_tokens',
        600,
        'How much of the conversation the LLM is shown: about so many tokens.',
        0,
        100_000,
        live=True,
    ),
    Param(
        'apology',
        'Sorry, I cannot think right now.',
        'What is said when nobody answers, or an answer breaks off; empty: nothing.',
        live=True,
    ),
    Param('first_token_s', 2.0, 'How long to wait for the first word.', 0.05, 600.0, live=True),
    Param('stall_s', 3.0, 'How long an answer may pause in its middle.', 0.05, 600.0, live=True),
    Param('total_s', 15.0, 'How long an answer may take in all.', 0.1, 3600.0, live=True),
    Param(
        'max_retry_after_s',
        60.0,
        'How long at most a server that is busy is left alone, whatever it demands (retry-after); '
        'final questions do not wait for it.',
        0.0,
        3600.0,
        live=True,
    ),
    Param(
        'facts_age_s',
        0.0,
        'How long what comes on the topic facts is believed; 0: until it is replaced.',
        0.0,
        86_400.0,
        live=True,
    ),
    Param(
        'settings',
        '',
        'A YAML file with actions, routes, prices and stop words; see config/settings/oracle.yaml.',
    ),
)
