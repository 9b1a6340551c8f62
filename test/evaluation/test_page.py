from kame_ros.evaluation.page import Row, page
from kame_ros.evaluation.tables import Table


def test_no_text_of_a_conversation_is_markup():
    evil = '<script>alert(1)</script>'
    table = Table('t', ('a',), ((evil,),), (evil,))
    row = Row(evil, evil, evil, evil, evil, False, -0.25)
    made = page(evil, [evil], [table], [(evil, '<svg></svg>')], [row], [evil])
    assert '<script' not in made
    assert made.count('&lt;script&gt;') == 12
    assert '-0.25 s' in made
    assert 'class="no"' in made


def test_a_table_in_markdown_and_csv():
    table = Table('t', ('a', 'b'), (('1|2', 'x,y'),), ('note',))
    assert '| 1/2 | x,y |' in table.markdown()
    assert table.csv().splitlines() == ['a,b', '1|2,"x,y"']
