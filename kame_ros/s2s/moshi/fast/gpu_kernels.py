"""Triton kernels for one frame of a transformer: what lies between reading weights and attention.

At batch 1 a step is bound by the bytes of its weights and by the number of kernels. Here a linear
layer is one kernel with the norm before it, the gate or the residual after it, and weights of 16, 8
or 4 bits that are widened on the way; the attention reads only what was heard so far, and is split
over the whole GPU (flash-decoding, Dao et al. 2023). Imported only where triton is.
"""

# mypy: disable-error-code="no-untyped-def"

import triton
import triton.language as tl


@triton.jit
def _tile(weight, rows, rows_in, k, inside, width):
    """A tile [K, N] of weights: float, or 8 bits. The scale of 8 bits comes after the sum."""
    return tl.load(
        weight + rows[None, :] * width + k[:, None],
        mask=rows_in[None, :] & inside[:, None],
        other=0.0,
    )


@triton.jit
def linear_kernel(
    x,  # [B, K]
    weight,  # [N, K] float or 8 bits, or [N, K / 2] of two 4-bit weights in a byte
    scale,  # [N] for 8 bits; [N, K / GROUP, 2] for 4 bits: scale and lowest value
    alpha,  # [K], the weight of the norm before
    residual,  # [B, N], added at the end
    out,  # [B, N]
    batch,
    count,  # N; with GATED the rows n and n + N of the weight make the output n
    width,  # K
    stride,  # from one row of x to the next
    eps,
    BITS: tl.constexpr,  # 16 (any float), 8 or 4
    GROUP: tl.constexpr,
    NORM: tl.constexpr,
    GATED: tl.constexpr,
    RESIDUAL: tl.constexpr,
    B: tl.constexpr,
    N: tl.constexpr,
    K: tl.constexpr,  # with 4 bits this is the block whose halves share bytes
    DOT: tl.constexpr,  # the dtype of the products
):
    """Out = f(norm(x) W^T) + residual, for N outputs in one program."""
    rows = tl.program_id(0) * N + tl.arange(0, N)
    rows_in = rows < count
    b = tl.arange(0, B)
    b_in = b < batch
    total = tl.zeros((B, N), tl.float32)
    gate_total = tl.zeros((B, N), tl.float32)
    squares = tl.zeros((B,), tl.float32)
    for start in range(0, width, K):
        if BITS == 4:
            half: tl.constexpr = K // 2
            k = start + tl.arange(0, half)
            x_low = tl.load(x + b[:, None] * stride + k[None, :], mask=b_in[:, None], other=0.0)
            x_high = tl.load(
                x + b[:, None] * stride + k[None, :] + half, mask=b_in[:, None], other=0.0
            )
            if NORM:
                squares += tl.sum(x_low.to(tl.float32) * x_low.to(tl.float32), axis=1)
                squares += tl.sum(x_high.to(tl.float32) * x_high.to(tl.float32), axis=1)
                x_low = x_low * tl.load(alpha + k)[None, :]
                x_high = x_high * tl.load(alpha + k + half)[None, :]
            x_low, x_high = x_low.to(DOT), x_high.to(DOT)
            total = _four_bits(
                total, x_low, x_high, weight, scale, rows, rows_in, start, width,
                half, GROUP, N, DOT,
            )  # fmt: skip
            if GATED:
                gate_total = _four_bits(
                    gate_total, x_low, x_high, weight, scale, rows + count, rows_in, start, width,
                    half, GROUP, N, DOT,
                )  # fmt: skip
        else:
            k = start + tl.arange(0, K)
            inside = k < width
            some = tl.load(
                x + b[:, None] * stride + k[None, :],
                mask=b_in[:, None] & inside[None, :],
                other=0.0,
            )
            if NORM:
                squares += tl.sum(some.to(tl.float32) * some.to(tl.float32), axis=1)
                some = some * tl.load(alpha + k, mask=inside, other=0.0)[None, :]
            some = some.to(DOT)
            tile = _tile(weight, rows, rows_in, k, inside, width)
            total += tl.dot(some, tile.to(DOT), out_dtype=tl.float32, input_precision='ieee')
            if GATED:
                tile = _tile(weight, rows + count, rows_in, k, inside, width)
                gate_total += tl.dot(
                    some, tile.to(DOT), out_dtype=tl.float32, input_precision='ieee'
                )
    if BITS == 8:
        total *= tl.load(scale + rows, mask=rows_in, other=0.0)[None, :]
        if GATED:
            gate_total *= tl.load(scale + rows + count, mask=rows_in, other=0.0)[None, :]
    if NORM:  # the norm's factor is the same for a whole row: it can come after the sum
        factor = tl.rsqrt(squares / width + eps)
        total *= factor[:, None]
        gate_total *= factor[:, None]
    if GATED:
        total = total * tl.sigmoid(total) * gate_total
    place = b[:, None] * count + rows[None, :]
    both = b_in[:, None] & rows_in[None, :]
    if RESIDUAL:
        total += tl.load(residual + place, mask=both, other=0.0).to(tl.float32)
    tl.store(out + place, total.to(out.dtype.element_ty), mask=both)


