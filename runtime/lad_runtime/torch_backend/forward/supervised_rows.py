"""The supervised tokens of several requests, as the rows that the head computes."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from lad_runtime.torch_backend.forward.requests import GradientRequest, LossRequest
from lad_runtime.torch_backend.kernels.device import on_device
from lad_runtime.torch_backend.model.flat_batch import padded_indices

Span = tuple[int, int]


class SupervisedRows:
    """The supervised tokens of all requests' segments, padded to a multiple of matmul rows with target 0 and weight 0.

    `spans` are the batch rows of each request's segments; `weights_R` is 0 for requests without gradients.
    """

    def __init__(
        self, requests: Sequence[GradientRequest | LossRequest], spans: Sequence[Sequence[Span]]
    ) -> None:
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

    def gather(self, hidden_ND: Tensor) -> Tensor:
        """The supervised rows [R, D] of a batch's hidden states."""
        return hidden_ND[on_device(self._rows_R, hidden_ND.device)]

    def split(self, ce_R: Tensor) -> list[tuple[Tensor, ...]]:
        """Every request's CE for each segment, [L] on the CPU, 0 where unsupervised."""
        counts = [int(kept.sum()) for request_kept in self._kept for kept in request_kept]
        values = iter(ce_R[: self._count].cpu().split(counts))
        return [
            tuple(torch.zeros(len(kept)).masked_scatter_(kept, next(values)) for kept in request_kept)
            for request_kept in self._kept
        ]
