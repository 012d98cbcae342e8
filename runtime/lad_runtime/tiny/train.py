"""Trains a shipped base from nothing, autoregressively, and writes it as a Hugging Face model folder.

python -m lad_runtime.tiny.train                   # about 40 minutes on two idle cores; writes bases/tiny again
python -m lad_runtime.tiny.train --size tiny-5m    # about 100 minutes
python -m lad_runtime.tiny.train --out /tmp/tiny --steps 200

A training that was interrupted goes on from its last version: its state is kept beside the model folder until the end.
"""

import argparse
import json
import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lad_runtime.tiny.export import export
from lad_runtime.tiny.families import FAMILIES
from lad_runtime.tiny.forward import answer_scores, exact_matches, lesson_loss
from lad_runtime.tiny.generate import draw_balanced
from lad_runtime.tiny.lessons import batches, lessons
from lad_runtime.tiny.sizes import SIZES, base_folder
from lad_runtime.tiny.vocabulary import train_vocabulary
from lad_runtime.torch_backend.model.layers import FUSED, tensor_shapes
from lad_runtime.torch_backend.model.llama import Llama, LlamaConfig
from lad_runtime.torch_backend.optimizers.muon import muon_step

SHARES = dict.fromkeys(FAMILIES, 1.0) | {
    "add": 3.0, "subtract": 3.5, "story": 1.5, "next": 2.2, "count": 1.2, "choice": 2.0, "blank": 1.8, "reverse": 1.6,
    "sort": 0.5, "sort-long": 1.3, "compare": 0.7, "capitals": 0.4, "opposites": 0.4, "retell": 0.4,
}  # fmt: skip
"""How often each family is drawn: what is learnt slowly, more often."""

BATCH_TOKENS = 3072
MATRIX_RATE = 0.02  # Muon
OTHER_RATE = 4e-3  # AdamW: embedding and norms
WEIGHT_DECAY = 0.02  # Muon
WARMUP_STEPS = 60
DECAY_SHARE = 0.6  # of the steps: the rates fall linearly to 0 over the last part


class Training:
    """One training of a base. Deterministic for a seed and a thread count, however often it is interrupted."""

    def __init__(self, config: LlamaConfig, steps: int, seed: int) -> None:
        self.model = Llama(config, _initial(config, seed))
        self.steps = steps
        self.taken = 0
        leaves = self.model.trainable_parameters()
        self._others = [leaf for leaf in leaves if leaf.ndim == 1 or leaf is self.model.embedding]
        self._adamw = torch.optim.AdamW(self._others, lr=OTHER_RATE, betas=(0.9, 0.98), weight_decay=0.0)
        self._matrices = _projections(self.model)
        self._momenta = [torch.zeros_like(part) for _, parts in self._matrices for part in parts]
        self._batches = batches(train_vocabulary(seed), tokens=BATCH_TOKENS, seed=seed, shares=SHARES)

    def step(self) -> float:
        """Takes one step and returns its loss."""
        batch = next(self._batches)
        logits_RV, targets_R = answer_scores(self.model, batch)
        loss = lesson_loss(logits_RV, targets_R, batch)
        loss.backward()
        warm, left = (self.taken + 1) / WARMUP_STEPS, (self.steps - self.taken) / (DECAY_SHARE * self.steps)
        factor = min(1.0, warm, left)
        for leaf, parts in self._matrices:
            assert leaf.grad is not None
            for part, gradient in zip(parts, leaf.grad.split([len(part) for part in parts]), strict=True):
                part.grad = gradient
            leaf.grad = None
        muon_step(
            [part for _, parts in self._matrices for part in parts],
            self._momenta,
            learning_rate=MATRIX_RATE * factor,
            momentum=0.95,
            weight_decay=WEIGHT_DECAY,
            newton_schulz_steps=5,
        )
        torch.nn.utils.clip_grad_norm_(self._others, 1.0)
        for group in self._adamw.param_groups:
            group["lr"] = OTHER_RATE * factor
        self._adamw.step()
        self._adamw.zero_grad()
        self.taken += 1
        return loss.item()

    def state(self) -> dict[str, object]:
        """What `restore` of a training of the same shape, steps and seed goes on from."""
        weights = [leaf.detach() for leaf in self.model.trainable_parameters()]
        adamw = self._adamw.state_dict()
        return {"taken": self.taken, "weights": weights, "momenta": self._momenta, "adamw": adamw}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on where `state` was taken: the batches up to there are drawn and left out."""
        for _ in range(state["taken"]):
            next(self._batches)
        with torch.no_grad():
            for leaf, kept in zip(self.model.trainable_parameters(), state["weights"], strict=True):
                leaf.copy_(kept)
            for momentum, kept in zip(self._momenta, state["momenta"], strict=True):
                momentum.copy_(kept)
        self._adamw.load_state_dict(state["adamw"])
        self.taken = state["taken"]


def _initial(config: LlamaConfig, seed: int) -> dict[str, Tensor]:
    """Norms 1; embedding ~ N(0, 0.02²); matrices ~ N(0, 1 / d_in), those that write to the residual stream 0.3 of it."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in tensor_shapes(config).items():
        if len(shape) == 1:
            weights[name] = torch.ones(shape)
            continue
        deviation = 0.02 if "embed" in name else 1 / math.sqrt(shape[1])
        if "o_proj" in name or "down_proj" in name:
            deviation *= 0.3
        weights[name] = torch.empty(shape).normal_(0.0, deviation, generator=generator)
    return weights


def _projections(model: Llama) -> list[tuple[Tensor, list[Tensor]]]:
    """Each fused matrix and its projections as views of it: Muon makes every projection's update orthogonal by itself."""
    matrices = []
    for layer in model.layers:
        for matrix, projections in FUSED.items():
            leaf = getattr(layer, matrix)
            rows = [model.config.projection_shape(projection)[0] for projection in projections]
            matrices.append((leaf, list(leaf.detach().split(rows))))
    return matrices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=list(SIZES), default="tiny")
    parser.add_argument("--out", type=Path, help="the model folder; without it, the shipped one")
    parser.add_argument("--steps", type=int, default=3000, help=f"of {BATCH_TOKENS} tokens")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--export-every", type=int, default=200, help="steps between two versions of the folder"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = SIZES[options.size]
    folder: Path = options.out or base_folder(options.size)
    steps: int = options.steps
    facts = {"steps": steps, "seed": options.seed}

    tokenizer = train_vocabulary(options.seed)
    items = draw_balanced("heldout", 0, 450)
    heldout = lessons(items, tokenizer)
    training = Training(config, steps, options.seed)
    kept = folder.with_name(f"{folder.name}.training.pt")
    if kept.exists():
        training.restore(torch.load(kept, weights_only=True))
    begin, losses = time.monotonic(), []
    while training.taken < steps:
        losses.append(training.step())
        step, model = training.taken, training.model
        if step % 50 == 0:
            record: dict[str, object] = {"step": step, "seconds": round(time.monotonic() - begin, 1)}
            record["loss"] = round(sum(losses) / len(losses), 4)
            losses.clear()
            if step % options.export_every == 0:
                matches, ce = exact_matches(model, heldout)
                record |= {"heldoutCe": round(ce, 4), "exactMatch": round(sum(matches) / len(matches), 4)}
                record["wrong"] = Counter(
                    item.family for item, match in zip(items, matches, strict=True) if not match
                )
                export(folder, options.size, model, tokenizer, facts | {"steps": step})
                torch.save(training.state(), kept)
            print(json.dumps(record), flush=True)
    export(folder, options.size, training.model, tokenizer, facts)
    kept.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
