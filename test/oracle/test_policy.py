"""The restart policy, case by case, on a virtual clock."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.oracle.decision import Adopt, Cancel, Clear, Confirm, GiveUp, Start
from kame_ros.oracle.policy import OraclePolicy
from kame_ros.oracle.policy_config import PolicyConfig
from kame_ros.oracle.words import normalise
from kame_ros.stt.transcript import Transcript


def heard(revision, text, committed=None, final=False, utterance=0):
    """A transcript of which the first `committed` words (all but the last) are sure."""
    words = text.split()
    sure = len(words) - 1 if committed is None else committed
    length = len(text) if final else len(' '.join(words[:sure]))
    return Transcript(utterance, revision, text, length, final, 0.0, 0.0)


def policy(**settings_):
    return OraclePolicy(PolicyConfig(**settings_))


def starts(decisions):
    return [d for d in decisions if isinstance(d, Start)]


def test_two_committed_words_start():
    p = policy()
    assert p.on_transcript(0.0, heard(0, 'what is')) == []
    (start,) = p.on_transcript(0.5, heard(1, 'what is the'))
    assert (start.gen, start.text, start.revision, start.final) == (1, 'what is the', 1, False)


def test_words_that_are_not_committed_do_not_start():
    p = policy()
    assert p.on_transcript(0.0, heard(0, 'what is the capital of France', committed=1)) == []


def test_a_final_of_one_word_starts():
    assert len(starts(policy().on_transcript(0.0, heard(0, 'Hello.', final=True)))) == 1


def test_the_last_partial_within_the_gap_is_asked_when_the_gap_is_over():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c'))
    assert p.on_transcript(0.1, heard(1, 'a b c d e')) == []
    assert p.on_transcript(0.2, heard(2, 'a b c d e f')) == []
    assert p.next_deadline() == pytest.approx(0.4)
    assert p.on_tick(0.39) == []
    (start,) = p.on_tick(0.4)
    assert start.text == 'a b c d e f'


def test_a_final_does_not_wait_for_the_gap():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c'))
    (start,) = p.on_transcript(0.1, heard(1, 'a b c d', final=True))
    assert start.final


def test_the_old_stream_runs_until_the_new_one_gives_its_first_word():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c'))
    assert p.on_first_word(0.3, 1) == [Adopt(1)]
    assert [type(d) for d in p.on_transcript(0.5, heard(1, 'a b c d e'))] == [Start]
    assert p.running == (1, 2)
    assert p.on_first_word(0.9, 2) == [Adopt(2), Cancel(1, 'superseded')]
    assert p.running == (2,)


def test_a_slow_server_and_a_fast_talker_starve_no_one():
    """Two words per 0.2 s, 1.5 s to the first word: an answer comes every 1.5 s or so."""
    p = policy()
    adopted, due, text = [], {}, ''
    for step in range(60):
        t = 0.2 * step
        text += f' w{2 * step} w{2 * step + 1}'
        for gen in [g for g, at in due.items() if at <= t]:
            del due[gen]
            decisions = p.on_first_word(t, gen)
            adopted += [t] if Adopt(gen) in decisions else []
            due.update({d.gen: t + 1.5 for d in starts(decisions)})
        decisions = p.on_tick(t) + p.on_transcript(t, heard(step, text))
        due.update({d.gen: t + 1.5 for d in starts(decisions)})
        due = {g: at for g, at in due.items() if g in p.running}
    assert len(adopted) >= 6


def test_a_partial_waits_while_all_streams_wait_for_a_first_word():
    p = policy(max_streams=1)
    p.on_transcript(0.0, heard(0, 'a b c'))
    assert p.on_transcript(0.5, heard(1, 'a b c d e')) == []
    assert p.on_first_word(0.6, 1) == [Adopt(1)]  # it may say something first
    assert p.next_deadline() == pytest.approx(1.4)
    cancel, start = p.on_tick(1.4)
    assert (cancel.gen, start.gen, start.text) == (1, 2, 'a b c d e')


def test_a_waiting_partial_takes_the_stream_that_ends():
    p = policy(max_streams=1)
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_transcript(0.5, heard(1, 'a b c d e'))
    p.on_first_word(0.6, 1)
    assert [d.gen for d in starts(p.on_end(0.7, 1))] == [2]


def test_a_stale_answer_ends_after_its_opening():
    p = policy(opening_words=5)
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_first_word(0.1, 1)
    assert p.on_piece(0.2, 1, 9) == []  # not stale: the user may have finished
    assert p.on_transcript(0.3, heard(1, 'a b c d')) == [Cancel(1, 'the user has said more')]


def test_a_stale_answer_may_give_its_opening():
    p = policy(opening_words=5)
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_first_word(0.1, 1)
    assert p.on_transcript(0.3, heard(1, 'a b c d')) == []
    assert p.on_piece(0.4, 1, 4) == []
    assert p.on_piece(0.5, 1, 5) == [Cancel(1, 'the user has said more')]


@pytest.mark.parametrize('final', [True, False])
def test_the_answer_to_a_whole_utterance_is_never_cut_short(final):
    p = policy(opening_words=5)
    p.on_transcript(0.0, heard(0, 'a b c', final=final))
    p.on_first_word(0.1, 1)
    p.on_piece(0.2, 1, 9)
    if not final:
        assert p.on_transcript(0.3, heard(1, 'A b c.', final=True)) == [Confirm(1, 1)]
    assert p.on_transcript(0.4, heard(0, 'next', utterance=1)) == []
    assert p.running == (1,)


def test_a_final_takes_the_place_of_the_stream_that_has_said_nothing():
    p = policy(max_streams=2)
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_first_word(0.1, 1)
    p.on_transcript(0.5, heard(1, 'a b c d e'))
    cancel, start = p.on_transcript(0.6, heard(2, 'a b c d e f', final=True))
    assert (cancel.gen, start.final) == (2, True)
    assert p.running == (1, 3)


@pytest.mark.parametrize('final', ['What is it?', 'what is it', 'WHAT, IS IT...'])
def test_a_final_that_says_what_is_being_answered_confirms_it(final):
    p = policy()
    p.on_transcript(0.0, heard(0, 'what is it', committed=2))
    assert p.on_transcript(0.5, heard(4, final, final=True)) == [Confirm(1, 4)]
    assert p.is_confirmed(1)


def test_a_final_that_says_what_was_answered_does_not_start_either():
    p = policy()
    p.on_transcript(0.0, heard(0, 'what is it', committed=2))
    p.on_first_word(0.1, 1)
    p.on_end(0.2, 1)
    assert p.on_transcript(0.5, heard(1, 'What is it?', final=True)) == [Confirm(1, 1)]


def test_a_cascade_answers_the_final_only():
    p = policy(answer_partials=False)
    assert p.on_transcript(0.0, heard(0, 'a b c d e f')) == []
    assert p.next_deadline() is None
    assert len(starts(p.on_transcript(1.0, heard(1, 'a b c d e f', final=True)))) == 1


def test_noise_takes_back_what_was_answered_to_it():
    p = policy()
    p.on_transcript(0.0, heard(0, 'thank you for', committed=2))
    p.on_first_word(0.1, 1)
    decisions = p.on_transcript(0.5, heard(1, '', final=True))
    assert decisions == [Cancel(1, 'nothing was said'), Clear('nothing was said')]


def test_noise_leaves_the_answer_to_the_utterance_before():
    p = policy()
    p.on_transcript(0.0, heard(0, 'who are you', final=True))
    p.on_first_word(0.1, 1)
    assert p.on_transcript(0.5, heard(0, '', final=True, utterance=1)) == []
    assert p.running == (1,)


@pytest.mark.parametrize(
    'late', [heard(1, 'a b c d e f'), heard(2, 'a b c d e f'), heard(9, 'x y z', utterance=0)]
)
def test_what_comes_late_is_ignored(late):
    p = policy()
    p.on_transcript(0.0, heard(2, 'a b c', final=True))
    assert p.on_transcript(1.0, late) == []


def test_a_new_utterance_counts_its_words_anew():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c d e f g', final=True))
    p.on_first_word(0.1, 1)
    assert len(starts(p.on_transcript(1.0, heard(0, 'h i j', utterance=1)))) == 1


# -- failures -----------------------------------------------------------------------------


def test_a_failure_is_asked_again_after_a_backoff():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    assert p.on_failure(0.1, 1, 'broken') == []
    assert p.next_deadline() == pytest.approx(0.35)
    (start,) = p.on_tick(0.35)
    assert (start.gen, start.text, start.attempt, start.backend) == (2, 'a b c', 1, 0)


def test_when_all_attempts_fail_it_gives_up_and_says_whether_words_were_given():
    p = policy()
    p.on_transcript(0.0, heard(3, 'a b c', final=True))
    p.on_failure(0.1, 1, 'broken')
    p.on_tick(0.4)
    assert p.on_failure(0.5, 2, 'broken again') == [GiveUp(0, 3, 'broken again', False)]
    assert p.next_deadline() is None


def test_a_stream_that_breaks_off_is_asked_again_and_then_left_as_it_is():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    p.on_first_word(0.1, 1)
    p.on_failure(0.2, 1, 'closed')
    p.on_tick(0.5)
    assert p.on_failure(0.6, 2, 'closed') == [GiveUp(0, 0, 'closed', True)]


def test_what_cannot_be_retried_goes_to_the_fallback_at_once():
    p = policy(backends=2)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    (start,) = p.on_failure(0.1, 1, 'no key', retryable=False)
    assert (start.backend, start.attempt) == (1, 0)


def test_a_backend_that_failed_is_left_alone_for_a_while():
    p = policy(backends=2, cooldown_s=30)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    p.on_failure(0.1, 1, 'no key', retryable=False)
    p.on_first_word(0.2, 2)
    p.on_end(0.3, 2)
    (start,) = p.on_transcript(5.0, heard(0, 'd e f', final=True, utterance=1))
    assert start.backend == 1
    (start,) = p.on_transcript(40.0, heard(0, 'g h i', final=True, utterance=2))[-1:]
    assert start.backend == 0


@pytest.mark.parametrize(('retry_after', 'backend', 'at'), [(1.0, 0, 1.1), (20.0, 1, 0.1)])
def test_retry_after_is_honoured_or_the_fallback_asked(retry_after, backend, at):
    p = policy(backends=2)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    decisions = p.on_failure(0.1, 1, 'busy', retry_after=retry_after)
    decisions += p.on_tick(at - 0.01)
    decisions += p.on_tick(at)
    assert [s.backend for s in starts(decisions)] == [backend]


def test_a_server_that_hangs_is_cancelled_and_the_fallback_asked():
    p = policy(backends=2, first_token_s=2.0)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    assert p.on_tick(1.9) == []
    assert p.next_deadline() == 2.0
    cancel, start = p.on_tick(2.0)
    assert (cancel.gen, cancel.why, start.backend) == (1, 'no first token in time', 1)


def test_a_stream_that_never_ends_is_cancelled():
    p = policy(total_s=15.0)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    p.on_first_word(0.5, 1)
    for second in range(1, 15):
        p.on_piece(float(second), 1, second)
        assert p.on_tick(second + 0.9) == []
    assert p.on_tick(15.0) == [
        Cancel(1, 'took too long'),
        GiveUp(0, 0, 'took too long', True),
    ]


def test_a_stream_that_falls_silent_is_asked_elsewhere():
    p = policy(backends=2, stall_s=3.0)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    p.on_first_word(0.5, 1)
    p.on_piece(1.0, 1, 2)
    assert p.next_deadline() == 4.0
    cancel, start = p.on_tick(4.0)
    assert (cancel.why, start.backend) == ('fell silent in mid-stream', 1)


def test_an_empty_answer_is_a_failure():
    p = policy(backends=2, retries=0)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    (start,) = p.on_end(0.5, 1)
    assert start.backend == 1


def test_a_failed_partial_is_not_asked_again_when_newer_words_were():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_transcript(0.5, heard(1, 'a b c d e'))
    assert p.on_failure(0.6, 1, 'broken') == []
    assert p.running == (2,)
    assert p.on_tick(5.0)[0] == Cancel(2, 'no first token in time')


def test_a_retry_of_a_partial_that_the_final_confirms_ends_in_giving_up():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c', committed=2))
    p.on_failure(0.1, 1, 'broken')
    assert p.on_transcript(0.2, heard(1, 'a b c', final=True)) == [Confirm(1, 1)]
    (start,) = p.on_tick(0.4)
    assert start.final
    assert isinstance(p.on_failure(0.5, 2, 'broken')[0], GiveUp)


def test_routing_asks_the_chosen_backend_first_and_the_others_after_it():
    p = policy(backends=3, retries=0)
    p.order = (2,)
    (first,) = p.on_transcript(0.0, heard(0, 'a b c', final=True))
    (second,) = p.on_failure(0.1, 1, 'x')
    (third,) = p.on_failure(0.2, 2, 'x')
    assert [first.backend, second.backend, third.backend] == [2, 0, 1]
    assert isinstance(p.on_failure(0.3, 3, 'x')[0], GiveUp)


# -- interruptions ------------------------------------------------------------------------


def test_an_interruption_stops_everything_and_later_words_are_answered():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_first_word(0.1, 1)
    assert p.interrupt(0.2) == [Cancel(1, 'interrupted'), Clear('interrupted')]
    assert p.next_deadline() is None
    assert p.on_transcript(0.6, heard(1, 'a b c d')) == []
    assert len(starts(p.on_transcript(1.0, heard(2, 'a b c d e')))) == 1


def test_a_reset_forgets_the_utterances_but_not_the_numbers():
    p = policy()
    p.on_transcript(0.0, heard(5, 'a b c', final=True, utterance=7))
    p.reset(1.0)
    (start,) = p.on_transcript(2.0, heard(0, 'd e f', final=True, utterance=0))
    assert start.gen == 2


def test_the_words_of_a_cancelled_generation_change_nothing():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    p.interrupt(0.1)
    assert p.on_first_word(0.2, 1) == []
    assert p.on_end(0.3, 1) == []
    assert p.on_failure(0.4, 1, 'x') == []


def test_a_result_is_spoken_of_unless_the_user_speaks():
    p = policy()
    assert p.on_result(0.0, 'done') == []
    p.on_transcript(0.0, heard(0, 'go there', final=True))
    p.on_first_word(0.1, 1)
    p.on_end(0.2, 1)
    (start,) = p.on_result(1.0, 'done')
    assert (start.follow_up, start.final, start.text) == (True, True, 'done')
    p.on_transcript(2.0, heard(0, 'and', utterance=1))
    assert p.on_result(2.1, 'done') == []


# -- properties ---------------------------------------------------------------------------

_EVENTS = st.lists(
    st.tuples(
        st.floats(0, 1.0),
        st.sampled_from(['word', 'word', 'first', 'end', 'fail', 'tick', 'cut']),
        st.integers(0, 3),
    ),
    max_size=60,
)


@given(_EVENTS, st.integers(1, 3), st.integers(1, 2))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_the_whole_transcript_is_answered_or_given_up(events, streams, backends):
    """Bounded streams, growing numbers, every start ended once, and the last word never lost."""
    p = OraclePolicy(PolicyConfig(max_streams=streams, backends=backends))
    t, words, live, last_gen, gave_up = 0.0, [], {}, 0, False

    def carry_out(decisions):
        nonlocal last_gen, gave_up
        for d in decisions:
            if isinstance(d, Start):
                assert d.gen > last_gen
                last_gen = d.gen
                live[d.gen] = d
            elif isinstance(d, Cancel):
                del live[d.gen]  # a KeyError: cancelled twice, or never started
            elif isinstance(d, Adopt):
                assert d.gen in live
            elif isinstance(d, GiveUp):
                gave_up = True
        assert set(live) == set(p.running)
        assert len(live) <= streams

    spoken = set()
    for revision, (dt, kind, choice) in enumerate(events):
        t += dt
        gen = sorted(live)[choice % len(live)] if live else None
        if kind == 'word':
            words.append(f'w{revision}')
            carry_out(p.on_transcript(t, heard(revision, ' '.join(words))))
        elif kind == 'first' and gen and gen not in spoken:
            spoken.add(gen)
            carry_out(p.on_first_word(t, gen))
        elif kind in ('end', 'fail') and gen:
            live.pop(gen)
            carry_out(p.on_end(t, gen) if kind == 'end' else p.on_failure(t, gen, 'x'))
        elif kind == 'tick':
            carry_out(p.on_tick(t))
        elif kind == 'cut':
            carry_out(p.interrupt(t))
    words.append('last')
    carry_out(p.on_transcript(t, heard(len(events) + 1, ' '.join(words), final=True)))
    answers = ''
    for _ in range(50):
        if gave_up or normalise(answers) == normalise(' '.join(words)):
            return
        if live:
            gen = max(live)
            answers = live[gen].text
            carry_out(p.on_first_word(t, gen))
        else:
            t = p.next_deadline()
            assert t is not None, 'the last word is lost'
            carry_out(p.on_tick(t))
    raise AssertionError('never answered')


@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=40))
def test_starts_for_partials_are_never_closer_than_the_gap(gaps):
    p = policy(max_streams=9)
    t, started = 0.0, []
    for i, gap in enumerate(gaps):
        t += gap
        text = ' '.join(f'w{k}' for k in range(3 * i + 3))
        started += [t for _ in starts(p.on_tick(t) + p.on_transcript(t, heard(i, text)))]
    assert all(b - a >= 0.4 - 1e-9 for a, b in itertools.pairwise(started))


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match='at least 1'):
        PolicyConfig(max_streams=0)
    with pytest.raises(ValueError, match='negative'):
        PolicyConfig(min_gap_s=-1)
