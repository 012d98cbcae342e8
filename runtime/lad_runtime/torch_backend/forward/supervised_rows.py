"""The supervised tokens of several requests, as the rows that the head computes."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.forward.requests import GradientRequest, LossRequest
from lad_runtime.torch_backend.kernels.device import on_device
from lad_runtime.torch_backend.kernels.frozen_head_loss import SoftRows
from lad_runtime.torch_backend.model.flat_batch import padded_indices

Span = tuple[int, int]


class SupervisedRows:
    """The supervised tokens of all requests' segments, padded to a multiple of matmul rows with target 0 and weight 0.

    `spans` are the batch rows of each request's segments; `weights_R` is 0 for requests without gradients. Either all requests have
    soft targets, of equally many ids, or none has.
    """

    def __init__(
        self, requests: Sequence[GradientRequest | LossRequest], spans: Sequence[Sequence[Span]]
    ) -> None:
        widths = {request.soft_width for request in requests}
        assert len(widths) == 1, "requests of other targets have rows of their own"
        self._kept = [[targets != IGNORE_INDEX for targets in request.targets] for request in requests]
        rows, targets, weights = [], [], []
        for request, request_spans, request_kept in zip(requests, spans, self._kept, strict=True):
            for index, ((start, _), kept) in enumerate(zip(request_spans, request_kept, strict=True)):
                rows.append(start + kept.nonzero().squeeze(1))
                targets.append(request.targets[index][kept])
                if isinstance(request, GradientRequest):
                    weights.append(request.weights[index][kept])
                else:
                    weights.append(torch.zeros(len(targets[-1])))
        unpadded = torch.cat(rows)
        self._count = len(unpadded)
        self._rows_R = padded_indices(unpadded)
        padding = (0, len(self._rows_R) - self._count)
        self.targets_R = F.pad(torch.cat(targets), padding)
        self.weights_R = F.pad(torch.cat(weights), padding)
        self._soft = [soft for request in requests for soft in request.soft]
        self._padding = padding[1]

    def gather(self, hidden_ND: Tensor) -> Tensor:
        """The supervised rows [R, D] of a batch's hidden states."""
        return hidden_ND[on_device(self._rows_R, hidden_ND.device)]

    def soft(self, device: torch.device) -> SoftRows | None:
        """The soft targets of the supervised rows, on `device`."""
        if not self._soft:
            return None
        kept = [kept for request_kept in self._kept for kept in request_kept]
        pairs = list(zip(self._soft, kept, strict=True))
        shares = torch.cat([soft.label_share_R[rows] for soft, rows in pairs])
        ids = torch.cat([soft.ids_RK[rows] for soft, rows in pairs])
        probabilities = torch.cat([soft.probabilities_RK[rows] for soft, rows in pairs])
        return SoftRows(
            label_share_R=on_device(F.pad(shares, (0, self._padding)), device),
            ids_RK=on_device(F.pad(ids, (0, 0, 0, self._padding)), device),
            probabilities_RK=on_device(F.pad(probabilities, (0, 0, 0, self._padding)), device),
        )

    def split(self, losses_2R: Tensor) -> list[tuple[Tensor, ...]]:
        """Every request's losses for each segment, on the CPU, 0 where unsupervised: [L] of labels alone, else [2, L]."""
        counts = [int(kept.sum()) for request_kept in self._kept for kept in request_kept]
        wanted = losses_2R if self._soft else losses_2R[0]
        values = iter(wanted[..., : self._count].cpu().split(counts, dim=-1))
        return [tuple(_spread(next(values), kept) for kept in request_kept) for request_kept in self._kept]


def _spread(values: Tensor, kept_L: Tensor) -> Tensor:
    """The values [..., kept] at the kept positions, 0 at the others, [..., L]."""
    spread = torch.zeros(*values.shape[:-1], len(kept_L))
    spread[..., kept_L] = values
    return spread
