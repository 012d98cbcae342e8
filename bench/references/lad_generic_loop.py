"""Training runs of RuurdKuiper/lad-generic: its model, corruption, loss, optimizer and schedule, and the statements of its loop."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from bench.references.checkout import import_from
from bench.sides.device import PRECISIONS
from bench.sides.model_folder import model_folder
from bench.sides.serve import Values, serve


class LadGenericLoop:
    """`load` gives the examples and the settings of all runs, `prepare` begins a run, `run` takes some of its updates."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        source = Path(request["against"]) / "src"
        self._modeling, self._loss, self._data, self._training = (
            import_from(source, f"diffusion_lm.{name}") for name in ("modeling", "loss", "data", "training")
        )
        self._folder = model_folder(request["base"], Path(request["scratch"]))
        self._request = request
        self._tokenizer = self._training.AutoTokenizer.from_pretrained(self._folder)
        return {}

    def prepare(self, request: Values) -> None:
        """`updates` are those of the whole run: its learning rate rises and falls over them."""
        given, seed = self._request, request["seed"]
        torch.manual_seed(seed)
        self._model, _ = self._modeling.load_denoising_model(_model_settings(given, self._folder))
        self._model.train()
        trainable = [parameter for parameter in self._model.parameters() if parameter.requires_grad]
        self._optimizer = AdamW(trainable, lr=request["learningRate"], weight_decay=given["weightDecay"])
        self._scheduler = self._training.get_scheduler(
            given["schedule"], self._optimizer, request["warmupUpdates"], request["updates"]
        )
        collator = _collator(self._data, self._tokenizer, given, seed)
        loader = self._training._loader(given["examples"], collator, given["batchSize"], True, seed, 0)
        self._batches = _again_and_again(loader)

    def run(self, request: Values) -> Values:
        """The adapter is saved in PEFT's format when the clocks have stopped."""
        started, busy = time.perf_counter(), time.process_time()
        for batch in itertools.islice(self._batches, request["updates"]):
            self._update(batch)
        seconds, processor_seconds = time.perf_counter() - started, time.process_time() - busy
        self._model.save_pretrained(request["folder"], save_embedding_layers=False)
        return {"seconds": seconds, "processorSeconds": processor_seconds}

    def _update(self, batch: dict[str, torch.Tensor]) -> None:
        """One turn of its loop, without accumulation of gradients."""
        normalization_mask = batch["answer_mask"] | batch["padding_mask"]
        logits = self._modeling.forward_bidirectional(self._model, batch["input_ids"], batch["padding_mask"])
        loss, _ = self._loss.masked_denoising_loss(
            logits,
            batch["labels"],
            batch["loss_mask"],
            None,
            normalization_mask,
            compute_unweighted_metric=False,
            sparse_positions=False,  # as its loop has it for all_tokens
        )
        loss.backward()
        clip_grad_norm_(self._model.parameters(), self._request["maxGradientNorm"])
        self._optimizer.step()
        self._scheduler.step()
        self._optimizer.zero_grad()


def _model_settings(given: Values, folder: Path) -> Values:
    return {
        "model_name_or_path": str(folder),
        "base_model_cache_dir": str(Path(given["scratch"]) / "models"),
        "precision": PRECISIONS["cpu"],
        "lora_r": given["rank"],
        "lora_alpha": given["rank"],
        "lora_dropout": 0.0,
        "lora_targets": given["targets"],
        "train_normalization_layers": False,
    }


def _collator(data: Any, tokenizer: Any, given: Values, seed: int) -> Any:
    """Its collator with its structural corruption and the loss of all tokens, of examples whose ids and answers are known."""

    class Collator(data.DenoisingCollator):
        def _prepare(self, feature: Values) -> Values:
            ids = list(feature["ids"])
            answer, padding, _ = data.build_masks(ids, feature["answerStart"], tokenizer.eos_token_id)
            return {
                "input_ids": ids,
                "labels": list(ids),
                "answer_mask": answer,
                "padding_mask": padding,
                "example_index": feature["id"],
                "structured_online": True,
            }

    return Collator(
        tokenizer=tokenizer,
        corruption_mode="structured",
        max_sequence_length=given["windowTokens"],
        structured_loss_behavior="all_tokens",
        eos_padding_loss=True,
        seed=seed,
        mask_token=given["maskToken"],
    )


def _again_and_again(loader: Any) -> Iterator[dict[str, torch.Tensor]]:
    while True:
        yield from loader


if __name__ == "__main__":
    serve(LadGenericLoop())
