"""The known forms of what language models write beside their answer: reasoning, calls, tokens.

Collected from the chat templates of ChatML (Qwen, Hermes, SmolLM), Harmony (gpt-oss), Llama 2 to 4,
Mistral, Gemma, Phi, DeepSeek, Command R, Granite, Kimi, GLM and Seed, and from SSML.
"""

from __future__ import annotations

import re

from kame_ros.text.lists import word_set

# Elements, by lower-case name without what follows an "=": all between their tags is left out.
THOUGHTS = word_set(
    """
    think thinking thought thoughts reasoning reflection scratchpad analysis inner_monologue
    internal_monologue chain_of_thought cot thinking_process thought_process plan planning
    """
)
CALLS = word_set(
    """
    action observation tool_call tool_calls toolcall tool_use tool_code tool_response tool_result
    tool_results tool_output tool_outputs function function_call function_calls
    function_results invoke use_mcp_tool execute
    """
)
UNSEEN = word_set(
    """
    script style head template noscript svg math-ml
    """
)  # HTML nobody reads
# Elements that end a line, and those that a person would pause at.
BLOCKS = word_set(
    """
    p div li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote section article header footer hr dt
    dd s paragraph details summary
    """
)
BREAKS = frozenset(['br', 'break', 'td', 'th'])
# Only these may have attributes without a value: "<y and z>" is no tag.
KNOWN = (
    THOUGHTS
    | CALLS
    | UNSEEN
    | BLOCKS
    | BREAKS
    | word_set(
        """
    a abbr audio b big body button center cite code del details em emphasis font form html i
    img input ins kbd label lang lexicon main mark media meta nav option phoneme pre prosody q
    say-as select small span speak strike strong sub summary sup tbody textarea tfoot thead
    time token title tt u var video voice w
    """
    )
)

# Literal brackets: what opens, what closes, and whether it is a thought.
BRACKETS = (
    ('[THINK]', '[/THINK]', True),
    ('[think]', '[/think]', True),
    ('[THINKING]', '[/THINKING]', True),
    ('[REASONING]', '[/REASONING]', True),
    ('[TOOL_CALLS]', '</s>', False),
    ('[TOOL_RESULTS]', '[/TOOL_RESULTS]', False),
    ('[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]', False),
    ('◁think▷', '◁/think▷', True),
)
SINGLES = (
    '[INST]',
    '[/INST]',
    '<<SYS>>',
    '<</SYS>>',
    '[BOS]',
    '[EOS]',
    '[PAD]',
    '[END]',
    '[SEP]',
    '[CLS]',
)

# Tokens between <| and |> (or the full-width ｜ of DeepSeek), by their name in lower case with _.
TOKEN = re.compile(r'<[|｜]([^|｜<>\n]{0,60})[|｜]>')
TOKEN_BEGINS = re.compile(r'<(?:[|｜][^|｜<>\n]{0,60}[|｜]?)?\Z')
THOUGHT_TOKENS = word_set(
    """
    start_thinking begin_of_thought think thought begin_think
    """
)
CALL_TOKENS = word_set(
    """
    tool_call tool_calls python_tag start_action tool_calls_begin tool_calls_section_begin
    tool_call_begin tool_outputs_begin functions function_call plugin action_start
    start_tool_result tool_list_start
    """
)
OTHER_ROLES = word_set(
    """
    user system developer tool tools function ipython environment observation human
    """
)
OTHER_ROLE_TOKENS = OTHER_ROLES | {'user_token', 'system_token'}
END_OF_THOUGHT = re.compile(
    r'<[|｜]/?(?:end_thinking|end_of_thought|/think|/thought|end_think|start_response)[|｜]>', re.I
)
END_OF_CALL = re.compile(
    r'<[|｜](?:/tool_calls?|tool[_▁]calls?[_▁](?:section[_▁])?end|tool[_▁]outputs[_▁]end|'
    r'end_action|action_end|end_tool_result|tool_list_end|eom_id|eot_id|im_end|end|call|'
    r'end▁of▁sentence)[|｜]>',
    re.I,
)
START_OF_ROLE = re.compile(
    r'(?=<[|｜](?:im_start|start|start_header_id|assistant|model|chatbot_token|'
    r'start_of_turn_token)[|｜]>|<start_of_turn>)',
    re.I,
)
END_OF_CHANNEL = re.compile(r'<\|(?:end|return|call)\|>|(?=<\|(?:start|channel)\|>)')
# A whole answer that is one of these is a call, not an answer.
JSON_CALL = re.compile(
    r'[\[{]\s*(?:\{\s*)?"(?:name|function|tool|tool_name|tool_calls|action|recipient_name|'
    r'function_call)"\s*:'
)
JSON_CALL_BEGINS = re.compile(r'[\[{]\s*(?:\{\s*)?(?:"[a-z_]{0,20}"?\s*)?\Z')


# Tags of reasoning and calls with blanks in them, or escaped as HTML: "< think >", "&lt;think&gt;".
_SPACED_NAMES = '|'.join(sorted(THOUGHTS | CALLS, key=lambda name: -len(name)))
SPACED = re.compile(rf'(?:<|&lt;)\s{{0,3}}(/?)\s{{0,3}}({_SPACED_NAMES})\s{{0,3}}(?:>|&gt;)', re.I)
SPACED_BEGINS = re.compile(
    r'(?:<|&lt;)\s{0,3}/?\s{0,3}(?:[A-Za-z_]{1,24}\s{0,3}(?:&(?:gt?)?)?)?\Z|&(?:lt?)?\Z', re.I
)
# Gemma's spare tokens, of which one opens a thought and the next one closes it.
SPARE = re.compile(r'unused\d{1,4}')
OPENS_THOUGHT, CLOSES_THOUGHT = 'unused94', 'unused95'
BYTE = re.compile(r'<0x([0-9A-Fa-f]{2})>')  # a token that is one byte of UTF-8
BYTE_BEGINS = re.compile(r'<(?:0(?:x[0-9A-Fa-f]{0,2})?)?\Z')


def end_of_element(written: str) -> re.Pattern[str]:
    """What closes an element of reasoning or of a call, whose tag has this name."""
    name = written.rpartition(':')[2].lower()
    names = 'think(?:ing)?|thoughts?' if name in ('think', 'thinking', 'thought') else None
    return re.compile(
        rf'(?:<|&lt;)\s{{0,3}}/\s{{0,3}}(?:{re.escape(written)}{"|" + names if names else ""})'
        r'\s{0,3}(?:>|&gt;)',
        re.I,
    )


def tag_name(written: str) -> str:
    """The name of a tag as the lists have it, without the maker's prefix: "seed:think"."""
    return written.split('=')[0].lower().rpartition(':')[2]


def token_name(written: str) -> str:
    """The name of a token as the lists have it."""
    return re.sub(r'[\s▁]+', '_', written.strip().lower())
