from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.text.markup import Markup, plain

FORMS = [
    ('<minimax:tool_call>x</minimax:tool_call>Yes.', 'Yes.'),
    ('<thinking_process>x</thinking_process>Yes.', 'Yes.'),
    ('<observation>x</observation>Yes.', 'Yes.'),
    ('[think]x[/think]Yes.', 'Yes.'),
    ('[CLS] Yes. [SEP]', 'Yes.'),
    ('if a<b and c>d', 'if a <b and c>d'),
    ('mail <me@x.org> now', 'mail me@x.org now'),
    ('>= 5 people', '>= 5 people'),
    ('<summary>More</summary>Text', 'More. Text'),
    # of models
    ('Paris.<|im_end|>', 'Paris.'),
    ('Paris.<|endoftext|>', 'Paris.'),
    ('Paris.<|eot_id|>', 'Paris.'),
    ('Paris.<｜end▁of▁sentence｜>', 'Paris.'),
    ('<s>Paris.</s>', 'Paris.'),
    ('<bos>Paris.<eos>', 'Paris.'),
    ('<start_of_turn>model\nParis.<end_of_turn>', 'Paris.'),
    ('<|im_start|>assistant\nParis.<|im_end|>', 'Paris.'),
    ('Hi.<|im_end|>\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\nYes.', 'Hi. Yes.'),
    ('<|start_header_id|>assistant<|end_header_id|>\n\nParis.<|eot_id|>', 'Paris.'),
    ('[INST] <<SYS>> x <</SYS>> [/INST] Paris.', 'x Paris.'),
    ('<|assistant|>Paris.<|user|>More?', 'Paris.'),
    ('<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>Paris.<|END_OF_TURN_TOKEN|>', 'Paris.'),
    (
        '<|channel|>analysis<|message|>The user asks.<|end|>'
        '<|start|>assistant<|channel|>final<|message|>Paris.<|return|>',
        'Paris.',
    ),
    ('<|channel|>commentary<|message|>One moment.<|end|>', 'One moment.'),
    ('<|channel|>commentary to=functions.go <|constrain|>json<|message|>{"a": 1}<|call|>', ''),
    # reasoning
    ('<think>hm</think>Paris.', 'Paris.'),
    ('<THINK>hm</THINK>Paris.', 'Paris.'),
    ('<reasoning effort="low">hm</reasoning> Paris.', 'Paris.'),
    ('[THINK]hm[/THINK]Paris.', 'Paris.'),
    ('◁think▷hm◁/think▷Paris.', 'Paris.'),
    ('<|START_THINKING|>hm<|END_THINKING|>Paris.', 'Paris.'),
    ('<seed:think>hm</seed:think>Paris.', 'Paris.'),
    ('Well, hm.\n</think>\n\nParis.', 'Paris.'),
    ('Well, hm. [/THINK] Paris.', 'Paris.'),
    ('Paris.<think>is it?', 'Paris.'),
    # calls of tools
    ('<tool_call>{"name": "go"}</tool_call>', ''),
    ('<function=go>{"x": 1}</function> Paris.', 'Paris.'),
    ('[TOOL_CALLS][{"name": "go", "arguments": {}}]', ''),
    ('<|python_tag|>go(x=1)<|eom_id|>', ''),
    ('<｜tool▁calls▁begin｜>go<｜tool▁calls▁end｜>Paris.', 'Paris.'),
    ('<|tool_calls_section_begin|>go<|tool_calls_section_end|>Paris.', 'Paris.'),
    ('{"name": "go", "arguments": {}}', ''),
    ('[{"function": "go"}]', ''),
    ('```json\n{"name": "go"}\n```', ''),
    # as Python writes them, with blanks, escaped, as tokens
    ('[get_weather(city="Paris")]', ''),
    ('[get_weather(city="Paris"), get_time()]\nYes.', 'Yes.'),
    ('get_weather(city="Paris")', ''),
    ('print(get_weather(city="Paris"))', ''),
    ('print(default_api.get_weather(city="Paris"))\nIt is warm.', 'It is warm.'),
    ('print(get_time())', ''),
    ('tool_code\nprint(weather.get(city="Paris"))\nIt is warm.', 'It is warm.'),
    # what is done and not said
    ('*smiles warmly* Hello!', 'Hello!'),
    ('Paris. *waves*', 'Paris.'),
    ("Hmm, *thinks for a moment* it's Paris.", "Hmm, it's Paris."),
    ('[laughs softly] Hello [pause] there.', 'Hello there.'),
    ('She *smiles* a lot. *Always* smile.', 'She smiles a lot. Always smile.'),
    ('*waves are high* is in italics', 'waves are high is in italics'),
    ('*looking* forward to [pause](http://x.org)', 'looking forward to pause'),
    ('print(dumps(get_weather(city="Paris (old)"), indent=2))\nYes.', 'Yes.'),
    ('weather = get_weather(city="Paris")\nYes.', 'Yes.'),
    ('await robot.go_to(place="the old kitchen")', ''),
    ('weather is what (city="Paris") has.', 'weather is what (city="Paris") has.'),
    ('x = f(y) is a line.', 'x = f(y) is a line.'),
    ('sin(cos(x)) is small.', 'sin(cos(x)) is small.'),
    ('print is a word.', 'print is a word.'),
    ('robot.go_to(place="kitchen")\nI am coming.', 'I am coming.'),
    ('Let me see.\n{"name": "get", "arguments": {}}\n\nIt rains.', 'Let me see. It rains.'),
    ('Thought: I need it.\nFinal Answer: Paris', 'Paris'),
    ('Thought: x\nAction: get\nAction Input: {}\nObservation: y\nAnswer: Rome', 'Rome'),
    ('< think >hm</ think >Paris.', 'Paris.'),
    ('<Think >\nhm\n< / THINK >\nParis.', 'Paris.'),
    ('&lt;think&gt;hm&lt;/think&gt;Paris', 'Paris'),
    ('<think>hm</thinking>Paris.', 'Paris.'),
    ('<unused94>thought\nhm<unused95>Paris.', 'Paris.'),
    ('<0x0A>Paris', 'Paris'),
    ('Paris<0x0A><0x0A>Rome', 'Paris. Rome'),
    ('caf<0xC3><0xA9>', 'café'),
    ('5 <0xE2><0x82><0xAC>', '5 €'),
    ('ĠParis Ġis Ġnice', 'Paris is nice'),
    ('ĠParisĠisĠnice.', 'Paris is nice.'),
    ('ParisĊĊRome', 'Paris. Rome'),
    ('▁Paris▁is▁nice', 'Paris is nice'),
    ('Ġorġ went', 'Ġorġ went'),
    # labels
    ('Assistant: Paris.', 'Paris.'),
    ('AI: Paris is it.', 'Paris is it.'),
    ('**Answer:** 42.', '42.'),
    ('Final answer: 42', '42'),
    ('<think>hm</think>\n\n**Final Answer:** 42', '42'),
    ('Note: it is late', 'Note: it is late'),
    ('AI is old: it began in 1956', 'AI is old: it began in 1956'),
    # fences
    ('```\nParis\n```', 'Paris'),
    ('```text\nParis\n```', 'Paris'),
    ('```markdown\n# Cities\n- Paris\n```', 'Cities. Paris.'),
    ('~~~\nHello\n~~~\nBye', 'Hello. Bye'),
    ('```python\nprint(1)\n```', ''),
    ('Try:\n```\npip install kame\n```\nDone.', 'Try: Done.'),
    ('```\nfor (i = 0; i < 5; i++) {\n```\nDone.', 'Done.'),
    ('Use ```ls``` now', 'Use ls now'),
    # below and above the line, formulas
    ('H~2~O', 'H2O'),
    ('x^2^ + y^2^', 'x^2 + y^2'),
    ('the 1^st^ place', 'the 1st place'),
    (r'$\frac{1}{2}$ cup', '1/2 cup'),
    (r'\frac{a}{b}', 'a over b'),
    (r'$\sqrt[3]{27} = 3$', 'the cube root of 27 = 3'),
    (r'$x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$', 'x = −b ± the square root of b^2 − 4ac over 2a'),
    (r'\[ \int_0^1 x^2 dx \]', 'the integral from 0 to 1 of x^2 d x'),
    (r'\sum_{i=1}^{n} i', 'the sum from i = 1 to n of i'),
    ('$f(x) = 2x + 3$', 'f of x = 2x + 3'),
    (r'$90^\circ$', '90°'),
    ('$5$ apples', '5 apples'),
    ('It costs $5 and $10.', 'It costs $5 and $10.'),
    ('$5-$10, or $9/month', '$5-$10, or $9/month'),
    # Markdown
    ('See [the docs](https://x.org/a) now.', 'See the docs now.'),
    ('See [the docs](https://x.org/a_(b) "title") now.', 'See the docs now.'),
    ('See [the docs][1] and ![a cat](cat.png).', 'See the docs and a cat.'),
    ('Paris [1].', 'Paris.'),
    ('Paris【4†source】.', 'Paris.'),
    ('the list [2, 3]', 'the list 2, 3'),
    ('**Paris** is *the* `capital`, __really__, ~~not~~.', 'Paris is the capital, really, not.'),
    ('***Paris***', 'Paris'),
    ('# Cities\nParis', 'Cities. Paris'),
    ('Cities\n======\nParis', 'Cities. Paris'),
    ('- Paris\n- Rome', 'Paris. Rome'),
    ('* Paris\n* Rome.\n\nThat is all', 'Paris. Rome. That is all'),
    ('1. Open it\n2. Go', '1. Open it. 2. Go'),
    ('- [x] milk\n- [ ] eggs', 'milk. eggs'),
    ('> quoted\n> more', 'quoted more'),
    ('one\n\n---\n\ntwo', 'one. two'),
    ('| Name | Age |\n|---|:--:|\n| Bob | 5 |\n', 'Name, Age. Bob, 5.'),
    ('Here:\n```python\nprint(1)\n```\nDone.', 'Here: Done.'),
    ('First\n\nSecond', 'First. Second'),
    ('hard  \nwrapped', 'hard wrapped'),
    (r'3 \* 4 and \_x\_', '3 * 4 and _x_'),
    (r'one\ntwo\nThree', 'one two Three'),
    ('3*4=12', '3*4=12'),
    ('3 * 4 = 12', '3 * 4 = 12'),
    ('2**10', '2**10'),
    ('x*y', 'x*y'),
    ('snake_case', 'snake_case'),
    ('~5 and 3~5', '~5 and 3~5'),
    ('-5 degrees', '-5 degrees'),
    (r'\( \frac{1}{2} \times 3 \)', '1/2 × 3'),
    (r'\sqrt{16} \approx 4', '√16 ≈ 4'),
    (r'20^{\circ}C', '20^°C'),
    # HTML and SSML
    ('Hi<br>there', 'Hi there'),
    ('<p>Hi</p><p>there</p>', 'Hi. there'),
    ('<ul><li>One</li><li>Two</li></ul>', 'One. Two'),
    ('The <b>bold</b> <i class="x">one</i>', 'The bold one'),
    ('<a href="https://x.org">the docs</a>', 'the docs'),
    ('Tom &amp; Jerry&#39;s &lt;3', "Tom & Jerry's < 3"),
    ('caf&eacute; &#x1F600;', 'café'),
    ('x<sup>2</sup> and H<sub>2</sub>O', 'x^2 and H2O'),
    ('a<!-- no -->b', 'ab'),
    ('<script>alert(1)</script>Hi', 'Hi'),
    ('<img alt="a cat" src="x">', 'a cat'),
    ("<speak>Hello <break time='1s'/> world.</speak>", 'Hello, world.'),
    ('<prosody rate="slow">Hello</prosody>', 'Hello'),
    ('<sub alias="World Wide Web">WWW</sub>', 'World Wide Web'),
    ('5 < 7 and 8 > 2', '5 < 7 and 8 > 2'),
    ('x <y and z> w', 'x <y and z> w'),
    ('I <3 you', 'I <3 you'),
    ('<https://ros.org>', 'https://ros.org'),
    # characters
    ('a\u200bb\u202ec\x00d\ue000', 'abcd'),
    ('\x1b[31mred\x1b[0m', 'red'),
    ('no\u00a0break\u2028line\tend', 'no break line end'),
    ('half \ud800 a character', 'half a character'),
    ('smile 😀 👨‍👩‍👧 ❤️', 'smile'),
    ('20 °C → 25 °C', '20 °C → 25 °C'),
]


