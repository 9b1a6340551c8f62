import json

from kame_ros.text.json_lines import json_lines

TEXT = 'a\u2028b\u2029c\x85d'  # what a web page may have for line breaks


def test_only_a_line_break_ends_a_line():
    rows = [{'text': TEXT}, {'text': ''}]
    written = ''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows)
    assert [json.loads(line) for line in json_lines(written)] == rows
    assert [json.loads(line) for line in json_lines(written.replace('\n', '\r\n'))] == rows
    assert json_lines('1\n\n2') == ['1', '', '2']
    assert json_lines('') == []
