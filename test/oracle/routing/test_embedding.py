"""The router with a real embedding model, where there is one."""

import os
from pathlib import Path

import pytest

from kame_ros.oracle.routing.embedding import NAME, MiniLm
from kame_ros.oracle.routing.router import Route, Router
from kame_ros.runtime.weights import KNOWN

pytestmark = pytest.mark.models
ROUTES = (
    Route(
        'reasoning', 1,
        examples=(
            'If a train leaves at noon and travels sixty miles an hour, when does it arrive?',
            'I have five apples and give two away, how many are left?',
            'Which of these two statements must be false?',
            'How much is fifteen percent of eighty?',
        ),
    ),
    Route(
        'humanities', 2,
        examples=(
            'What did Plato think about justice?',
            'Tell me about the art of the Renaissance.',
            'Why did the Roman empire fall?',
            'What is the meaning of this poem by Goethe?',
        ),
    ),
    Route(
        'body', 3,
        examples=(
            'How full is your battery?', 'Go to the kitchen.', 'Can you wave your arm?',
            'Where are you now?',
        ),
    ),
)  # fmt: skip
HELD_OUT = (
    ('Three friends share twelve cookies, how many does each of them get?', 'reasoning'),
    ('A car needs two hours for ninety miles, how fast is it going?', 'reasoning'),
    ('If all cats are animals, is every animal a cat?', 'reasoning'),
    ('What caused the French revolution and who led it?', 'humanities'),
    ('Can you explain what Kant wrote about ethics and duty?', 'humanities'),
    ('Who were the most important painters of the baroque?', 'humanities'),
    ('Please drive forward to the door and wait there.', 'body'),
    ('Do you need to be charged soon, what is your battery level?', 'body'),
    ('Raise your left arm as high as you can.', 'body'),
)


@pytest.fixture(scope='module')
def embed():
    if folder := os.environ.get('KAME_MINILM'):  # another file of it
        return MiniLm(Path(folder) / 'model.onnx', Path(folder) / 'tokenizer.json')
    if not KNOWN[NAME].present:
        pytest.skip(f'NOT TESTED: the router with an embedding model. {KNOWN[NAME].install}')
    return MiniLm.packaged()


def test_vectors_have_length_one_and_like_means_near(embed):
    a, b, c = embed(['The cat sleeps.', 'A cat is asleep.', 'Stocks fell on Monday.'])
    assert sum(x * x for x in a) == pytest.approx(1.0, abs=1e-5)
    near = sum(x * y for x, y in zip(a, b, strict=True))
    far = sum(x * y for x, y in zip(a, c, strict=True))
    assert near > far + 0.3


def test_the_pair_that_its_documentation_has(embed):
    """sbert.net, of all-MiniLM-L6-v2: 0.7553."""
    a, b = embed(['A man is eating food.', 'A man is eating a piece of bread.'])
    assert sum(x * y for x, y in zip(a, b, strict=True)) == pytest.approx(0.7553, abs=2e-4)


def test_a_text_of_any_length_has_a_vector(embed):
    for text in ('', 'word ' * 1000, '\n\t', '\U0001f600'):
        (vector,) = embed([text])
        assert len(vector) == 384
        assert sum(x * x for x in vector) == pytest.approx(1.0, abs=1e-5)


def test_questions_it_has_not_seen_go_to_the_right_class(embed):
    router = Router(ROUTES, embed=embed)
    right = sum(router.classify(text) == name for text, name in HELD_OUT)
    early = sum(router.classify(' '.join(t.split()[:8])) == name for t, name in HELD_OUT)
    assert right >= 8
    assert early >= 7


def test_a_missing_model_is_told():
    with pytest.raises(FileNotFoundError, match='router'):
        MiniLm(Path('/nowhere/model.onnx'), Path('/nowhere/tokenizer.json'))


def test_a_file_of_another_kind_is_told(tmp_path):
    import numpy as np
    from safetensors.numpy import save_file

    (tmp_path / 'tokenizer.json').write_text('{}')
    model = tmp_path / 'model.safetensors'
    model.write_bytes(b'nothing')
    with pytest.raises(ValueError, match='no safetensors file'):
        MiniLm(model, tmp_path / 'tokenizer.json')
    save_file({'a': np.zeros(2, np.float32)}, model)
    with pytest.raises(ValueError, match='holds no BERT'):
        MiniLm(model, tmp_path / 'tokenizer.json')
