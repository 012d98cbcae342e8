"""Runs lm-eval's evaluator in this process: each argument is a JSON object { model, args, task, folder, limit, chat }; prints a JSON line for each."""

import json
import sys
from pathlib import Path
from typing import Any

import lm_eval
from lm_eval.tasks import TaskManager

import lad_lm_eval  # noqa: F401  # makes the model `lad` known


def main(jobs: list[dict[str, Any]]) -> None:
    for job in jobs:
        args = dict(job["args"])
        if args.get("pretrained") == "smollm2-135m":
            args["pretrained"] = str(smollm2_files())
        result = lm_eval.simple_evaluate(
            model=job["model"],
            model_args=args,
            tasks=[job["task"]],
            task_manager=TaskManager(include_path=job["folder"], include_defaults=False),
            limit=job.get("limit"),
            apply_chat_template=job.get("chat", False),
            batch_size=job.get("batch", 1),
            bootstrap_iters=0,
            log_samples=True,
        )
        task = job["task"]
        samples = sorted(result["samples"][task], key=lambda sample: sample["doc_id"])
        kept = ("acc", "acc_norm", "acc_bytes", "arguments", "filtered_resps", "resps")
        figures = {name: value for name, value in result["results"][task].items() if isinstance(value, float)}
        told = {"results": figures, "samples": [{k: s.get(k) for k in kept} for s in samples]}
        print(json.dumps(told, default=str), flush=True)


def smollm2_files() -> Path:
    """The base's folder of safetensors, as a worker makes it of the GGUF file."""
    from lad_runtime.torch_backend.files.user_cache import user_cache
    from lad_runtime.torch_backend.loading.smollm2 import smollm2_folder

    cache = user_cache()
    assert cache is not None
    return smollm2_folder(cache, lambda progress: None)


if __name__ == "__main__":
    main([json.loads(word) for word in sys.argv[1:]])
