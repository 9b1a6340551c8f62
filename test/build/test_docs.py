"""The pages say what is true: their paths exist, each counter has its line, and they build."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import generated
import outside
import pytest
import yaml
from outside import RECIPES

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob('docs/*.md'),
        *(ROOT / f'{name}.md' for name in ('README', 'CONTRIBUTING', 'SECURITY')),
        ROOT / 'QUALITY_DECLARATION.md',
    ]
)
_SUFFIXES = ('.py', '.yaml', '.yml', '.md', '.txt', '.msg', '.srv', '.action', '.xml', '.wav')
_NAME = re.compile(r'[a-z][a-z0-9_]*')
# In the place of what a reader has of their own.
_EXAMPLES = ('my_', 'oracles/', 'transcripts/', 'audio/', 'data/', 'run/', 'checkpoint/')
_EXAMPLES += ('best/', 'bank/', 'build/', 'kame_ros/ROOM/', 'test/ROOM/')


def paths_in(text):
    """What looks like a path of the repository: in code spans, and behind links."""
    text = re.sub(r'^```.*?^```', '', text, flags=re.DOTALL | re.MULTILINE)
    spans = re.findall(r'`([^`\s]+)`', text)
    links = re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', text)
    for path in spans:
        there = path.startswith('kame_ros/') or path.endswith(('/', *_SUFFIXES))
        if '/' in path and there and re.fullmatch(r'[\w./-]+', path) and path[0] not in '/~':
            yield path
    yield from (link for link in links if '://' not in link and not link.startswith('mailto:'))


def is_there(page, path):
    """A path from the root, from the package or beside the page; a type such as kame_ros/Word."""
    if re.fullmatch(r'kame_ros/[A-Z]\w+', path):
        kind = path.removeprefix('kame_ros/')
        return (ROOT / f'msg/{kind}.msg').is_file() or (ROOT / f'action/{kind}.action').is_file()
    return any((folder / path).exists() for folder in (ROOT, ROOT / 'kame_ros', page.parent))


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_path_of_a_page_exists(page):
    paths = set(paths_in(page.read_text()))
    missing = {path for path in paths if not is_there(page, path)}
    missing -= {path for path in missing if path.startswith(_EXAMPLES)}
    assert not missing, f'{page.name} names what is not there: {", ".join(sorted(missing))}'


def test_paths_are_found_in_spans_and_links():
    text = 'see `kame_ros/x.py`, `audio/mic` and [here](a.md#b), not `a / b` or [it](https://b.c)'
    assert list(paths_in(text)) == ['kame_ros/x.py', 'a.md']


def headings(path):
    """The sections of a page, and the anchors that links to them have."""
    text = re.sub(r'^```.*?^```', '', path.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r'^#+ (.+?) *$', text, re.MULTILINE)
    return {*titles, *(re.sub(r'[^\w -]', '', title.lower()).replace(' ', '-') for title in titles)}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_section_that_a_page_links_to_exists(page):
    for link, section in re.findall(r'\]\(([^)#\s]*)#([^)\s]+)\)', page.read_text()):
        if '://' not in link:
            assert section in headings(page.parent / link if link else page), f'{link}#{section}'


def test_every_section_that_files_name_exists():
    """As in `see "With a GPU" in docs/recipes.md`, and `docs/recipes.md, "With a GPU"`."""
    named = 0
    for path in files_for_people():
        text = path.read_text()
        told = [(b, a) for a, b in re.findall(r'"([^"\n]+)" in ([\w/]+\.md)', text)]
        for page, section in told + re.findall(r'([\w/]+\.md), "([^"\n]+)"', text):
            assert section in headings(ROOT / page), f'{path.name} names "{section}" in {page}'
            named += 1
    assert named >= 2


def test_every_target_of_make_that_files_name_exists():
    targets = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    for path in files_for_people():
        # In a code span, or where a command begins; a word of an English sentence is neither.
        named = re.findall(
            r'(?:`|^[ \t]*|\')make ([a-z]+(?:-[a-z]+)*)', path.read_text(), re.MULTILINE
        )
        assert not set(named) - targets, f'{path.name} names {sorted(set(named) - targets)}'


def files_for_people():
    """Pages, scripts, and the code, whose messages name commands."""
    yield from PAGES
    yield ROOT / 'package.xml'
    for folder, suffix in (('scripts', ''), ('docker', ''), ('kame_ros', '.py')):
        files = (ROOT / folder).rglob(f'*{suffix}')
        yield from (f for f in sorted(files) if f.is_file() and f.suffix != '.pyc')


def test_the_line_of_each_door_leads_to_what_its_recipe_defines():
    lines = re.findall(
        r'^\| `kame_ros\.(\w+)` \| `mine = "my_package\.(\w+):(\w+)"`', RECIPES, re.M
    )
    assert len(lines) == RECIPES.count('<!-- door:') == 6
    for door, module, thing in lines:
        assert module == f'my_{door}'
        assert re.search(rf'^(class )?{thing}\b', outside.recipe(door), re.MULTILINE), door


# Counters --------------------------------------------------------------------------------


def strings(node):
    return (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and type(n.value) is str)


def counters_of_code():
    """Names of counters, from functions `counters`, and tables of names."""
    found = set()
    for path in (ROOT / 'kame_ros').rglob('*.py'):
        if not {'training', 'commands'} & set(path.parts):
            for node in ast.walk(ast.parse(path.read_text())):
                found |= set(_counters(node))
    return found


def _counters(node):
    if isinstance(node, ast.FunctionDef) and node.name == 'counters':
        doc = ast.get_docstring(node, clean=False)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Dict):
                yield from (k.value for k in inner.keys if isinstance(k, ast.Constant))
            elif isinstance(inner, ast.Tuple):
                yield from _words(e.value for e in inner.elts if isinstance(e, ast.Constant))
            elif isinstance(inner, ast.Constant) and inner.value != doc and ' ' in str(inner.value):
                yield from _words([inner.value])
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if names & {'_COUNTERS', '_TOTALS', 'WARN_WHEN_GROWING'}:
            yield from _words(strings(node.value))


def _words(texts):
    return (w for text in texts for w in str(text).split() if _NAME.fullmatch(w))


def counters_of_pages():
    """Names in the first cells of the tables of counters; and those that are said to warn."""
    text = (ROOT / 'docs/faults.md').read_text().partition('## Counters')[2]
    cells = re.findall(r'^\| ([^|]+) \|', text, re.MULTILINE)
    names = {name for cell in cells for name in re.findall(r'`([a-z0-9_]+)`', cell)}
    bold = {name for cell in cells for name in re.findall(r'\*\*`([a-z0-9_]+)`\*\*', cell)}
    return names, bold


def test_every_counter_has_its_line():
    assert sorted(counters_of_code() - counters_of_pages()[0]) == []


def test_no_line_is_of_a_counter_that_is_gone():
    code = '\n'.join(path.read_text() for path in (ROOT / 'kame_ros').rglob('*.py'))
    words = set(_NAME.findall(code))
    # What an Inbox counts has its prefix before it.
    composed = {f'{p}_{s}' for p in words for s in ('queue', 'queue_deepest', 'dropped')}
    assert sorted(counters_of_pages()[0] - words - composed) == []


def test_the_counters_that_warn_are_bold():
    warn = {'callbacks_failed', 'texts_lost', 'bad_messages'}
    for path in (ROOT / 'kame_ros/nodes').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(getattr(t, 'id', '') == 'WARN_WHEN_GROWING' for t in targets):
                    warn |= set(strings(node.value))
    assert sorted(warn ^ counters_of_pages()[1]) == []


def test_sentences_of_faults_are_in_the_code():
    """Each part of a sentence that is written out, as `…` stands for what differs."""
    text = (ROOT / 'docs/faults.md').read_text()
    text = text.partition('## Sentences')[2].partition('## Counters')[0]
    cells = set(re.findall(r'^\| (.+?) \|', text, re.MULTILINE)) - {'the sentence says'}
    code = '\0'.join(
        ' '.join(value.split())
        for path in (ROOT / 'kame_ros').rglob('*.py')
        for value in strings(ast.parse(path.read_text()))
    )
    parts = {part.strip(" ;:,.'()") for cell in cells for part in cell.split('…')}
    assert len(parts) > 40
    assert sorted(part for part in parts if part not in code) == []


# What is generated -----------------------------------------------------------------------


def test_comments_of_messages_stay_with_their_fields(tmp_path):
    file = tmp_path / 'Thing.msg'
    file.write_text(
        '# What it is.\nuint8 DO=0   # begin\n\nstd_msgs/Header header\n'
        'uint32 n      # how many\n              # of them\n# Above it.\nint64 id -1  # which\n'
    )
    (part,) = generated.read_interface(file)
    assert part.text == ['What it is.']
    assert part.constants == [('DO', '0', 'begin')]
    assert part.fields == [
        ('header', 'std_msgs/Header', ''),
        ('n', 'uint32', 'how many of them'),
        ('id', 'int64, default -1', 'Above it. which'),
    ]


def test_every_message_and_action_is_on_the_page():
    text = generated.messages() + generated.services()
    for path in [*ROOT.glob('msg/*.msg'), *ROOT.glob('srv/*.srv'), *ROOT.glob('action/*.action')]:
        assert f'### {path.stem}\n' in text


def test_every_topic_of_the_package_has_a_line():
    """Names that nodes give to publishers, subscriptions and services."""
    page = (ROOT / 'docs/topics.md').read_text()
    call = re.compile(
        r"(?:offer|listen|serve|listen_to_anyone)\((?:\w+, )?[\w.]+, (?:\w+\()?'([\w/]+)'"
    )
    code = '\n'.join(path.read_text() for path in (ROOT / 'kame_ros/nodes').rglob('*.py'))
    names = set(call.findall(code))
    assert len(names) > 10
    assert sorted(name for name in names if f'`{name}`' not in page) == []


def test_every_parameter_has_a_line_with_its_text():
    pytest.importorskip('rclpy')
    nodes = generated.node_parameters()
    assert {'stt', 'oracle', 's2s', 'audio_capture', 'audio_playback'} <= {n for n, *_ in nodes}
    text = generated.parameters()
    for name, what, rows in nodes:
        assert f'## {name}\n' in text
        assert what
        assert 'niceness' in {row.name for row in rows}
        for row in rows:
            assert f'| `{row.name}` |' in text
            assert row.text.strip(), f'{name}.{row.name} is not described'
    (line,) = re.findall(r'^\| `min_silence_s` .*', text, re.MULTILINE)
    assert '| `0.4` | 0.2 to 5 | s |' in line


def test_parameters_that_pages_name_exist():
    pytest.importorskip('rclpy')
    there = {f'{node}.{row.name}' for node, _, rows in generated.node_parameters() for row in rows}
    nodes = {name.partition('.')[0] for name in there}
    span = re.compile(
        rf'(?<![\w./])((?:{"|".join(sorted(nodes))})\.[a-z_]+(?:\.[a-z_]+)*)\b(?=[=`\s\]])'
    )
    for page in PAGES:
        named = set(span.findall(page.read_text()))
        assert sorted(n for n in named - there if not n.endswith('.py')) == [], page.name


def test_defaults_that_pages_tell_are_those_of_the_code():
    """In rows of tables such as | … | `s2s.tts.end_of_turn_s` | 0.6 s |."""
    pytest.importorskip('rclpy')
    there = {f'{n}.{r.name}': r.default for n, _, rows in generated.node_parameters() for r in rows}
    page = (ROOT / 'docs/tuning.md').read_text()
    told = re.findall(r'\| `([\w.]+)` \| ([\d.]+) s \|', page)
    assert len(told) >= 3
    assert [(n, v) for n, v in told if there[n] != f'`{v}`'] == []


def test_every_configuration_is_on_the_page():
    text = generated.configurations()
    for path in ROOT.glob('config/*.yaml'):
        if 'ros__parameters' in path.read_text():
            assert f'## {path.stem}\n' in text


def test_rooms_are_read_from_the_code():
    imports = generated.imports_of_rooms()
    assert 'text' in imports['oracle']
    assert 'nodes' not in imports['oracle']


# The site, and the files beside it ---------------------------------------------------------


def test_the_site_builds_without_a_warning(tmp_path):
    for module in ('sphinx', 'myst_parser', 'sphinx_rtd_theme'):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed: make setup-docs')
    build = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q']
    folders = [str(ROOT / 'docs'), str(tmp_path / 'site')]
    done = subprocess.run(
        [*build, '-d', str(tmp_path / 'trees'), *folders],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    pages = {path.stem for path in (tmp_path / 'site').glob('*.html')}
    assert {page.stem for page in ROOT.glob('docs/*.md')} <= pages
    for path in (tmp_path / 'site').glob('*.html'):
        loaded = re.findall(r'(?:src|<link[^>]*href)="(https?:[^"]+)"', path.read_text())
        assert not loaded, f'{path.name} needs the network to be read: {loaded}'
        assert '<!-- generated' not in path.read_text()


def test_changelog_is_one_that_catkin_reads():
    """As it is once `catkin_prepare_release` has put a version in the place of Forthcoming."""
    changelog = pytest.importorskip('catkin_pkg.changelog')
    text = (ROOT / 'CHANGELOG.rst').read_text()
    released = text.replace('Forthcoming\n-----------', '0.1.0 (2026-11-25)\n------------------')
    read = changelog.Changelog('kame_ros')
    changelog.populate_changelog_from_rst(read, released)
    versions = {version: contents for version, _, contents in read.foreach_version()}
    assert '0.1.0' in versions
    assert all(contents for contents in versions.values())


def test_hooks_use_the_tools_of_the_venv():
    hooks = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos'][0]['hooks']
    makefile = (ROOT / 'Makefile').read_text()
    for hook in hooks:
        tool = hook['entry'].split()[0].removeprefix('.venv/bin/')
        assert f'$(RUN)/{tool}' in makefile


def test_the_linter_sees_every_file():
    ruff = Path(sys.executable).with_name('ruff')
    if not ruff.exists():
        pytest.skip('ruff is not installed: make setup-test')
    done = subprocess.run(
        [ruff, 'check', '--show-files', '.'], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seen = {Path(line) for line in done.stdout.splitlines()}
    folders = ('kame_ros', 'test', 'benchmarks', 'docs', 'launch', 'examples')
    files = {path for folder in folders for path in (ROOT / folder).rglob('*.py')}
    assert len(files) > 500
    assert sorted(files - seen) == []


def test_rosdoc2_finds_the_pages():
    settings, *_ = yaml.safe_load_all((ROOT / 'rosdoc2.yaml').read_text().split('---', 1)[1])
    (sphinx,) = settings['builders']
    assert (ROOT / sphinx['sphinx']['sphinx_sourcedir'] / 'conf.py').is_file()


def test_each_door_has_a_recipe():
    text = (ROOT / 'CONTRIBUTING.md').read_text()
    marks = re.findall(r'<!-- door: (\w+) -->', text)
    assert marks == ['llm', 'stt', 'front_end', 'end_of_turn', 'barge_in', 'consumer']
    for mark in marks:
        assert f'Group `kame_ros.{mark}`' in text
