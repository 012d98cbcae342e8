"""Training steps of RuurdKuiper/lad-generic: its model, its loss and the statements of its training loop."""

import time
from pathlib import Path

import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from bench.references.checkout import import_from
from bench.sides.device import PRECISIONS, finish_device
from bench.sides.serve import Values, serve


class LadGenericTraining:
    """`load` takes over an adapter that our side saved, `prepare` every turn's batch of clean and corrupted ids."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        self._device = request["device"]
        source = Path(request["against"]) / "src"
        self._modeling = import_from(source, "diffusion_lm.modeling")
        self._loss = import_from(source, "diffusion_lm.loss")
        config = {
            "model_name_or_path": request["folder"],
            "base_model_cache_dir": str(Path(request["scratch"]) / "models"),
            "precision": PRECISIONS[self._device],
            "lora_targets": ["q_proj", "v_proj"],
            "train_normalization_layers": False,
            "resume_from_adapter": request["adapter"],
        }
        self._model, audit = self._modeling.load_denoising_model(config)
        self._model.to(self._device).train()
        return {"trainableParameters": audit["total_trainable_parameters"]}

    def prepare(self, request: Values) -> None:
        self._turns = [
            (
                torch.tensor(turn["inputs"]),
                torch.tensor(turn["labels"]),
                torch.tensor(turn["tails"], dtype=torch.bool),
            )
            for turn in request["turns"]
        ]
        self._max_norm = request["maxGradientNorm"]
        trainable = [parameter for parameter in self._model.parameters() if parameter.requires_grad]
        self._optimizer = AdamW(trainable, lr=request["learningRate"], weight_decay=request["weightDecay"])

    def run(self, request: Values) -> Values:
        started = time.perf_counter()
        inputs, labels, padding = (tensor.to(self._device) for tensor in self._turns[request["turn"]])
        loss_mask = torch.ones_like(labels, dtype=torch.bool)  # all_tokens with eos_padding_loss
        # accelerate wraps its forward so where a precision below fp32 is configured
        with torch.autocast(self._device, torch.bfloat16, enabled=self._device == "cuda"):
            logits = self._modeling.forward_bidirectional(self._model, inputs, padding)
            loss, _ = self._loss.masked_denoising_loss(
                logits,
                labels,
                loss_mask,
                None,
                loss_mask,
                compute_unweighted_metric=False,
                sparse_positions=False,  # as its loop has it for all_tokens
            )
        loss.backward()
        norm = clip_grad_norm_(self._model.parameters(), self._max_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()
        losses = [loss.detach().item()]
        finish_device()
        return {
            "seconds": time.perf_counter() - started,
            "tokens": inputs.numel(),
            "losses": losses,
            "gradientNorm": norm.item(),
        }


if __name__ == "__main__":
    serve(LadGenericTraining())
