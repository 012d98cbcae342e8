"""The harness's model `lad`."""

import dataclasses
import itertools
import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from tqdm import tqdm

from lad_lm_eval.arguments import ModelArguments, token_from
from lad_lm_eval.connection import Connection
from lad_lm_eval.generating import Generator
from lad_lm_eval.resident import Resident
from lad_lm_eval.scoring import Scorer
from lad_lm_eval.seeds import equals_before, prompt_seed
from lad_lm_eval.text import Text
from lad_lm_eval.windows import Pair, fitting, moved_spaces, rolling

_GENERATED_TOKENS = 256
"""What the harness's models generate where a task says nothing of it."""


class LadModel(LM):
    """A base or an adapter of a running worker. Its results do not depend on the batch size, which it therefore does not use."""

    def __init__(
        self,
        *,
        address: str,
        token_file: str = "",
        token: str = "",
        base: str = "",
        adapter: str = "",
        likelihood: str = "causal",
        samples: int = 128,
        policy: str = "",
        answer_tokens: int = 0,
        prefix_token: str = "",
        seed: int = 0,
        batch_size: object = None,
        max_batch_size: object = None,
        device: object = None,
        **sampling: Any,
    ) -> None:
        """`policy` is by default `remask` of an adapter, `ar` of a base; the rest is explained by ModelArguments."""
        super().__init__()
        self._arguments = ModelArguments(
            address=address,
            token=token_from(token, token_file),
            base=base,
            adapter=adapter,
            likelihood=likelihood,
            samples=samples,
            policy=policy or ("remask" if adapter else "ar"),
            answer_tokens=answer_tokens,
            prefix_token=prefix_token,
            seed=seed,
            sampling=sampling,
        )
        connection = Connection(address, self._arguments.token)
        self._resident = Resident(connection, self._arguments)
        self._text = Text(connection, self._resident.base)
        self._scorer = Scorer(connection, self._resident, self._arguments)
        self._generator = Generator(connection, self._resident, self._arguments)
        self._prefix = self._prefix_id()

    def _prefix_id(self) -> int:
        given = self._arguments.prefix_token
        if not given:
            return (*self._text.prefix, self._resident.base.eos_token_id)[0]
        (ids,) = self._text.encode_bare([given])
        if len(ids) != 1:
            raise ValueError(f"prefix_token is {given}: it is {len(ids)} tokens. Give one that is one token.")
        return ids[0]

    @property
    def _positions(self) -> int:
        return int(self._resident.base.max_positions)

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        pairs = self._pairs([request.args for request in requests])
        return self._scores(pairs, disable_tqdm)

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        texts = self._text.encode_bare([request.args[0] for request in requests])
        windows = [list(rolling(ids, self._prefix, self._positions)) for ids in texts]
        scores = iter(self._scores(list(itertools.chain(*windows)), disable_tqdm))
        return [sum(next(scores)[0] for _ in own) for own in windows]

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        texts: list[str] = []
        progress = tqdm(total=len(requests), desc="Sampling", disable=disable_tqdm)
        numbered = zip(requests, equals_before([_content(request) for request in requests]), strict=True)
        for settings, group in itertools.groupby(numbered, key=lambda each: _settings(each[0].args[1])):
            for some in _chunks(list(group), _GROUP):
                prompts = self._text.encode([request.args[0] for request, _ in some])
                seeds = [
                    prompt_seed(self._arguments.seed, ids, before)
                    for ids, (_, before) in zip(prompts, some, strict=True)
                ]
                tokens = self._arguments.answer_tokens or settings.tokens
                room = [ids[-max(1, self._positions - tokens) :] for ids in prompts]
                texts.extend(self._generator.answers(room, seeds, tokens, settings.draw, settings.until))
                progress.update(len(some))
        progress.close()
        return texts

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        return self._text.render(chat_history, add_generation_prompt)

    @property
    def tokenizer_name(self) -> str:
        base = self._resident.base
        return f"{base.name}-{base.revision}-{base.chat_template_digest}".replace("/", "__")

    def chat_template(self, chat_template: bool | str = False) -> str:
        """The worker renders chats; what is recorded is the digest of its template."""
        return self._resident.base.chat_template_digest if chat_template else ""

    def get_model_info(self) -> dict[str, Any]:
        """What the harness writes beside its results: never the token."""
        arguments = dataclasses.asdict(self._arguments)
        shown = {name: value for name, value in arguments.items() if name not in ("token", "address")}
        base = self._resident.base
        return {"lad_base": base.name, "lad_revision": base.revision, "lad_arguments": shown}

    def _pairs(self, asked: Sequence[tuple[str, str]]) -> list[Pair]:
        """Context and continuation are encoded as one text, and cut where the context by itself ends."""
        moved = [moved_spaces(context, continuation) for context, continuation in asked]
        contexts = list(dict.fromkeys(context for context, _ in moved if context))
        context_ids = dict(zip(contexts, self._text.encode(contexts), strict=True))
        whole = iter(self._text.encode([context + rest for context, rest in moved if context]))
        bare = iter(self._text.encode_bare([rest for context, rest in moved if not context]))
        pairs: list[Pair] = []
        for context, _ in moved:
            if context:
                ids, start = next(whole), len(context_ids[context])
                pairs.append(fitting(ids[:start], ids[start:], self._positions))
            else:
                ids = next(bare)
                begun = ids[:1] == [self._prefix]
                prompt, rest = (ids[:1], ids[1:]) if begun else ([self._prefix], ids)
                pairs.append(fitting(prompt, rest, self._positions))
        return pairs

    def _scores(self, pairs: Sequence[Pair], disable_tqdm: bool) -> list[tuple[float, bool]]:
        scores: list[tuple[float, bool]] = []
        progress = tqdm(total=len(pairs), desc="Scoring", disable=disable_tqdm)
        for some in _chunks(pairs, _GROUP):
            scores.extend(self._scorer.scores(some))
            progress.update(len(some))
        progress.close()
        return scores


_GROUP = 512
"""Items of a request. What an item comes to does not depend on it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Settings:
    until: tuple[str, ...]
    tokens: int
    draw: Mapping[str, Any]


def _content(request: Instance) -> Hashable:
    """What a request asks: the repeats of a task's item ask the same."""
    prompt, settings = request.args
    return request.task_name, prompt, json.dumps(settings, sort_keys=True, default=str)


def _settings(given: Mapping[str, Any]) -> _Settings:
    """What a task asks of its answers. Without do_sample the most probable token is taken, whatever the temperature."""
    until = given.get("until") or ()
    draw: dict[str, Any] = {}
    if given.get("do_sample"):
        names = ("temperature", "top_k", "top_p")
        draw = {name: given[name] for name in names if given.get(name) is not None}
    return _Settings(
        until=(until,) if isinstance(until, str) else tuple(until),
        tokens=int(given.get("max_gen_toks") or given.get("max_new_tokens") or _GENERATED_TOKENS),
        draw=draw,
    )


def _chunks(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
