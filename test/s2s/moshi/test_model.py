"""The language model with an oracle: where the token enters, and that nothing else changed."""

from __future__ import annotations

import pytest

torch = pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')

from kame_ros.s2s.moshi.model import OracleLMGen  # noqa: E402
from kame_ros.s2s.moshi.weights.upstream import LMGen  # noqa: E402


def run(lm, oracle: list[int] | None, steps: int = 20) -> list:
    kind = LMGen if oracle is None else OracleLMGen
    gen = kind(lm, use_sampling=False)
    codes = torch.Generator().manual_seed(1)
    out = []
    with torch.no_grad(), gen.streaming(1):
        for step in range(steps):
            user = torch.randint(0, lm.card, (1, 8, 1), generator=codes)
            if oracle is not None and step < len(oracle):
                gen.feed_oracle([oracle[step]])
            tokens = gen.step(user)
            out.append(None if tokens is None else tokens[0, :, 0].tolist())
    return out


def test_oracle_table_is_the_only_new_weight(make_lm):
    ours, plain = make_lm(True), make_lm(False)
    assert set(ours.state_dict()) - set(plain.state_dict()) == {'oracle_emb.weight'}
    assert set(plain.state_dict()) <= set(ours.state_dict())


def test_silent_oracle_table_gives_plain_moshi(make_lm):
    ours, plain = make_lm(True), make_lm(False, seed=5)
    ours.load_state_dict({**plain.state_dict(), 'oracle_emb.weight': ours.oracle_emb.weight * 0})
    assert run(ours, [5, 6, 7]) == run(plain, None)


def test_token_changes_the_output_from_its_step_on_and_not_before(make_lm):
    lm = make_lm()
    quiet, spoken = run(lm, [3] * 20), run(lm, [3] * 8 + [17] + [3] * 11)
    assert quiet[:8] == spoken[:8]
    assert quiet[9:] != spoken[9:]


def test_a_slot_that_is_fed_nothing_hears_padding(make_lm):
    lm = make_lm()
    assert run(lm, []) == run(lm, [lm.text_padding_token_id] * 20)


def test_a_token_is_fed_once(make_lm):
    lm = make_lm()
    assert run(lm, [9]) == run(lm, [9] + [lm.text_padding_token_id] * 19)


def test_wrong_number_of_slots_is_refused(make_lm):
    gen = OracleLMGen(make_lm(), use_sampling=False)
    with gen.streaming(2), pytest.raises(ValueError, match='2 slots were given 1'):
        gen.feed_oracle([1])


def test_training_forward_agrees_with_streaming(make_lm):
    """Teacher forcing with the streamed tokens gives the logits that streaming gave."""
    lm = make_lm()
    oracle, steps = [32, 10, 11, 12, 3, 13], 12
    seen: list = []
    gen = OracleLMGen(
        lm, use_sampling=False, on_text_logits_hook=lambda logits: seen.append(logits[0, 0, 0])
    )
    torch.manual_seed(3)
    user = torch.randint(0, lm.card, (1, 8, steps))
    frames = []
    with torch.no_grad(), gen.streaming(1):
        for step in range(steps):
            token = oracle[step - 1] if 1 <= step <= len(oracle) else 3
            gen.feed_oracle([lm.text_initial_token_id if step == 0 else token])
            out = gen.step(user[:, :, step : step + 1])
            if out is not None:
                frames.append(out)
    own = torch.cat(frames, dim=2)  # [1, 9, steps - 1]: the frame of step s - 1 leaves at step s
    length = own.shape[2]
    # LMGen hears user frame k + 1 where training pairs frame k: its frame 0 is never heard.
    heard = user[:, :, 1 : length + 1]
    codes = torch.cat([own, heard], dim=1)
    fed = torch.tensor([oracle + [3] * (length - len(oracle))])[:, None]
    with torch.no_grad():
        out = lm(codes, oracle_tokens=fed)
    want = torch.stack(seen[:length])
    # The last delayed user codes are not in `codes`, so the last frame cannot agree.
    torch.testing.assert_close(out.text_logits[0, 0], want, atol=2e-4, rtol=2e-4)


def test_training_forward_refuses_other_shapes(make_lm):
    lm = make_lm()
    codes = torch.zeros(2, 17, 5, dtype=torch.long)
    with pytest.raises(ValueError, match=r'must be \(2, 1, 5\)'):
        lm(codes, oracle_tokens=torch.zeros(2, 1, 4, dtype=torch.long))


def test_gradients_reach_the_oracle_table(make_lm):
    lm = make_lm()
    codes = torch.zeros(1, 17, 5, dtype=torch.long)
    out = lm(codes, oracle_tokens=torch.full((1, 1, 5), 7))
    out.text_logits.nan_to_num().square().sum().backward()
    grad = lm.oracle_emb.weight.grad
    touched = grad.abs().sum(1).nonzero()[:, 0].tolist()
    assert touched == [7, lm.text_initial_token_id]
