"""How the `tts` front-end gives way to the user: first quieter, then silent, then it stops."""

from kame_ros.turns.barge_in import BargeInProfile

TTS = BargeInProfile(hold_s=0.2, stop_s=0.7, words_s=1.2, duck_gain=0.25)