@triton.jit
def _four_bits(
    total, x_low, x_high, weight, scale, rows, rows_in, start, width, half: tl.constexpr,
    GROUP: tl.constexpr, N: tl.constexpr, DOT: tl.constexpr,
):  # fmt: skip
    """Adds the part of one block: its first half lies in the low nibbles, its second in the high.

    Each group has its line: w = q * scale + lowest.
    """
    byte = start // 2 + tl.arange(0, half)
    packed = tl.load(
        weight + rows[None, :] * (width // 2) + byte[:, None], mask=rows_in[None, :], other=0
    )
    groups: tl.constexpr = half // GROUP
    first = rows[None, :] * (width // GROUP) + start // GROUP + tl.arange(0, groups)[:, None]
    low = _widened(packed & 15, scale, first, rows_in, groups, GROUP, N, DOT)
    high = _widened(packed >> 4, scale, first + groups, rows_in, groups, GROUP, N, DOT)
    total = tl.dot(x_low, low, acc=total, out_dtype=tl.float32, input_precision='ieee')
    return tl.dot(x_high, high, acc=total, out_dtype=tl.float32, input_precision='ieee')


@triton.jit
def _widened(
    steps, scale, group, rows_in, groups: tl.constexpr, GROUP: tl.constexpr, N: tl.constexpr,
    DOT: tl.constexpr,
):  # fmt: skip
    """A tile [groups * GROUP, N] of weights; `group` is [groups, N]."""
    line = scale + 2 * group
    slope = tl.load(line, mask=rows_in[None, :], other=0.0).to(DOT)
    lowest = tl.load(line + 1, mask=rows_in[None, :], other=0.0).to(DOT)
    tile = tl.reshape(steps.to(DOT), (groups, GROUP, N)) * slope[:, None, :] + lowest[:, None, :]
    return tl.reshape(tile, (groups * GROUP, N))


@triton.jit
def turn_and_keep_kernel(
    projected,  # [B, 3, H, D], queries, keys, values of this frame
    offsets,  # [B] int64, frames heard before
    query,  # [B, H, D], out
    memory,  # [2, B, H, C, D], the ring
    apart,  # from a key to its value in the memory
    heads,
    capacity,
    log_period,  # log(max_period) * 2 / D
    D: tl.constexpr,
):
    """Rotates query and key by their place in time, and puts key and value into the ring."""
    b, h = tl.program_id(0), tl.program_id(1)
    offset = tl.load(offsets + b)
    pair = tl.arange(0, D // 2)
    angle = tl.exp(-pair.to(tl.float32) * log_period) * offset.to(tl.float32)
    cosine, sine = tl.cos(angle), tl.sin(angle)
    at = projected + (b * 3 * heads + h) * D
    to = memory + ((b * heads + h) * capacity + offset % capacity) * D
    real = tl.load(at + 2 * pair).to(tl.float32)
    imaginary = tl.load(at + 2 * pair + 1).to(tl.float32)
    dtype = query.dtype.element_ty
    q = query + (b * heads + h) * D
    tl.store(q + 2 * pair, (real * cosine - imaginary * sine).to(dtype))
    tl.store(q + 2 * pair + 1, (real * sine + imaginary * cosine).to(dtype))
    at += heads * D
    real = tl.load(at + 2 * pair).to(tl.float32)
    imaginary = tl.load(at + 2 * pair + 1).to(tl.float32)
    tl.store(to + 2 * pair, (real * cosine - imaginary * sine).to(dtype))
    tl.store(to + 2 * pair + 1, (real * sine + imaginary * cosine).to(dtype))
    d = tl.arange(0, D)
    value = tl.load(at + heads * D + d)
    tl.store(to + apart + d, value)


@triton.jit
def attend_kernel(
    query,  # [B, H, D]
    memory,  # [2, B, H, C, D]
    offsets,  # [B], this frame is the last that is heard
    partial,  # [B * H, SPLITS, D] float32, out
    weights,  # [B * H, SPLITS, 2] float32, out: the greatest score, and the sum of weights
    apart,  # from a key to its value in the memory
    heads,
    capacity,
    factor,  # 1 / sqrt(D)
    SPLITS: tl.constexpr,
    SPAN: tl.constexpr,  # frames for each program
    C: tl.constexpr,  # frames at a time
    D: tl.constexpr,
):
    """Attention of one frame to a part of the ring; parts that are still empty are not read."""
    row, split = tl.program_id(0), tl.program_id(1)
    heard = tl.minimum(tl.load(offsets + row // heads) + 1, capacity)
    d = tl.arange(0, D)
    q = tl.load(query + row * D + d).to(tl.float32)
    keys = memory + row * capacity * D
    values = keys + apart
    greatest = -float('inf')
    total = 0.0
    summed = tl.zeros((D,), tl.float32)
    begin = split * SPAN
    end = tl.minimum(begin + SPAN, heard)
    for start in range(begin, end, C):
        c = start + tl.arange(0, C)
        there = c < end
        where = c[:, None] * D + d[None, :]
        key = tl.load(keys + where, mask=there[:, None], other=0.0).to(tl.float32)
        score = tl.where(there, tl.sum(key * q[None, :], axis=1) * factor, -float('inf'))
        new = tl.maximum(greatest, tl.max(score))
        weight = tl.exp(score - new)
        shrink = tl.exp(greatest - new)
        value = tl.load(values + where, mask=there[:, None], other=0.0).to(tl.float32)
        summed = summed * shrink + tl.sum(value * weight[:, None], axis=0)
        total = total * shrink + tl.sum(weight)
        greatest = new
    at = row * SPLITS + split
    tl.store(partial + at * D + d, summed)
    tl.store(weights + at * 2, greatest)
    tl.store(weights + at * 2 + 1, total)


@triton.jit
def join_kernel(partial, weights, out, SPLITS: tl.constexpr, S: tl.constexpr, D: tl.constexpr):
    """Joins the parts of `attend_kernel`; S is SPLITS up to a power of two. `out` is [B * H, D]."""
    row = tl.program_id(0)
    s = tl.arange(0, S)
    d = tl.arange(0, D)
    there = s < SPLITS
    at = row * SPLITS + s
    greatest = tl.load(weights + at * 2, mask=there, other=-float('inf'))
    total = tl.load(weights + at * 2 + 1, mask=there, other=0.0)
    weight = tl.exp(greatest - tl.max(greatest))
    parts = tl.load(partial + at[:, None] * D + d[None, :], mask=there[:, None], other=0.0)
    summed = tl.sum(parts * weight[:, None], axis=0) / tl.sum(total * weight)
    tl.store(out + row * D + d, summed.to(out.dtype.element_ty))


@triton.jit
def attend_steps_kernel(
    projected,  # [B, 3, H, D]
    memory,  # [2, B, H, S, D]
    out,  # [B, H, D]
    apart,  # from a key to its value in the memory
    heads,
    step,  # this step of the depformer; the ones before are in the memory
    factor,
    STEPS: tl.constexpr,
    S: tl.constexpr,  # STEPS up to a power of two
    D: tl.constexpr,
):
    """Puts key and value of a depformer step into its memory and attends to all steps so far."""
    b, h = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, D)
    s = tl.arange(0, S)
    at = projected + (b * 3 * heads + h) * D
    q = tl.load(at + d).to(tl.float32)
    own_key = tl.load(at + heads * D + d)
    own_value = tl.load(at + 2 * heads * D + d)
    keys = memory + (b * heads + h) * STEPS * D
    values = keys + apart
    tl.store(keys + step * D + d, own_key)
    tl.store(values + step * D + d, own_value)
    before = s < step
    where = s[:, None] * D + d[None, :]
    key = tl.load(keys + where, mask=before[:, None], other=0.0).to(tl.float32)
    value = tl.load(values + where, mask=before[:, None], other=0.0).to(tl.float32)
    # This step's own key and value are still in registers: what was stored may not be seen yet.
    key = tl.where((s == step)[:, None], own_key.to(tl.float32)[None, :], key)
    value = tl.where((s == step)[:, None], own_value.to(tl.float32)[None, :], value)
    score = tl.where(s <= step, tl.sum(key * q[None, :], axis=1) * factor, -float('inf'))
    weight = tl.exp(score - tl.max(score))
    summed = tl.sum(value * weight[:, None], axis=0) / tl.sum(weight)
    tl.store(out + (b * heads + h) * D + d, summed.to(out.dtype.element_ty))
