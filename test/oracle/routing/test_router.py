"""Which LLM fits a question."""

from kame_ros.oracle.routing.router import Route, Router

ROUTES = (
    Route('reasoning', 1, ('how many', 'solve', 'prove')),
    Route('humanities', 2, ('history', 'poem', 'novel')),
)


def test_rules_choose_by_keywords_and_whole_words_only():
    router = Router(ROUTES)
    assert router.classify('Solve this: how many apples are left?') == 'reasoning'
    assert router.classify('Tell me about the history of Rome.') == 'humanities'
    assert router.classify('resolved prehistory') == ''


def test_the_choice_is_made_at_eight_words_and_held_for_the_turn():
    router = Router(ROUTES)
    assert router.choose(0, 'solve', final=False) == 0
    eight = 'so can you solve this for me please'
    assert router.choose(0, eight, final=False) == 1
    assert router.choose(0, eight + ' history poem novel history', final=True) == 1
    assert router.choose(1, 'a poem', final=True) == 2
    assert router.choose(2, 'hello', final=True) == 0


def test_an_embedding_chooses_the_nearest_class():
    def embed(texts):
        return [[float('number' in t), float('art' in t)] for t in texts]

    routes = (
        Route('reasoning', 1, examples=('a number', 'number two')),
        Route('humanities', 2, examples=('art', 'fine art')),
    )
    assert Router(routes, embed=embed).choose(0, 'the art of war', final=True) == 2
