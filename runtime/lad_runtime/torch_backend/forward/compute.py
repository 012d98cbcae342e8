"""Computes the requests of several jobs in as few forwards as possible."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from lad_runtime.torch_backend.forward.requests import (
    ContextRequest,
    DistributionRequest,
    ForwardRequest,
    GradientRequest,
    HeadRequest,
    HiddenRequest,
    LogitsRequest,
    LossRequest,
)
from lad_runtime.torch_backend.forward.supervised_rows import Span, SupervisedRows
from lad_runtime.torch_backend.kernels.device import on_device
from lad_runtime.torch_backend.kernels.frozen_head_loss import (
    cross_entropy,
    most_probable,
    weighted_cross_entropy,
)
from lad_runtime.torch_backend.model.flat_batch import FlatBatch, padded_indices
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.segment import Segment

Results = list[tuple[Tensor, ...]]
Gradients = list[tuple[Tensor, Tensor]]  # a parameter, and what its .grad grows by


def compute(model: Llama, requests: Sequence[ForwardRequest]) -> list[object]:
    """Computes requests and returns their results in order. On the CPU each equals, bit for bit, the result of that request alone.

    Inference requests share one forward. Gradient requests, which have soft targets of equally many ids or none, share another,
    unless two of them train the same adapter: summed in one batch, their gradients would round differently, so the later one gets
    its own forward. If anything is raised, no gradient
    has been added and no cache has grown.
    """
    for request in requests:
        if isinstance(request, GradientRequest | LossRequest):
            request.assert_predictable(model.config.vocab_size)
    results: list[object] = [None] * len(requests)
    gradients: Gradients = []
    with _caches_kept_on_failure(requests):
        inference = [
            index for index, request in enumerate(requests) if not isinstance(request, GradientRequest)
        ]
        if inference:
            for index, result in zip(inference, _infer(model, [requests[i] for i in inference]), strict=True):
                results[index] = result
        for batch in _batches(requests):
            losses, added = _differentiate(model, [request for _, request in batch])
            gradients += added
            for (index, _), result in zip(batch, losses, strict=True):
                results[index] = result
    for parameter, gradient in gradients:
        parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
    return results


@torch.no_grad()
def _infer(model: Llama, requests: Sequence[ForwardRequest]) -> list[object]:
    segments = _segments(requests)
    if not any(segments):
        return [_head(model, request) if isinstance(request, HeadRequest) else None for request in requests]
    batch, spans = _laid_out(model, segments)
    with torch.inference_mode():  # what is gathered from the states below are ordinary tensors again
        hidden_ND = model.hidden_states(batch)
    results: list[object] = [
        _head(model, request) if isinstance(request, HeadRequest) else None for request in requests
    ]
    for scored in _of_equal_targets(requests):
        rows = SupervisedRows([request for _, request in scored], [spans[index] for index, _ in scored])
        losses_2R = cross_entropy(
            rows.gather(hidden_ND),
            model.head,
            on_device(rows.targets_R, model.device),
            model.kernel_of("head"),
            soft=rows.soft(model.device),
        )
        for (index, _), result in zip(scored, rows.split(losses_2R), strict=True):
            results[index] = result
    for index, request in enumerate(requests):
        if isinstance(request, DistributionRequest):
            results[index] = _distributions(model, request, spans[index], hidden_ND)
        elif isinstance(request, HiddenRequest):
            results[index] = tuple(
                hidden_ND[on_device(start + rows, model.device)]
                for (start, _), rows in zip(spans[index], request.rows, strict=True)
            )
    shown = [(index, request) for index, request in enumerate(requests) if isinstance(request, LogitsRequest)]
    if shown:
        asked = [
            start + rows
            for index, request in shown
            for (start, _), rows in zip(spans[index], request.rows, strict=True)
        ]
        rows_R = on_device(padded_indices(torch.cat(asked)), model.device)
        parts = iter(
            model.logits(hidden_ND[rows_R]).split([*map(len, asked), len(rows_R) - sum(map(len, asked))])
        )
        for index, request in shown:
            results[index] = tuple(next(parts) for _ in request.rows)
    return results


@torch.enable_grad()
def _differentiate(model: Llama, requests: Sequence[GradientRequest]) -> tuple[Results, Gradients]:
    batch, spans = _laid_out(model, [request.segments for request in requests])
    rows = SupervisedRows(requests, spans)
    hidden_RD = rows.gather(model.hidden_states(batch, checkpointing=any(w.checkpointing for w in requests)))
    targets_R, weights_R = (on_device(t, model.device) for t in (rows.targets_R, rows.weights_R))
    total, losses_2R = weighted_cross_entropy(
        hidden_RD,
        model.head,
        targets_R,
        weights_R,
        model.kernel_of("head"),
        soft=rows.soft(model.device),
    )
    adapters = {id(group.adapter): group.adapter for group in batch.adapters}.values()
    parameters = [p for adapter in adapters for p in adapter.parameters.values() if p.requires_grad]
    gradients = torch.autograd.grad(total, parameters) if parameters else ()
    return rows.split(losses_2R), list(zip(parameters, gradients, strict=True))


def _segments(requests: Sequence[ForwardRequest]) -> list[Sequence[Segment]]:
    """The segments that each request needs. A cache that several requests fill is computed for the first one alone."""
    filling: set[int] = set()
    needed: list[Sequence[Segment]] = []
    for request in requests:
        segments: Sequence[Segment] = request.segments
        if isinstance(request, ContextRequest):
            segments = [segment for segment in request.missing if id(segment.cache) not in filling]
            filling |= {id(segment.cache) for segment in segments}
        needed.append(segments)
    return needed


def _laid_out(model: Llama, needed: Sequence[Sequence[Segment]]) -> tuple[FlatBatch, list[list[Span]]]:
    """One batch of all requests' segments, and the rows of each."""
    batch = model.batch([segment for segments in needed for segment in segments])
    spans = iter(batch.spans)
    return batch, [[next(spans) for _ in segments] for segments in needed]


