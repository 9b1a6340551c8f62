"""A package of somebody else, made of the recipes of CONTRIBUTING.md, as they stand there."""

import sys

import outside

POINTS = """
[kame_ros.end_of_turn]
mine = recipe_end_of_turn:MyEndOfTurn
failing = toy_turns:Failing
nothing = toy_turns:Nothing
words = toy_turns:Nothing

[kame_ros.barge_in]
hall = recipe_barge_in:HALL
number = toy_turns:NUMBER
deaf = toy_turns:deaf
"""
TOYS = """
NUMBER = 7


class Nothing:
    def __init__(self, settings):
        pass


class Failing:
    min_silence_s = 0.1

    def __init__(self, settings):
        pass

    def decide(self, pause):
        raise RuntimeError('no idea')

    def reset(self):
        pass
"""
MODULES = ('recipe_end_of_turn', 'recipe_barge_in', 'toy_turns')


def install(folder):
    """Install it: what comes on the path when the folder does."""
    recipes = {f'recipe_{door}': outside.recipe(door) for door in ('end_of_turn', 'barge_in')}
    outside.install_package(folder, 'toy-turns', {**recipes, 'toy_turns': TOYS}, POINTS)


def forget():
    """The modules are as if they had never been there."""
    for name in MODULES:
        sys.modules.pop(name, None)
