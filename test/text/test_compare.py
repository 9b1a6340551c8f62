from kame_ros.text.compare import normalise, word_count


def test_texts_are_compared_by_their_words():
    assert normalise("What's  the CAPITAL,\n of France?") == 'whats the capital of france'
    assert word_count("I don't know.") == 3
