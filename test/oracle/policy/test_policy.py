"""The restart policy, case by case, on a virtual clock."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.oracle.policy.decision import Adopt, Cancel, Clear, Confirm, GiveUp, Start
from kame_ros.oracle.policy.policy import OraclePolicy
from kame_ros.text.compare import normalise
from kame_ros.wire.transcript import Transcript


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


def test_two_stable_words_start_before_any_is_committed():
    p = policy()
    text = 'what is the capital'
    (start,) = starts(p.on_transcript(0.5, Transcript(0, 0, text, 0, False, 0.0, 0.0, stable=11)))
    assert (start.text, start.stable) == (text, 11)
    later = Transcript(0, 1, f'{text} of', 0, False, 0.0, 0.0, stable=7)  # one is taken back
    assert starts(p.on_transcript(5.0, later)) == []


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


def partial(revision, text, stable):
    """A partial of which the first `stable` words were heard alike before."""
    length = len(' '.join(text.split()[:stable]))
    return Transcript(0, revision, text, 0, False, 0.0, 0.0, stable=length)


@pytest.mark.parametrize(
    ('heard', 'asked'),
    [
        ('how many legs does a spider', True),  # a leg was not said
        ('how many', True),
        ('how many a leg is possessing', False),  # the last word may have been cut
        ('How many a leg is possessed, sir', False),
    ],
)
def test_what_was_not_said_is_asked_anew_without_new_stable_words(heard, asked):
    p = policy()
    assert starts(p.on_transcript(0.0, partial(0, 'how many a leg is possessed', 2)))
    assert p.on_first_word(0.2, 1)
    found = starts(p.on_transcript(0.5, partial(1, heard, 2)))
    assert [start.text for start in found] == [heard] * asked


def test_it_waits_for_the_gap_and_for_nothing_else():
    p = policy(max_streams=1, hold_s=0.8)
    p.on_transcript(0.0, partial(0, 'how many a leg is possessed', 2))
    assert p.on_transcript(0.1, partial(1, 'how many legs does a spider', 2)) == []
    assert p.next_deadline() == pytest.approx(2.0)  # the first one has not given a word yet
    p.on_first_word(0.3, 1)
    assert p.next_deadline() == pytest.approx(0.4)
    cancelled, start = p.on_tick(0.4)
    assert (cancelled.gen, start.text) == (1, 'how many legs does a spider')


def test_what_is_asked_anew_delays_no_question_for_new_words():
    p = policy()
    assert starts(p.on_transcript(0.0, partial(0, 'he might have been in the house', 4)))
    assert starts(p.on_transcript(0.5, partial(1, 'he might have been made amiable him', 5)))
    assert starts(p.on_transcript(1.0, partial(2, 'he might have been made amiable himself', 6)))


def test_who_may_not_guess_asks_nothing_anew():
    p = policy(answer_partials=False)
    assert p.on_transcript(0.0, partial(0, 'how many a leg is', 2)) == []
    assert p.on_transcript(0.5, partial(1, 'how many legs does', 2)) == []


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


def test_guesses_wait_as_long_as_the_only_server_demands_and_finals_do_not():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_failure(0.1, 1, 'busy', retry_after=20.0)
    assert p.on_transcript(1.0, heard(1, 'a b c d e')) == []
    assert p.next_deadline() == pytest.approx(20.1)
    (start,) = p.on_transcript(2.0, heard(2, 'a b c d e f', final=True))
    assert start.final
    p.on_failure(2.1, start.gen, 'busy', retry_after=20.0)
    assert p.on_transcript(10.0, heard(0, 'g h i', utterance=1)) == []
    (start,) = p.on_tick(22.1)
    assert start.text == 'g h i'


def test_a_server_that_hangs_is_cancelled_and_the_fallback_asked():
    p = policy(backends=2, first_token_s=2.0)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    assert p.on_tick(1.9) == []
    assert p.next_deadline() == 2.0
    cancel, start = p.on_tick(2.0)
    assert (cancel.gen, cancel.why, start.backend) == (1, 'no first token in time', 1)


def test_the_only_server_hangs_and_the_user_hears_so_after_one_deadline():
    p = policy(first_token_s=2.0)
    p.on_transcript(0.0, heard(0, 'a b c', final=True))
    assert p.next_deadline() == 2.0
    why = 'no first token in time'
    assert p.on_tick(2.0) == [Cancel(1, why), GiveUp(0, 0, why, False)]
    assert p.next_deadline() is None
    (start,) = p.on_transcript(5.0, heard(0, 'd e f', final=True, utterance=1))
    assert (start.backend, start.attempt) == (0, 0)  # the next question is a new try


def test_a_guess_that_hangs_is_asked_again_while_the_user_speaks():
    p = policy(first_token_s=2.0, backoff_s=0.25)
    p.on_transcript(0.0, heard(0, 'a b c'))
    assert p.on_tick(2.0) == [Cancel(1, 'no first token in time')]
    (start,) = p.on_tick(2.25)
    assert (start.text, start.attempt, start.final) == ('a b c', 1, False)


@pytest.mark.parametrize(('backends', 'deadline'), [(1, 3.5), (2, 2.0)])
def test_after_the_final_the_only_server_has_the_time_that_the_user_waits(backends, deadline):
    p = policy(first_token_s=2.0, backends=backends)
    p.on_transcript(0.0, heard(0, 'a b c', committed=2))
    assert p.on_transcript(1.5, heard(1, 'a b c', final=True)) == [Confirm(1, 1)]
    assert p.next_deadline() == deadline
    cancel, then = p.on_tick(deadline)
    assert cancel.gen == 1
    assert isinstance(then, GiveUp if backends == 1 else Start)


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


def test_newer_words_take_the_place_of_a_retry():
    p = policy()
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_failure(0.05, 1, 'broken')
    assert p.next_deadline() == pytest.approx(0.3)
    p.on_transcript(0.1, heard(1, 'a b c d e'))
    assert p.next_deadline() == pytest.approx(0.4)
    (start,) = p.on_tick(0.4)
    assert (start.text, start.attempt) == ('a b c d e', 0)


def test_a_backend_that_fails_for_good_is_left_alone_by_newer_words_too():
    p = policy(backends=2)
    p.on_transcript(0.0, heard(0, 'a b c'))
    p.on_transcript(0.1, heard(1, 'a b c d e'))
    assert p.on_failure(0.2, 1, 'no key', retryable=False) == []
    (start,) = p.on_tick(0.4)
    assert start.backend == 1


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
    p.backends.first = 2
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


def test_what_is_said_of_a_result_is_not_cut_short():
    p = policy(opening_words=5)
    p.on_transcript(0.0, heard(0, 'go there', final=True))
    p.on_result(1.0, 'the result')
    p.on_first_word(1.1, 2)
    assert p.on_piece(1.2, 2, 9) == []


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
        st.sampled_from(
            ['word', 'word', 'unsure', 'word or not', 'piece', 'end', 'fail', 'tick', 'cut']
        ),
        st.integers(0, 3),
    ),
    max_size=60,
)


class Server:
    """Carries out decisions and checks that they make sense."""

    def __init__(self, p, streams):
        self.p, self.bound = p, streams
        self.live, self.words, self.last_gen = {}, {}, 0
        self.adopted = None
        self.ended, self.gave_up = set(), False

    def do(self, decisions):
        for d in decisions:
            if isinstance(d, Start):
                assert d.gen > self.last_gen
                self.last_gen = d.gen
                self.live[d.gen] = d
                self.words[d.gen] = 0
            elif isinstance(d, Cancel):
                del self.live[d.gen]  # a KeyError: cancelled twice, or never started
            elif isinstance(d, Adopt):
                assert d.gen in self.live
                self.adopted = d
                self.asked = self.live[d.gen].text
            elif isinstance(d, Clear):
                self.adopted = None
            elif isinstance(d, GiveUp):
                self.gave_up = True
        assert set(self.live) == set(self.p.running)
        assert len(self.live) <= self.bound

    def tick(self, t):
        self.do(self.p.on_tick(t))
        deadline = self.p.next_deadline()
        assert deadline is None or deadline > t, 'it would be ticked for ever'

    def piece(self, t, gen):
        self.words[gen] += 7
        first = self.words[gen] == 7
        self.do(self.p.on_first_word(t, gen) if first else [])
        self.do(self.p.on_piece(t, gen, self.words[gen]))

    def end(self, t, gen):
        del self.live[gen]
        self.ended.add(gen)
        self.do(self.p.on_end(t, gen))

    def fail(self, t, gen):
        del self.live[gen]
        self.do(self.p.on_failure(t, gen, 'x'))


@given(_EVENTS, st.integers(1, 3), st.integers(1, 2), st.booleans())
@settings(max_examples=500, deadline=None)
def test_whatever_happens_the_whole_transcript_is_answered_or_given_up(
    events, streams, backends, more
):
    """Bounded streams, growing numbers, every start ended once, and the last word never lost."""
    p = OraclePolicy(PolicyConfig(max_streams=streams, backends=backends))
    server = Server(p, streams)
    t, words = 0.0, ['hello']
    for revision, (dt, kind, choice) in enumerate(events):
        t += dt
        gen = sorted(server.live)[choice % len(server.live)] if server.live else None
        if 'word' in kind or kind == 'unsure':
            words += [f'w{revision}'] if kind == 'word' else []
            text = ' '.join(words + (['perhaps'] if kind == 'unsure' else []))
            server.do(p.on_transcript(t, heard(revision, text, committed=len(words))))
        elif kind == 'piece' and gen:
            server.piece(t, gen)
        elif kind == 'end' and gen:
            server.end(t, gen)
        elif kind == 'fail' and gen:
            server.fail(t, gen)
        elif kind == 'tick':
            server.tick(t)
        elif kind == 'cut':
            server.do(p.interrupt(t))
    words += ['last'] if more else []
    server.do(p.on_transcript(t, heard(len(events) + 1, ' '.join(words), final=True)))
    for _ in range(50):
        if server.live:
            gen = max(server.live)
            server.piece(t, gen)
            if gen in server.live:  # a stale answer is cut after its opening
                server.end(t, gen)
        elif (deadline := p.next_deadline()) is not None:
            t = max(t, deadline)
            server.tick(t)
    assert not server.live
    if not server.gave_up:
        assert server.adopted.gen in server.ended, 'the answer was left half written'
        assert normalise(server.asked) == normalise(' '.join(words)), 'the last word is lost'


def test_a_stale_answer_that_turns_out_to_be_the_right_one_is_asked_again():
    p = policy(opening_words=5)
    p.on_transcript(0.0, heard(0, 'a b c', committed=3))
    p.on_first_word(0.1, 1)
    p.on_transcript(0.2, heard(1, 'a b c and', committed=3))
    assert p.on_piece(0.3, 1, 5) == [Cancel(1, 'the user has said more')]
    assert len(starts(p.on_transcript(0.6, heard(2, 'a b c', final=True)))) == 1


def spoken(revision, text, start, end, final=False, utterance=0):
    return Transcript(utterance, revision, text, len(text), final, start, end)


def test_a_barge_in_stops_the_answer_to_what_was_said_before_and_keeps_the_new_one():
    p = policy()
    p.on_transcript(1.0, spoken(0, 'tell a story', 0.0, 1.0, final=True))
    p.on_first_word(1.1, 1)
    p.on_transcript(3.0, spoken(0, 'no another one', 2.5, 3.0, utterance=1))
    assert p.barge_in(3.1) == [Cancel(1, 'barge-in'), Clear('barge-in')]
    assert p.running == (2,)


def test_a_barge_in_that_is_told_after_the_final_keeps_the_answer_to_it():
    p = policy()
    p.on_transcript(1.0, spoken(0, 'tell a story', 0.0, 1.0, final=True))
    p.on_first_word(1.1, 1)
    p.on_transcript(3.0, spoken(0, 'and Italy', 2.0, 2.8, final=True, utterance=1))
    assert p.barge_in(2.2) == [Cancel(1, 'barge-in'), Clear('barge-in')]
    assert p.running == (2,)


def test_a_barge_in_before_anything_is_heard_stops_everything():
    p = policy()
    p.on_transcript(1.0, spoken(0, 'tell a story', 0.0, 1.0, final=True))
    p.on_first_word(1.1, 1)
    assert p.barge_in(3.0) == [Cancel(1, 'barge-in'), Clear('barge-in')]
    assert len(starts(p.on_transcript(4.0, spoken(0, 'no', 2.9, 3.5, True, 1)))) == 1


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


# -- an LLM that is connected, loads or reads -------------------------------------------------


def given_up(decisions):
    return [d for d in decisions if isinstance(d, GiveUp)]


def test_connecting_is_not_the_slowness_of_the_llm():
    p = policy()
    (start,) = starts(p.on_transcript(0.0, heard(0, 'what time is it', final=True)))
    p.on_waiting(start.gen)
    assert p.on_tick(9.0) == []
    p.on_asked(9.5, start.gen)
    assert p.on_tick(11.4) == []
    assert given_up(p.on_tick(11.5))


def test_connecting_for_ever_is_given_up_and_a_fallback_is_asked_sooner():
    p = policy()
    (start,) = starts(p.on_transcript(0.0, heard(0, 'what time is it', final=True)))
    p.on_waiting(start.gen)
    assert given_up(p.on_tick(15.0))
    p = policy(backends=2)
    (start,) = starts(p.on_transcript(0.0, heard(0, 'what time is it', final=True)))
    p.on_waiting(start.gen)
    assert [s.backend for s in starts(p.on_tick(2.0))] == [1]


@pytest.mark.parametrize('backends', [1, 2])
def test_an_llm_that_reads_a_long_prompt_is_waited_for(backends):
    p = policy(backends=backends)
    (start,) = starts(p.on_transcript(0.0, heard(0, 'what time is it', final=True)))
    for step in range(1, 30):
        p.on_reading(float(step), start.gen)
        assert p.on_tick(step + 0.9) == []
    p.on_first_word(29.5, start.gen)
    p.on_piece(29.5, start.gen, 1)
    assert p.on_tick(32.0) == []
    assert p.on_tick(33.0)  # then it fell silent


def test_reading_for_ever_is_given_up():
    p = policy()
    (start,) = starts(p.on_transcript(0.0, heard(0, 'what time is it', final=True)))
    given = []
    for step in range(1, 100):
        p.on_reading(float(step), start.gen)
        given += [(step, d) for d in given_up(p.on_tick(float(step)))]
    assert [step for step, _ in given] == [60]


def test_an_llm_that_has_read_and_says_nothing_is_given_up():
    p = policy()
    (start,) = starts(p.on_transcript(0.0, heard(0, 'what time is it', final=True)))
    p.on_reading(5.0, start.gen)
    p.on_piece(5.5, start.gen, 0)  # it thinks, perhaps
    assert p.on_tick(6.9) == []
    assert given_up(p.on_tick(7.0))
