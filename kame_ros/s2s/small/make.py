"""Makes the `small` front-end of the parameters of its node."""

from __future__ import annotations

import logging
import secrets

from kame_ros.runtime import weights
from kame_ros.s2s.front_ends import FrontEndSettings
from kame_ros.s2s.small.can_run import folder_of
from kame_ros.s2s.small.config import SmallConfig
from kame_ros.s2s.small.front_end import SmallFrontEnd
from kame_ros.s2s.small.heard_end import HeardEnd
from kame_ros.s2s.small.model import SmallModel
from kame_ros.s2s.small.own_words import OwnWords
from kame_ros.s2s.small.phrases import OWN_PHRASES
from kame_ros.s2s.small.pieces import Pieces
from kame_ros.s2s.small.pronounce import Pronouncer, hibari_phonemes
from kame_ros.s2s.small.step import Stepper
from kame_ros.s2s.small.turn_end import FILE as TURN_END
from kame_ros.s2s.small.turn_end import TurnEndHead, TurnEndWeights
from kame_ros.s2s.small.unit_decoder import UnitDecoder
from kame_ros.s2s.small.window import OracleWindow
from kame_ros.turns import profiles
from kame_ros.turns.end_of_turn import EndOfTurn
from kame_ros.turns.vad import SileroVad, Vad

log = logging.getLogger(__name__)


def make(settings: FrontEndSettings) -> SmallFrontEnd:
    """Loads the model, the voice and the ear; raises as `build`."""
    config: SmallConfig = settings.filled('small', SmallConfig)
    strategy = config.strategy()  # refuses what needs an ear where none is wanted
    return build(config, SileroVad() if config.barge_in else None, strategy)


def build(
    config: SmallConfig, vad: Vad | None = None, end_of_turn: EndOfTurn | None = None
) -> SmallFrontEnd:
    """Loads the model in about 2 s and gives the front-end; call `warm_up` next.

    With a `vad`, such as `SileroVad()`, it gives way to a user who speaks over the robot; an
    `end_of_turn` then takes the place of the configured one. Without one it hears no turn, and may
    always speak. Raises MissingWeights or CorruptWeights, ValueError or ImportError for a barge-in
    profile that is none.
    """
    profile = profiles.load(config.barge_in_profile)
    if vad is not None and end_of_turn is None:
        end_of_turn = config.strategy()
    folder = folder_of(config.weights)
    model = SmallModel.load(folder)
    head = TurnEndWeights.load(folder, model.size.dim)
    waits = end_of_turn is not None and config.speak != 'always'
    if end_of_turn is not None and waits and head is not None:
        end_of_turn = HeardEnd(TurnEndHead(head), end_of_turn, config.quickness)
    elif waits:
        log.warning(
            'the end of a turn is told by %s alone: there is no %s in %s, so kame-small cannot '
            'hear it',
            config.end_of_turn,
            TURN_END,
            folder,
        )
    pieces = Pieces.load()
    if model.size.pieces != len(pieces.names):
        raise weights.CorruptWeights(
            f'the model in {folder} has {model.size.pieces} pieces of pronunciation, this version '
            f'of kame_ros {len(pieces.names)}: they do not belong together'
        )
    pronouncer = Pronouncer(hibari_phonemes(), pieces.encode)
    own = OwnWords((words, pronouncer.pieces(words)) for words in map(str.split, OWN_PHRASES))
    return SmallFrontEnd(
        Stepper(model, config.choosing(seed=secrets.randbits(32))),
        OracleWindow(pronouncer.pieces, pieces.END, own, model.size.ahead),
        UnitDecoder(),
        vad,
        profile,
        end_of_turn,
        speak=config.speak if vad is not None else 'always',
        hush_s=config.hush_s,
        patience_s=config.patience_s,
        newer_answer_s=config.newer_answer_s,
    )
