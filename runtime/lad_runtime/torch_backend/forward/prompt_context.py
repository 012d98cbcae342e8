"""The prompt of an answer that is denoised: computed with every canvas, or once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lad_runtime.method.random_split import Context
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prefix_cache import prompt_segment
from lad_runtime.torch_backend.forward.requests import ContextRequest
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.work import Work, ask


@dataclass(frozen=True, kw_only=True)
class Past:
    """The prompt that the tokens of a canvas see; under classifier-free guidance also the same prompt masked.

    `prompts` has the token ids of one or both. In the attention modes `prefix` and `causal-prefix`, `contexts` has a filled cache
    for each (None for an empty prompt). In the context `random-split` the last finished token, `shown`, opens the canvas.
    `adapter` must not change while the past is in use.
    """

    base: Base
    adapter: LoraAdapter | None
    attention: AttentionMode
    prompts: tuple[tuple[int, ...], ...]
    contexts: tuple[KeyValueCache | None, ...] = ()
    context: Context = "prompt"
    shown: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        base: Base,
        adapter: LoraAdapter | None,
        prompt: Sequence[int],
        *,
        attention: AttentionMode,
        guided: bool,
        context: Context = "prompt",
    ) -> Work["Past"]:
        """Work that makes the past; computes the prompt's cache if the attention mode has one and it is missing."""
        blind = (base.info.mask_token_id,) * len(prompt)
        prompts = (tuple(prompt), blind) if guided else (tuple(prompt),)
        contexts: Sequence[KeyValueCache | None] = ()
        if attention in ("prefix", "causal-prefix"):
            contexts = yield from base.prompts.contexts(base.model, adapter, prompts, attention)
        return cls(
            base=base,
            adapter=adapter,
            attention=attention,
            prompts=prompts,
            contexts=tuple(contexts),
            context=context,
        )

    def canvas(self, answer_N: Tensor, rows_R: Tensor) -> tuple[tuple[Segment, ...], tuple[Tensor, ...]]:
        """The segments of one prediction of an answer, and for each the rows of the answer's positions `rows`."""
        if self.contexts:
            ids = (
                torch.cat([torch.tensor(self.shown, dtype=torch.int64), answer_N]) if self.shown else answer_N
            )
            segments = tuple(
                Segment(ids=ids, adapter=self.adapter, context=context) for context in self.contexts
            )
            return segments, (len(self.shown) + rows_R,) * len(segments)
        segments = tuple(
            Segment(
                ids=torch.cat([torch.tensor(prompt, dtype=torch.int64), answer_N]),
                adapter=self.adapter,
                mode=self.attention,
            )
            for prompt in self.prompts
        )
        return segments, (len(self.prompts[0]) + rows_R,) * len(segments)

    def then(self, finished: Sequence[int]) -> Work["Past"]:
        """Work that returns the past of the next canvas, which attends to a finished one as to the prompt.

        The finished canvas is computed once. Its tokens see one another and everything before; in `causal-prefix` the unadapted
        base computes them causally, but for the last one where that opens the next canvas.
        """
        shown: tuple[int, ...] = ()
        if self.context == "random-split":
            *finished, last = (*self.shown, *finished)
            shown = (last,)
            if not finished:
                return replace(self, shown=shown)
        prompts = tuple((*prompt, *finished) for prompt in self.prompts)
        if not self.contexts:
            return replace(self, prompts=prompts)
        model = self.base.model
        grown = [model.cache(len(prompt)) for prompt in prompts]
        for cache, context in zip(grown, self.contexts, strict=True):
            if context is not None:
                cache.begin_with(context)
        segments = (prompt_segment(finished, self.adapter, self.attention, cache) for cache in grown)
        yield from ask(ContextRequest.of(*segments))
        return replace(self, prompts=prompts, contexts=tuple(grown), shown=shown)
