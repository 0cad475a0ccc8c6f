"""Compiled training of one dense network: steps of Adam without a call into Python.

The weights of one member, its batches and a `Plan` of the network go in; the weights change in
place and the mean loss comes out. One member at a time stays in the processor's cache, which makes
this fast; `MemberDense` with autograd is the general way, and gives the same numbers. The first
call on a machine compiles for some ten seconds; the result is kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg  # noqa: F401 - its BLAS runs below: loaded first, its threads can be limited
from numba import njit
from numpy.typing import NDArray

# Not "nnan" and "ninf": a NaN must come out as a NaN.
SAFE_MATHS = {"reassoc", "contract", "arcp", "nsz", "afn"}
ACTIVATION_CODES = {"tanh": 0, "relu": 1, "silu": 2}

_HALF, _ONE = np.float32(0.5), np.float32(1.0)
_BETA_1, _BETA_2 = np.float32(0.9), np.float32(0.999)

# tanh x = x P(x²) / Q(x²) for |x| <= 7.905, highest power first: the rational minimax of XLA
_TANH_LIMIT = np.float32(7.90531110763549805)
_P6, _P5 = np.float32(-2.76076847742355e-16), np.float32(2.00018790482477e-13)
_P4, _P3 = np.float32(-8.60467152213735e-11), np.float32(5.12229709037114e-08)
_P2, _P1 = np.float32(1.48572235717979e-05), np.float32(6.37261928875436e-04)
_P0 = np.float32(4.89352455891786e-03)
_Q3, _Q2 = np.float32(1.19825839466702e-06), np.float32(1.18534705686654e-04)
_Q1, _Q0 = np.float32(2.26843463243900e-03), np.float32(4.89352518554385e-03)

# SplitMix64 (Steele, Lea and Flood 2014, 10.1145/2660193.2660195)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` to run without Python's lock, and keep it on disk if any folder allows."""
    compile_: Any = partial(njit, nogil=True, error_model="numpy", fastmath=SAFE_MATHS)
    try:
        return compile_(cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return compile_()(function)


class Plan(NamedTuple):
    """A dense network as the kernels see it: widths, and where the arrays of each layer start.

    `weight` and `bias` have an entry for each linear layer, the others for each hidden layer; all
    count from the start of the member's flat arrays, but `column` from the first hidden value.
    """

    widths: NDArray[np.int64]  # inputs, hidden layers, outputs
    column: NDArray[np.int64]
    weight: NDArray[np.int64]
    bias: NDArray[np.int64]
    gain: NDArray[np.int64]  # this and the next three only if `normalise`
    shift: NDArray[np.int64]
    mean: NDArray[np.int64]
    variance: NDArray[np.int64]
    normalise: bool
    momentum: np.float32
    eps: np.float32
    activation: int
    keep: int  # of 65,536 values; 0: no dropout
    focus: np.float32  # exponent of the focal loss; 0: plain cross-entropy
    head_l1: np.float32  # penalties of the head's weights
    head_l2: np.float32


class State(NamedTuple):
    """What training changes in one member: flat weights, both moments, running statistics."""

    weights: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    running: NDArray[np.float32]


class Batches(NamedTuple):
    """What a member learns from."""

    inputs: NDArray[np.float32]  # (steps, batch, n_in)
    targets: NDArray[np.float32]  # (steps, batch, n_out)
    weights: NDArray[np.float32]  # (steps, batch)


class Adam(NamedTuple):
    """Where the optimiser stands: steps taken before, learning rate, decoupled decay, epsilon."""

    steps_done: int
    rate: float
    decay: float
    epsilon: float


class Work(NamedTuple):
    """Scratch arrays of a step; those of the hidden layers are (batch, width), end to end."""

    grads: NDArray[np.float32]  # of the weights
    out: NDArray[np.float32]  # what a hidden layer gives to the next
    slope: NDArray[np.float32]  # derivative of the activation
    normal: NDArray[np.float32]  # normalised, before gain and shift
    kept: NDArray[np.float32]  # dropout mask
    back: NDArray[np.float32]  # gradient at the layer
    scale: NDArray[np.float32]  # 1 / standard deviation of each hidden value
    bits: NDArray[np.uint64]


@compiled
def train_steps(plan: Plan, state: State, data: Batches, key: np.uint64, adam: Adam) -> float:
    """Take one Adam step a batch and return the sum of losses; `key` starts the dropout bits."""
    steps, batch = data.weights.shape
    work = _work(plan, batch, state.weights.size)
    words = words_a_step(plan, batch)
    total = 0.0
    for step in range(steps):
        x = data.inputs[step]
        _draw_masks(plan, work, batch, key + np.uint64(step * words) * _GOLDEN)
        logits = _forward(plan, state, work, x)
        if plan.widths[-1] == 1:
            total += _binary_cross_entropy(
                logits, data.targets[step], data.weights[step], plan.focus
            )
        else:
            total += _cross_entropy(logits, data.targets[step], data.weights[step])
        _backward(plan, state, work, x, logits)
        total += _penalise(plan, state, work)
        _adam(state, work.grads, adam, adam.steps_done + step + 1)
    return total


def kept_of_65536(share: float) -> int:
    """Return how many of 65,536 values dropout keeps, at least one."""
    return max(1, round(share * 65536))


def later(keys: NDArray[np.uint64], words: int) -> NDArray[np.uint64]:
    """Return the keys after `words` random words were drawn with each (they count modulo 2^64)."""
    return keys + np.uint64(words * int(_GOLDEN) % 2**64)


@compiled
def words_for(count: int) -> int:
    """Return the number of 64-bit words that `count` dropout decisions take."""
    return (count + 3) // 4


@compiled
def words_a_step(plan: Plan, batch: int) -> int:
    """Return the number of 64-bit words that the dropout masks of one step take."""
    words = 0
    if plan.keep > 0:
        for width in plan.widths[1:-1]:
            words += words_for(batch * width)
    return words


@compiled
def fill_mask(
    kept: NDArray[np.float32], bits: NDArray[np.uint64], key: np.uint64, keep: int
) -> None:
    """Fill a dropout mask: 65536 / `keep` where 16 random bits are below `keep`, else 0."""
    for i in range(words_for(kept.size)):
        z = key + (np.uint64(i) + np.uint64(1)) * _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        bits[i] = z ^ (z >> np.uint64(31))
    quarters = bits.view(np.uint16)
    value, threshold = np.float32(65536.0 / keep), np.int32(keep)
    for i in range(kept.size):
        kept[i] = value if np.int32(quarters[i]) < threshold else np.float32(0.0)


@compiled
def _work(plan: Plan, batch: int, n_weights: int) -> Work:
    hidden, widest = plan.widths[1:-1].sum(), plan.widths.max()
    return Work(
        np.zeros(n_weights, np.float32),
        np.empty(batch * hidden, np.float32),
        np.empty(batch * hidden, np.float32),
        np.empty(batch * hidden, np.float32),
        np.empty(batch * hidden, np.float32),
        np.empty(batch * hidden, np.float32),
        np.empty(hidden, np.float32),
        np.empty(words_for(batch * widest), np.uint64),
    )


@compiled
def _of_layer(values: NDArray, plan: Plan, layer: int, batch: int) -> NDArray:
    """Return the part of a hidden layer in `values`, of `batch` rows a layer, flat."""
    start, width = plan.column[layer], plan.widths[layer + 1]
    return values[batch * start : batch * (start + width)]


@compiled
def _draw_masks(plan: Plan, work: Work, batch: int, key: np.uint64) -> None:
    if plan.keep > 0:
        for layer in range(plan.column.size):
            kept = _of_layer(work.kept, plan, layer, batch)
            fill_mask(kept, work.bits, key, plan.keep)
            key += np.uint64(words_for(kept.size)) * _GOLDEN


@compiled
def _forward(plan: Plan, state: State, work: Work, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logits (batch, n_out), leaving in `work` what the way back needs."""
    batch, n_hidden = x.shape[0], plan.column.size
    for layer in range(n_hidden):
        flat = _of_layer(work.out, plan, layer, batch)
        out = flat.reshape(batch, plan.widths[layer + 1])
        _affine(plan, state.weights, layer, x, out)
        _activate(flat, _of_layer(work.slope, plan, layer, batch), plan.activation)
        if plan.normalise:
            _normalise(plan, state, work, layer, out)
        if plan.keep > 0:
            _multiply(flat, _of_layer(work.kept, plan, layer, batch))
        x = out
    logits = np.empty((batch, plan.widths[-1]), np.float32)
    _affine(plan, state.weights, n_hidden, x, logits)
    return logits


@compiled
def _matrix(plan: Plan, weights: NDArray[np.float32], layer: int) -> NDArray[np.float32]:
    """Return the weights (n_in, width) of a linear layer, as a view."""
    n_in, width, start = plan.widths[layer], plan.widths[layer + 1], plan.weight[layer]
    return weights[start : start + n_in * width].reshape(n_in, width)


@compiled
def _affine(plan: Plan, weights: NDArray, layer: int, x: NDArray, out: NDArray) -> None:
    """Fill `out` (batch, width) with x W + b."""
    np.dot(x, _matrix(plan, weights, layer), out)
    bias = weights[plan.bias[layer] : plan.bias[layer] + out.shape[1]]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += bias[j]


@compiled
def _activate(z: NDArray[np.float32], slope: NDArray[np.float32], activation: int) -> None:
    """Turn `z` into the activation, in place, and fill `slope` with its derivative."""
    if activation == 0:
        for i in range(z.size):
            z[i] = _tanh(z[i])
            slope[i] = _ONE - z[i] * z[i]
    elif activation == 1:
        for i in range(z.size):
            slope[i] = _ONE if z[i] > 0 else np.float32(0.0)
            z[i] = z[i] if z[i] >= 0 or z[i] != z[i] else np.float32(0.0)
    else:
        for i in range(z.size):
            share = _HALF + _HALF * _tanh(_HALF * z[i])  # the logistic function
            slope[i] = share * (_ONE + z[i] * (_ONE - share))
            z[i] *= share


@compiled
def _tanh(x: np.float32) -> np.float32:
    x = -_TANH_LIMIT if x < -_TANH_LIMIT else x
    x = _TANH_LIMIT if x > _TANH_LIMIT else x
    s = x * x
    upper = (((((_P6 * s + _P5) * s + _P4) * s + _P3) * s + _P2) * s + _P1) * s + _P0
    lower = ((_Q3 * s + _Q2) * s + _Q1) * s + _Q0
    return x * upper / lower


@compiled
def _normalise(plan: Plan, state: State, work: Work, layer: int, x: NDArray) -> None:
    """Batch-normalise `x` (batch, width) in place, and move the running statistics."""
    batch, width = x.shape
    share = _ONE / np.float32(batch)
    normal = _of_layer(work.normal, plan, layer, batch).reshape(batch, width)
    scale = _of_layer(work.scale, plan, layer, 1)
    mean, variance = np.zeros(width, np.float32), np.zeros(width, np.float32)
    _add_columns(x, mean)
    mean *= share
    for i in range(batch):
        for j in range(width):
            normal[i, j] = x[i, j] - mean[j]
    for i in range(batch):
        for j in range(width):
            variance[j] += normal[i, j] * normal[i, j]
    variance *= share
    for j in range(width):
        scale[j] = _ONE / np.sqrt(variance[j] + plan.eps)
    gain = state.weights[plan.gain[layer] : plan.gain[layer] + width]
    shift = state.weights[plan.shift[layer] : plan.shift[layer] + width]
    for i in range(batch):
        for j in range(width):
            normal[i, j] *= scale[j]
            x[i, j] = normal[i, j] * gain[j] + shift[j]
    _follow(state.running[plan.mean[layer] :], mean, plan.momentum)
    _follow(state.running[plan.variance[layer] :], variance, plan.momentum)


@compiled
def _follow(running: NDArray[np.float32], now: NDArray[np.float32], momentum: np.float32) -> None:
    for j in range(now.size):
        running[j] += momentum * (now[j] - running[j])


@compiled
def _add_columns(x: NDArray[np.float32], total: NDArray[np.float32]) -> None:
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            total[j] += x[i, j]


@compiled
def _multiply(x: NDArray[np.float32], factor: NDArray[np.float32]) -> None:
    for i in range(x.size):
        x[i] *= factor[i]


@compiled
def _cross_entropy(logits: NDArray, targets: NDArray, row_weights: NDArray) -> float:
    """Return the mean weighted loss of the batch, and turn `logits` into its gradient."""
    batch, total = logits.shape[0], 0.0
    for i in range(batch):
        top = logits[i].max()
        norm = np.float32(0.0)
        for z in logits[i]:
            norm += np.exp(z - top)
        log_norm, weight = top + np.log(norm), row_weights[i] / np.float32(batch)
        mass, loss = np.float32(0.0), np.float32(0.0)
        for k in range(logits.shape[1]):
            mass += targets[i, k]
            loss += targets[i, k] * (log_norm - logits[i, k])
        total += loss * weight
        for k in range(logits.shape[1]):
            chance = np.exp(logits[i, k] - log_norm)
            logits[i, k] = (chance * mass - targets[i, k]) * weight
    return total


@compiled
def _binary_cross_entropy(
    logits: NDArray, targets: NDArray, row_weights: NDArray, focus: np.float32
) -> float:
    """Return the mean weighted (focal) loss of one output, and turn `logits` into its gradient."""
    batch, total = logits.shape[0], 0.0
    for i in range(batch):
        z, t, weight = logits[i, 0], targets[i, 0], row_weights[i] / np.float32(batch)
        fade = np.exp(-np.abs(z))
        log_norm = np.log1p(fade)
        log_p, log_q = min(z, np.float32(0.0)) - log_norm, min(-z, np.float32(0.0)) - log_norm
        p = (_ONE if z > 0 else fade) / (_ONE + fade)
        q = (fade if z > 0 else _ONE) / (_ONE + fade)
        if focus > 0:
            for_one, for_zero = q**focus, p**focus
            total -= (t * for_one * log_p + (_ONE - t) * for_zero * log_q) * weight
            slope = t * for_one * (focus * p * log_p - q)
            slope += (_ONE - t) * for_zero * (p - focus * q * log_q)
        else:
            total -= (t * log_p + (_ONE - t) * log_q) * weight
            slope = p - t
        logits[i, 0] = slope * weight
    return total


@compiled
def _penalise(plan: Plan, state: State, work: Work) -> float:
    """Add the penalties of the head's weights to `work.grads`, and return them."""
    total = 0.0
    if plan.head_l1 > 0 or plan.head_l2 > 0:
        start = plan.weight[-1]
        for i in range(start, start + plan.widths[-2] * plan.widths[-1]):
            w = state.weights[i]
            total += plan.head_l1 * np.abs(w) + plan.head_l2 * w * w
            work.grads[i] += plan.head_l1 * np.sign(w) + np.float32(2.0) * plan.head_l2 * w
    return total


@compiled
def _backward(plan: Plan, state: State, work: Work, x: NDArray, grad: NDArray) -> None:
    """Fill `work.grads` from `grad`, the gradient of the loss at the logits (batch, n_out)."""
    batch = x.shape[0]
    for layer in range(plan.column.size - 1, -1, -1):
        shape = (batch, plan.widths[layer + 1])
        below = _of_layer(work.out, plan, layer, batch).reshape(shape)
        _affine_gradients(plan, work, layer + 1, below, grad)
        flat = _of_layer(work.back, plan, layer, batch)
        back = flat.reshape(shape)
        np.dot(grad, _matrix(plan, state.weights, layer + 1).T, back)
        if plan.keep > 0:
            _multiply(flat, _of_layer(work.kept, plan, layer, batch))
        if plan.normalise:
            _normalise_gradients(plan, state, work, layer, back)
        _multiply(flat, _of_layer(work.slope, plan, layer, batch))
        grad = back
    _affine_gradients(plan, work, 0, x, grad)


@compiled
def _affine_gradients(plan: Plan, work: Work, layer: int, x: NDArray, grad: NDArray) -> None:
    np.dot(x.T, grad, _matrix(plan, work.grads, layer))
    total = work.grads[plan.bias[layer] : plan.bias[layer] + grad.shape[1]]
    total[:] = 0.0
    _add_columns(grad, total)


@compiled
def _normalise_gradients(plan: Plan, state: State, work: Work, layer: int, grad: NDArray) -> None:
    """Turn `grad` (batch, width) into the gradient before batch normalisation, in closed form."""
    batch, width = grad.shape
    share = _ONE / np.float32(batch)
    normal = _of_layer(work.normal, plan, layer, batch).reshape(batch, width)
    scale = _of_layer(work.scale, plan, layer, 1)
    gain = state.weights[plan.gain[layer] : plan.gain[layer] + width]
    grad_gain = work.grads[plan.gain[layer] : plan.gain[layer] + width]
    grad_shift = work.grads[plan.shift[layer] : plan.shift[layer] + width]
    grad_gain[:], grad_shift[:] = 0.0, 0.0
    for i in range(batch):
        for j in range(width):
            grad_gain[j] += grad[i, j] * normal[i, j]
            grad_shift[j] += grad[i, j]
    for i in range(batch):
        for j in range(width):
            centred = grad[i, j] - share * (grad_shift[j] + normal[i, j] * grad_gain[j])
            grad[i, j] = centred * gain[j] * scale[j]


@compiled
def _adam(state: State, grads: NDArray[np.float32], adam: Adam, step: int) -> None:
    """Take step number `step` (from 1) of Adam; a decay shrinks the weights on its own (AdamW)."""
    size = np.float32(adam.rate / (1.0 - 0.9**step))
    spread = np.float32(1.0 / np.sqrt(1.0 - 0.999**step))
    shrink, epsilon = np.float32(1.0 - adam.rate * adam.decay), np.float32(adam.epsilon)
    weights, first, second = state.weights, state.first, state.second
    for i in range(weights.size):
        g = grads[i]
        m = first[i] + (_ONE - _BETA_1) * (g - first[i])
        v = second[i] + (_ONE - _BETA_2) * (g * g - second[i])
        first[i], second[i] = m, v
        weights[i] = weights[i] * shrink - size * m / (np.sqrt(v) * spread + epsilon)
