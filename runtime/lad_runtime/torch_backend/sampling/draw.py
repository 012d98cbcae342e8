"""From logits to tokens: MASK and bias, temperature, top-k, top-p, one draw per row, and how probable the drawn token was.

Every row is computed by itself (no reduction ever runs over a shape that depends on how many rows there are), so a canvas draws
the same tokens in any company. Probabilities that are drawn from are float64.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.random import CanvasKey, Purpose, uniform_lanes, uniforms
from lad_runtime.torch_backend.kernels.device import on_device
from lad_runtime.types.sampling import DrawSpec

_CHUNK_ELEMENTS = 2**24
"""Rows are drawn in chunks of about so many logits, which bounds a float64 temporary to 128 MiB."""

_COLDEST = 1e-269
"""Any float32 divided by it is a float64, and the least difference of two is more than any other token survives."""

_BLOCK = 256


class SpecialTokens(Protocol):
    """The token ids that a draw treats specially."""

    @property
    def mask_token_id(self) -> int: ...

    @property
    def stop_token_ids(self) -> Sequence[int]: ...


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One token a row: its id, and its probability in the distribution that `DrawSpec.confidence` names."""

    ids_R: NDArray[np.int64]
    confidences_R: NDArray[np.float64]  # float32 values


def draw(
    logits_RV: Tensor,
    spec: DrawSpec,
    *,
    tokens: SpecialTokens,
    key: CanvasKey,
    iteration: int,
    positions_R: NDArray[np.int64],
) -> Drawn:
    """One token for each row of float32 logits; row r is answer position `positions_R[r]`.

    Position p of iteration i takes number p of the sequence (seed, DRAW, subject = canvas, round i, lane 0), or with Gumbel-max all
    V numbers of lane 1 + p. At temperature 0 the arg-max is taken, the lowest id on ties, and no number.

    Raises LadError(DIVERGED) when the logits are not numbers.
    """
    rows = max(1, _CHUNK_ELEMENTS // logits_RV.shape[1])
    chunks = [
        _draw_rows(logits, spec, tokens, key, iteration, positions_R[i * rows : (i + 1) * rows])
        for i, logits in enumerate(logits_RV.split(rows))
    ]
    # float64 holds an id and a float32 exactly, so that the host waits for one transfer.
    ids_R, confidences_R, likely_R = torch.cat(chunks, dim=1).cpu().numpy()
    if np.isnan(likely_R).any():  # one NaN or infinity among the logits makes its whole row NaN
        raise _diverged()
    return Drawn(ids_R=ids_R.astype(np.int64), confidences_R=confidences_R)


def numbers_only(logits: Tensor) -> Tensor:
    """The logits. Raises LadError(DIVERGED) when they are not numbers."""
    if not bool(torch.isfinite(logits).all()):
        raise _diverged()
    return logits


def biased(logits_RV: Tensor, spec: DrawSpec, tokens: SpecialTokens) -> Tensor:
    """The logits with `eos_bias` added to those of the stop tokens (−inf forbids them), and −inf for MASK unless it is allowed."""
    if spec.allow_mask and spec.eos_bias == 0:
        return logits_RV
    logits_RV = logits_RV.clone()
    if not spec.allow_mask:
        logits_RV[:, tokens.mask_token_id] = -torch.inf
    if spec.eos_bias != 0:
        logits_RV[:, list(tokens.stop_token_ids)] += spec.eos_bias
    return logits_RV


def without_stops(
    logits_RV: Tensor, tokens: SpecialTokens, positions_R: NDArray[np.int64], stop_from: int
) -> Tensor:
    """The logits with −inf for the stop tokens at positions before `stop_from`."""
    rows = np.flatnonzero(positions_R < stop_from)
    if not len(rows):
        return logits_RV
    logits_RV = logits_RV.clone()
    rows_R1 = on_device(torch.from_numpy(rows), logits_RV.device)[:, None]
    logits_RV[rows_R1, list(tokens.stop_token_ids)] = -torch.inf
    return logits_RV


def arg_max(logits_RV: Tensor) -> Tensor:
    """Each row's most probable token, the lowest id on ties: [R, 1].

    Of a large vocabulary the maximum of each block of ids comes first: a CPU takes those many numbers at a time, and an arg max
    one by one.
    """
    vocabulary = logits_RV.shape[1]
    if logits_RV.is_cuda or vocabulary % _BLOCK:
        return logits_RV.argmax(-1, keepdim=True)
    blocks_RKB = logits_RV.unflatten(1, (-1, _BLOCK))
    best_R1 = blocks_RKB.amax(-1).argmax(-1, keepdim=True)
    chosen_RB = blocks_RKB.take_along_dim(best_R1[:, :, None], 1)[:, 0]
    return best_R1 * _BLOCK + chosen_RB.argmax(-1, keepdim=True)


def entropies(logits_RV: Tensor) -> Tensor:
    """Entropy of each row's distribution at temperature 1, in nats: float32 [R].

    A cumulative sum, because a plain sum over a single long row is split between threads and would round differently.
    """
    probabilities_RV = torch.softmax(logits_RV.double(), -1)
    return torch.special.entr(probabilities_RV).cumsum(-1)[:, -1].float()


def probabilities_of(logits_RV: Tensor, ids_R: NDArray[np.int64]) -> Tensor:
    """The probability of one token of each row at temperature 1: float32 [R]."""
    ids_R1 = on_device(torch.from_numpy(ids_R), logits_RV.device)[:, None]
    return torch.log_softmax(logits_RV, -1).gather(1, ids_R1)[:, 0].exp()


def most_probable(logits_RV: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` most probable tokens of each row, the lower id first on ties: ids [R, count], probabilities float32."""
    ids_RK = _top_k_mask(logits_RV, count).nonzero()[:, 1].view(-1, count)
    probabilities_RK = torch.log_softmax(logits_RV, -1).gather(1, ids_RK).exp()
    probabilities_RK, order_RK = probabilities_RK.sort(dim=-1, descending=True, stable=True)
    return ids_RK.gather(1, order_RK), probabilities_RK


def filtered_probabilities(logits_RV: Tensor, spec: DrawSpec) -> Tensor:
    """The distribution that is drawn from at temperature > 0: float64 [R, V], each row summing to 1.

    softmax(logits / temperature), of which top-k keeps exactly the k most probable tokens (lower ids on ties), and top-p then
    the shortest run of the most probable ones whose renormalised sum reaches p (arXiv 1904.09751), at least one.
    """
    scaled_RV = logits_RV.double() / max(spec.temperature, _COLDEST)
    if 0 < spec.top_k < scaled_RV.shape[1]:
        scaled_RV = scaled_RV.masked_fill(~_top_k_mask(scaled_RV, spec.top_k), -torch.inf)
    if spec.top_p < 1:
        scaled_RV = scaled_RV.masked_fill(~_top_p_mask(torch.softmax(scaled_RV, -1), spec.top_p), -torch.inf)
    return torch.softmax(scaled_RV, -1)


def _draw_rows(
    logits_RV: Tensor,
    spec: DrawSpec,
    tokens: SpecialTokens,
    key: CanvasKey,
    iteration: int,
    positions_R: NDArray[np.int64],
) -> Tensor:
    """Ids, confidences (float32 values) and the ids' probabilities at temperature 1: [3, R] float64."""
    logits_RV = biased(logits_RV, spec, tokens)
    log_p_RV = torch.log_softmax(logits_RV, -1)
    if spec.temperature == 0:
        ids_R1 = arg_max(logits_RV)
        filtered_R1 = torch.ones_like(ids_R1, dtype=torch.float32)
    else:
        probabilities_RV = filtered_probabilities(logits_RV, spec)
        ids_R1 = _DRAWS[spec.method](probabilities_RV, key, iteration, positions_R)
        filtered_R1 = probabilities_RV.gather(1, ids_R1)
    likely_R1 = log_p_RV.gather(1, ids_R1).exp()
    confidences_R1 = filtered_R1 if spec.confidence == "filtered" else likely_R1
    return torch.cat((ids_R1.double(), confidences_R1.float().double(), likely_R1.double()), dim=1).t()


def inverse_cdf(probabilities_RV: Tensor, u_R: Tensor) -> Tensor:
    """The first id whose share of the cumulative sum exceeds u: [R, 1]. A token of weight 0 is never drawn."""
    cumulative_RV = probabilities_RV.cumsum(-1)
    thresholds_R1 = on_device(u_R, cumulative_RV.device)[:, None] * cumulative_RV[:, -1:]
    ids_R1 = torch.searchsorted(cumulative_RV, thresholds_R1, right=True)
    return ids_R1.clamp_(max=cumulative_RV.shape[1] - 1)  # which a row of NaN would exceed


def _inverse_cdf(
    probabilities_RV: Tensor, key: CanvasKey, iteration: int, positions_R: NDArray[np.int64]
) -> Tensor:
    count = int(positions_R.max(initial=-1)) + 1
    numbers = uniforms(key.seed, Purpose.DRAW, key.canvas, iteration, count)[positions_R]
    return inverse_cdf(probabilities_RV, torch.from_numpy(numbers))


def _gumbel_max(
    probabilities_RV: Tensor, key: CanvasKey, iteration: int, positions_R: NDArray[np.int64]
) -> Tensor:
    """arg max of ln p − ln(−ln u), u one number a vocabulary entry (Gumbel-max; arXiv 2502.09992's sampler): [R, 1]."""
    lanes = [1 + int(position) for position in positions_R]
    numbers = torch.from_numpy(
        uniform_lanes(key.seed, Purpose.DRAW, key.canvas, iteration, probabilities_RV.shape[1], lanes)
    )
    u_RV = on_device(numbers, probabilities_RV.device)
    noise_RV = -torch.log(-torch.log(u_RV.clamp_min(2**-33)))  # finite at u = 0
    return (probabilities_RV.log() + noise_RV).argmax(-1, keepdim=True)


_DRAWS: dict[str, Callable[[Tensor, CanvasKey, int, NDArray[np.int64]], Tensor]] = {
    "inverse-cdf": _inverse_cdf,
    "gumbel": _gumbel_max,
}


def _diverged() -> LadError:
    return LadError(
        ErrorCode.DIVERGED,
        "The model's logits are not numbers.",
        remedy="The adapter has diverged: go back to an earlier checkpoint, or train with a lower learning rate.",
    )


def _top_k_mask(values_RV: Tensor, k: int) -> Tensor:
    """True at exactly the k largest values of each row; of values equal to the k-th, at the lowest ids."""
    kth_R1 = values_RV.topk(k, -1).values[:, -1:]
    above_RV = values_RV > kth_R1
    tied_RV = values_RV == kth_R1
    room_R1 = k - above_RV.sum(-1, keepdim=True)
    return above_RV | (tied_RV & (tied_RV.cumsum(-1) <= room_R1))


def _top_p_mask(probabilities_RV: Tensor, p: float) -> Tensor:
    """True where the more probable tokens of the row (lower ids first on ties) sum to less than p."""
    sorted_RV, order_RV = probabilities_RV.sort(dim=-1, descending=True, stable=True)
    before_RV = torch.zeros_like(sorted_RV)
    before_RV[:, 1:] = sorted_RV.cumsum(-1)[:, :-1]
    return torch.zeros_like(order_RV, dtype=torch.bool).scatter(1, order_RV, before_RV < p)
