import pytest

from kame_ros.text.speakable import left_out, why_not


@pytest.mark.parametrize(
    ('text', 'script'),
    [
        ('Привет, как дела?', 'Cyrillic'),
        ('你好', 'Chinese characters'),
        ('こんにちは', 'Japanese'),
        ('مرحبا', 'Arabic'),
        ('नमस्ते', 'Devanagari'),
    ],
)
def test_a_text_of_which_nothing_is_read_is_refused_with_the_name_of_its_script(text, script):
    assert why_not(text) == (
        f'nothing in it can be spoken by this voice: it reads Latin letters, not {script}'
    )


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('The word is Привет.', '1 word in Cyrillic left out'),
        ('Hi 日本語, Русский язык.', '3 words in Chinese characters and Cyrillic left out'),
        ('Ça va, Zoë? π is 3.14, 5 Ω, 😀.', ''),
        ('Plain.', ''),
        ('<think>Привет</think>Hello.', ''),
    ],
)  # fmt: skip
def test_what_is_left_out_of_a_text_is_told(text, said):
    assert why_not(text) == ''
    assert left_out(text) == said