def read(pieces, **options) -> tuple[str, list[str], int, int]:
    markup, said = Markup(**options), ''
    for give in (*(lambda p=p: markup.push(p) for p in pieces), markup.flush):
        before, part = markup.restarts, give()
        said = part if markup.restarts > before else said + part
    return said, markup.requests, markup.thoughts, markup.calls


@pytest.mark.parametrize('size', [1, 2, 5, 1000])
@pytest.mark.parametrize(('written', 'left'), FORMS)
def test_what_is_left_of_a_text(written: str, left: str, size: int) -> None:
    pieces = [written[i : i + size] for i in range(0, len(written), size)]
    assert ' '.join(read(pieces)[0].split()).replace(' ,', ',').replace(' .', '.') == left


@pytest.mark.parametrize(('written', 'left'), FORMS)
def test_what_is_plain_stays_as_it_is(written: str, left: str) -> None:
    once = plain(written).strip()
    if '_' not in left and '*' not in left:
        assert plain(once).strip() == once


@pytest.mark.parametrize(
    ('written', 'thoughts', 'calls'),
    [
        ('<think>a</think><think>b</think>c', 2, 0),
        ('a</think>b', 1, 0),
        ('<tool_call>a</tool_call><function=x>b</function>', 0, 2),
        ('plain', 0, 0),
    ],
)
def test_what_was_left_out_is_counted(written: str, thoughts: int, calls: int) -> None:
    assert read([written])[2:] == (thoughts, calls)


