import pytest
import yaml

from kame_ros.settings.parameter_file import BadParameterFile, Section, parse, write


@pytest.mark.parametrize(
    ('pattern', 'name', 'fits'),
    [
        ('/**', '/robot/stt', True),
        ('/**/stt', '/robot/stt', True),
        ('/**/stt', '/stt', True),
        ('/**/stt', '/fleet/r1/stt', True),
        ('/*/stt', '/robot/stt', True),
        ('/*/stt', '/fleet/r1/stt', False),
        ('/r1/stt', '/robot/stt', False),
        ('/r1/stt', '/r1/stt', True),
        ('/r1/**', '/r1/stt', True),
        ('stt', '/robot/stt', True),
        ('**', '/robot/stt', True),
        ('oracle', '/robot/stt', False),
        ('/robot', '/robot/stt', False),
    ],
)
def test_which_node_a_section_is_for(pattern, name, fits):
    assert Section(pattern).fits(name) is fits


def test_words_keep_their_spelling_where_it_could_be_lost():
    text = (
        'stt: {ros__parameters: {a: no, b: 007, c: 1e3, d: 0.4, e: true, f: , g: "2", h: [on, 2]}}'
    )
    (section,) = parse(text, 'x')
    expected = {'a': 'no', 'b': '007', 'c': '1e3', 'd': 0.4, 'e': True, 'f': '', 'g': '2'}
    assert section.parameters == {**expected, 'h': ['on', 2]}
    (section,) = parse(text, 'x', as_typed=True)
    assert section.parameters == {**expected, 'd': '0.4', 'e': 'true', 'h': ['on', '2']}


def test_namespaces_may_be_nested_and_sections_for_all_come_first():
    text = """
    robot: {stt: {ros__parameters: {a: 1}}, oracle: {ros__parameters: {b: 2}}}
    /**: {ros__parameters: {c: {d: 3}}}
    """
    assert parse(text, 'x') == [
        Section('/**', {'c.d': 3}),
        Section('robot/stt', {'a': 1}),
        Section('robot/oracle', {'b': 2}),
    ]


@pytest.mark.parametrize(
    'text',
    [
        *('', '[1]', 'a', '{', 'a: [', 'stt: 3', 'stt: {a: 1}', '@', '\0', '? [a]: b', '&a [*a]'),
        'stt: {ros__parameters: [1]}',
        'stt: {ros__parameters: {a: You are: b}}',
        '!!python/object:os.system x',
        'stt: &a {b: *a}',
        'stt: {ros__parameters: &a {b: *a}}',
        *(
            f'stt: {{ros__parameters: {{a: !!{tag} "{value}"}}}}'
            for tag in ('bool', 'int', 'float', 'timestamp')
            for value in ('', 'maybe')
        ),
    ],
)
def test_what_is_no_parameter_file_is_one_sentence(text):
    with pytest.raises(BadParameterFile, match='mine') as caught:
        parse(text, 'mine')
    assert '\n' not in str(caught.value)


def test_what_is_written_is_read_again_by_any_reader():
    values = {'a': 'no', 'b': '1e3', 'c': 'You are Kim: a robot', 'd': '', 'e': 0.5, 'f': [' x']}
    text = write([Section('/**', values)])
    assert parse(text, 'x')[0].parameters == values
    assert yaml.safe_load(text)['/**']['ros__parameters'] == values


@pytest.mark.parametrize(
    'text',
    [
        '/**:\n  ros__parameters: {a: 1}\n/**:\n  ros__parameters: {b: 1}\n',
        'stt:\n  ros__parameters: {a: 1}\nstt:\n  ros__parameters: {b: 1}\n',
        'stt:\n  ros__parameters:\n    a: 1\n    a: 2\n',
        'stt:\n  ros__parameters:\n    a.b: 1\n    a: {b: 2}\n',
        'stt:\n  ros__parameters:\n    a: {b: 1}\n    a.b: 2\n',
        'r: {stt: {ros__parameters: {a: 1}}, stt: {ros__parameters: {a: 2}}}\n',
    ],
)
def test_nothing_that_is_given_twice_is_lost_silently(text):
    for as_typed in (False, True):
        with pytest.raises(BadParameterFile, match=r'mine\.yaml.* is given twice') as caught:
            parse(text, 'mine.yaml', as_typed=as_typed)
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('parts', ['bcde', 'b'])
def test_aliases_may_not_stand_for_more_than_memory_holds(parts):
    lines = ['/**:', '  ros__parameters:', '    a0: &a0 {b: x}']
    for i in range(1, 30):
        inner = ', '.join(f'{part}: *a{i - 1}' for part in parts)
        lines.append(f'    a{i}: &a{i} {{{inner}}}')
    if len(parts) == 1:  # a few are nobody's fault
        assert len(parse('\n'.join(lines), 'mine.yaml')[0].parameters) == 30
        return
    with pytest.raises(BadParameterFile, match=r'mine\.yaml.* more than 100000 values') as caught:
        parse('\n'.join(lines), 'mine.yaml')
    assert '\n' not in str(caught.value)


def test_a_merge_key_may_be_overridden():
    text = 'x: &x {ros__parameters: {a: 1}}\nstt:\n  <<: *x\n  ros__parameters: {a: 2}\n'
    assert parse(text, 'mine.yaml')[1].parameters == {'a': 2}