def _head(model: Llama, request: HeadRequest) -> Tensor:
    rows_R = on_device(padded_indices(torch.arange(len(request.hidden_RD))), model.device)
    return model.logits(request.hidden_RD[rows_R])[: len(request.hidden_RD)]


def _of_equal_targets(requests: Sequence[ForwardRequest]) -> list[list[tuple[int, LossRequest]]]:
    """Loss requests with their indices, those together whose soft targets have equally many ids, or that have none."""
    groups: dict[int, list[tuple[int, LossRequest]]] = {}
    for index, request in enumerate(requests):
        if isinstance(request, LossRequest):
            groups.setdefault(request.soft_width, []).append((index, request))
    return list(groups.values())


def _distributions(
    model: Llama, request: DistributionRequest, spans: Sequence[Span], hidden_ND: Tensor
) -> tuple[tuple[Tensor, Tensor], ...]:
    asked: list[Tensor] = []
    for (start, _), rows, before in zip(spans, request.rows, request.before, strict=True):
        own = hidden_ND[on_device(start + rows, model.device)]
        asked.append(own if before is None else torch.cat([before, own]))
    hidden_RD = torch.cat(asked)
    rows_R = on_device(padded_indices(torch.arange(len(hidden_RD))), model.device)
    ids, probabilities = most_probable(hidden_RD[rows_R], model.head, request.count, model.kernel_of("head"))
    counts = [len(part) for part in asked]
    split = (values[: len(hidden_RD)].cpu().split(counts) for values in (ids, probabilities))
    return tuple(zip(*split, strict=True))


def _batches(requests: Sequence[ForwardRequest]) -> list[list[tuple[int, GradientRequest]]]:
    """Batches of gradient requests with their indices. No batch has two requests that train one adapter, and each request is in
    the earliest batch that keeps its adapters' order."""
    batches: list[list[tuple[int, GradientRequest]]] = []
    taken: list[set[int]] = []
    for index, request in enumerate(requests):
        if not isinstance(request, GradientRequest):
            continue
        adapters = {id(segment.adapter) for segment in request.segments if segment.adapter is not None}
        number = 1 + max((i for i, others in enumerate(taken) if others & adapters), default=-1)
        if number == len(batches):
            batches.append([])
            taken.append(set())
        batches[number].append((index, request))
        taken[number] |= adapters
    return batches


@contextmanager
def _caches_kept_on_failure(requests: Sequence[ForwardRequest]) -> Iterator[None]:
    caches = [
        segment.cache for request in requests for segment in request.segments if segment.cache is not None
    ]
    lengths = [cache.length for cache in caches]
    try:
        yield
    except BaseException:
        for cache, length in zip(caches, lengths, strict=True):
            cache.truncate(length)
        raise