def test_requests_are_taken_out_whole_and_bounded() -> None:
    pieces = ['go <act', 'ion>{"na', 'me": "go"}</acti', 'on>']
    request = ('<action>', '</action>')
    assert read(pieces, request=request)[:2] == ('go ', ['{"name": "go"}'])
    markup = Markup(request=request)
    for _ in range(50):
        markup.push('<action>{}</action>')
    assert len(markup.requests) == 8
    markup = Markup(request=request)
    for _ in range(1000):
        markup.push('<action>' + 'x' * 1000)
    assert len(markup._inside) < 9000


def test_plain_prose_is_given_at_once() -> None:
    markup = Markup()
    pieces = ['The', ' capital', ' of', ' France', ' is', ' Paris', '.', ' It', ' is', ' old.']
    assert [markup.push(piece) for piece in pieces] == pieces


_FRAGMENTS = st.sampled_from(
    ['<', '>', '<think>', '</think>', '<|im_end|>', '<|im_start|>', 'user', 'assistant\n', '[', ']',
     '<|channel|>', 'analysis', 'final', '<|message|>', '<|end|>', '(', ')', '](', 'http://a.b/c',
     '*', '**', '_', '`', '```', '~', '|', '\\', '&', '&lt;', ';', '\n', '\r', '\r\n', '- ', '# ',
     '1. ', '| a | b |\n', '|---|\n', '---', '===', 'a', 'b c', '12', '3', '.', '!', '![',
     ' ', '  ',
     '\x1b[0m', '\x1b', '{', '}', '"name":', '{"name": "x"}', '<br>', '<b>', '</b>', '<a href="x">',
     '<y and', '\\frac{1}{2}', '\\n', '\u200b', '😀', '你好', '[1]', '[THINK]', '[/THINK]',
     '【', '】',
     '◁think▷', '◁/think▷', '<tool_call>', '</tool_call>', '<action>', '</action>', '<s>', '[INST]',
     '$', '$x^2$', '$5 ', '^', '^2^', '~2~', 'H~', 'Ġ', 'Ċ', '<0x0A>', '<0xC3>', '<0xA9>',
     '<unused94>',
     '<unused95>', '< think >', '</ think >', '&lt;think&gt;', '```\n', 'Answer: ', 'Assistant:',
     'Thought: ', '\nAnswer:', '[go_to(x=', 'go_to("a")', ')]', '\\(', '\\)', '\\[', '\\]', 'def f',
     'print(1)', '▁',
     '"', "'", '=', '<!--', '-->', '<p>', '<td>', '<break time="1s"/>', '+', '5', 'x', '\ud800',
     '*smiles', ' softly*', '[pause', 'laughs', ' Hello', 'tool_code\n', ', ']
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(_FRAGMENTS, max_size=14).map(''.join) | st.text(max_size=40),
    st.lists(st.integers(0, 200), max_size=12),
    st.booleans(),
)
def test_how_a_text_is_cut_into_pieces_does_not_matter(
    text: str, cuts: list[int], actions: bool
) -> None:
    options = {'request': ('<action>', '</action>')} if actions else {}
    at = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[a:b] for a, b in itertools.pairwise(at)]
    assert read(pieces, **options) == read([text], **options) == read(list(text), **options)


@pytest.mark.parametrize(
    'unit',
    ['<', '[', '*', '&', '\\', '`', '|', '<a ', '{"', '<think>', 'a<b ', '# ', '- ', '\x1b['],
)
def test_long_texts_take_a_bounded_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    looks = 0

    class Counted(Markup):
        def _step(self, final: bool) -> bool:
            nonlocal looks
            looks += 1
            return super()._step(final)

    markup = Counted()
    for start in range(0, len(text), 4096):
        markup.push(text[start : start + 4096])
        assert len(markup._rest) <= 8_192 or unit in '*`'
    markup.flush()
    assert looks <= len(text) + 200
