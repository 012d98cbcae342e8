"""Writes golden messages of the protocol; Python and TypeScript both read them.

    PYTHONPATH=runtime python test/contract/messages_golden.py

Each has its bytes and its fields by dotted path (a oneof's cases are fields like any other). 64-bit integers are strings,
bytes are base64, enumerations are numbers, floats that JSON lacks are strings.
"""

import base64
import json
import math
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import (
    adapters_pb2,
    data_pb2,
    evaluation_pb2,
    runs_pb2,
    sampling_pb2,
    training_pb2,
    worker_pb2,
)
from lad_runtime.method.random import CanvasKey
from lad_runtime.types.evaluation import Score
from lad_runtime.types.runs import LoggedEvent, RunInfo
from lad_runtime.types.sampling import AnswerEvent, Edit, FrameEvent, Prediction
from lad_runtime.types.sampling_state import SamplingState
from lad_runtime.types.training_events import LossReport, StepEvent
from lad_runtime.wire.codec import writer
from lad_runtime.wire.errors import error_detail
from lad_runtime.wire.tensors import write_floats

FILE = Path(__file__).with_name("messages.json")
MAX_UINT64 = 2**64 - 1

write_prediction = writer(Prediction, sampling_pb2.Prediction)
write_score = writer(Score, evaluation_pb2.Score)
write_state = writer(SamplingState, sampling_pb2.SamplingState)
write_run = writer(RunInfo, runs_pb2.Run)
write_event = writer(LoggedEvent, runs_pb2.StreamEventsResponse)

REPORT = LossReport(
    loss=0.5,
    ce=1.25,
    content_ce=1.5,
    tail_ce=math.nan,
    corrupted_ce=2.0,
    corrupted_content_ce=2.5,
    tokens=2**53 + 1,
    supervised_tokens=6,
    content_tokens=5,
    tail_tokens=0,
    corrupted_tokens=3,
    corrupted_content_tokens=2,
)

STATE = SamplingState(
    ids=(65, 66, 256),
    masked=(False, False, True),
    pinned=(True, False, False),
    kept=(False, True, False),
    confidences=(1.0, 0.125, 0.0),
    memory=(2**32 - 1, 3),
    sampled=(65, 66, 67),
    same=2,
    iteration=3,
    stopped="settled",
    finished=1,
    finished_iterations=2,
    forwards=5,
    key=CanvasKey(seed=MAX_UINT64, canvas=7),
)


def requests() -> list[Message]:
    """What a client sends."""
    window = data_pb2.WindowSpec(
        window=96,
        pad_to_window=True,
        too_long=3,
        max_prompt_tokens=72,
        supervise=2,
        allow_special=True,
        pad_tokens=["[USER]", "é"],
    )
    spec = training_pb2.TrainingSpec(
        dataset_id="ab" * 32,
        window=window,
        noise=training_pb2.NoiseSpec(
            lad=training_pb2.LadNoise(
                tail_noise=True,
                full_mask_probability=0.1,
                mask_probability=0.5,
                max_mask_fraction=0.5,
                swap_scale=0.25,
                duplicate_scale=0.25,
                shift_scale=0.25,
                max_span=3,
                max_shift=4,
            )
        ),
        loss=training_pb2.LossSpec(
            supervise=2,
            tail=True,
            tail_weight=0.25,
            weighting=1,
            soft=training_pb2.SoftTargets(top_k=16, share=0.5),
        ),
        optimizer=training_pb2.OptimizerSpec(
            kind=2,
            weight_decay=0.01,
            beta1=0.9,
            beta2=0.999,
            epsilon=1e-8,
            momentum=0.95,
            newton_schulz_steps=5,
        ),
        schedule=training_pb2.ScheduleSpec(
            learning_rate=0.01, warmup_steps=10, decay=1, final_fraction=0.1
        ),
        steps=500,
        batch_size=16,
        micro_batch_tokens=2048,
        max_gradient_norm=0.5,
        seed=MAX_UINT64,
        validation=training_pb2.ValidationSpec(
            dataset_id="cd" * 32,
            max_examples=64,
            every_steps=100,
            seed=7,
            keep_best="run-1-best",
            overwrite_best=True,
            patience=5,
            min_delta=0.001,
            restore_best=True,
        ),
        checkpoint_every_steps=50,
        checkpoint="run-1",
        resume=True,
        attention=4,
        context=1,
        gradient_checkpointing=True,
        share_weight=2.5,
        overwrite=True,
        tensorboard=True,
    )
    sequence = training_pb2.TargetedSequence(
        ids=[1, 2, 3],
        targets=[-1, 2, 3],
        weights=write_floats([0, 0.5, 0.25]),
        prompt_tokens=1,
    )
    sampling = sampling_pb2.SamplingSpec(
        policy=sampling_pb2.Policy(
            remask=sampling_pb2.RemaskPolicy(
                iterations=32,
                schedule=1,
                sharpness=5,
                noise_start=0.5,
                positions=3,
                min_guidance_weight=0.1,
                cluster_span=4,
                retention=3,
                early_stop=True,
                grow_tokens=8,
            )
        ),
        answer_tokens=64,
        draw=sampling_pb2.DrawSpec(
            temperature=0.8,
            top_k=40,
            top_p=0.95,
            confidence=2,
            eos_bias=-math.inf,
            method=2,
            allow_mask=True,
        ),
        frames=True,
        attention=3,
        context=1,
        canvas_tokens=64,
        share_weight=0.5,
        pad_tokens=["[USER]"],
        stop=["\n\n", "世界"],
    )
    message = data_pb2.Message(role="user", content="Grüße, 世界 🌍")
    chat = sampling_pb2.Chat(messages=[message], allow_special=True)
    adapter = worker_pb2.AdapterSpec(
        rank=64, alpha=64, targets=["q_proj", "v_proj"], dropout=0.05, seed=2**63, use_rslora=True
    )
    return [
        worker_pb2.HandshakeRequest(protocol_version=2, build_version="0.1.0"),
        worker_pb2.LoadBaseRequest(name="stub", data_type=1, system_prompt="", seed=3),
        worker_pb2.LoadBaseRequest(
            name="org/model", revision="main", mask_token="MASK", hub_token="secret"
        ),
        adapters_pb2.CreateAdapterRequest(
            base_id="stub-1", spec=adapter, adapter_id="adapter-0123456789ab"
        ),
        adapters_pb2.UploadAdapterRequest(
            header=adapters_pb2.UploadHeader(
                base_id="stub-1",
                adapter_id="mine",
                files=[adapters_pb2.FileSize(name="adapter_config.json", bytes=2**33)],
            )
        ),
        adapters_pb2.MergeAdapterRequest(
            adapter_id="adapter-1", data_type=worker_pb2.DATA_TYPE_BFLOAT16, shard_bytes=5 * 10**9
        ),
        adapters_pb2.PushAdapterRequest(
            adapter_id="adapter-1", repo="owner/name", private=True, message="first"
        ),
        adapters_pb2.SaveCheckpointRequest(
            adapter_id="adapter-1", name="best", overwrite=True
        ),
        data_pb2.MixDatasetRequest(
            base_id="stub-1",
            mixture=data_pb2.MixtureSpec(
                sources=[
                    data_pb2.MixtureSource(
                        name="gsm",
                        dataset_id="ab" * 32,
                        share=0.3,
                        max_prompt_tokens=192,
                        max_answer_tokens=128,
                        max_repeats=3,
                    )
                ],
                seed=MAX_UINT64,
                examples=2**53 + 1,
                exact_duplicates=True,
                near_duplicates=data_pb2.NearDuplicates(
                    threshold=0.8, shingle_words=5, permutations=128
                ),
                contamination=data_pb2.Contamination(
                    dataset_ids=["cd" * 32], overlap_words=13
                ),
            ),
        ),
        runs_pb2.CancelRunRequest(run_id="run-1", wait=True),
        adapters_pb2.UploadAdapterRequest(
            piece=adapters_pb2.FilePiece(name="adapter_config.json", data=b"\x00\xff{}")
        ),
        training_pb2.StartTrainingRequest(
            adapter_id="adapter-1", spec=spec, run_id="run-0123456789ab"
        ),
        training_pb2.ForwardBackwardRequest(
            adapter_id="adapter-1",
            sequence=2**40,
            mode=1,
            sequences=training_pb2.TargetedSequences(sequences=[sequence]),
            micro_batch_tokens=2048,
            gradient_checkpointing=True,
            cache_prompts=True,
        ),
        sampling_pb2.StartSamplingRequest(
            base_id="stub-1",
            canvases=[
                sampling_pb2.Canvas(
                    ids=data_pb2.TokenIds(ids=[1, 2, 4294967295]), seed=MAX_UINT64
                ),
                sampling_pb2.Canvas(chat=chat, begin=write_state(STATE), size=None),
            ],
            spec=sampling,
            run_id="run-ba9876543210",
        ),
    ]


def replies() -> list[Message]:
    """What the worker's own translation makes of its values."""
    step = StepEvent(
        step=3,
        epoch=0.75,
        report=REPORT,
        gradient_norm=math.inf,
        learning_rate=0.01,
        seconds=0.125,
        tokens_per_second=4096.0,
    )
    frame = FrameEvent(
        canvas=1,
        iteration=2,
        iterations=4,
        edits=(
            Edit(
                position=5, old=257, new=65, confidence=0.75, remasked=True, kept=False
            ),
        ),
        answer=(65, 66),
        masked=1,
        state=STATE,
    )
    answer = AnswerEvent(
        canvas=1,
        ids=(65,),
        canvas_ids=(65, 256),
        text="A",
        iterations=4,
        stopped="settled",
        pinned=(1,),
    )
    stopped = AnswerEvent(
        canvas=0,
        ids=(65,),
        canvas_ids=(65, 66),
        text="A",
        iterations=2,
        stopped="stop",
        pinned=(),
        stop="B",
    )
    prediction = Prediction(
        ids=(65, 66),
        confidences=(0.75, 0.5),
        entropies=(0.25, 1.0),
        standing=(0.125, 0.5),
        top_ids=(65, 70, 66, 71),
        top_probabilities=(0.75, 0.125, 0.5, 0.25),
        logits=write_floats([1.5, -math.inf]),
    )
    error = LadError(
        ErrorCode.INVALID_OPTION,
        "rank is 0: it must be at least 1.",
        option="rank",
        value=0,
        remedy="Give a rank from 1.",
    )
    return [
        error_detail(error),
        write_event(LoggedEvent(seq=7, time=1700000000.5, event=step)),
        write_event(LoggedEvent(seq=8, time=1700000000.75, event=frame)),
        write_event(LoggedEvent(seq=2**40, time=1700000001.0, event=answer)),
        write_event(LoggedEvent(seq=2**40 + 1, time=1700000001.0, event=stopped)),
        write_event(LoggedEvent(seq=9, time=1700000001.0, event=error)),
        runs_pb2.StreamEventsResponse(cancelled=runs_pb2.RunCancelled(steps=2**60)),
        runs_pb2.StreamEventsResponse(seq=2**53 + 1, interrupted=runs_pb2.RunInterrupted(steps=2**60)),
        write_run(
            RunInfo(
                id="run-1",
                kind="training",
                state="interrupted",
                base_id="tiny-1",
                adapter_id="adapter-1",
                next_seq=2**40,
                error=None,
                base_name="tiny",
                checkpoint="best",
                created=1_790_000_000.25,
                steps=250,
                total_steps=500,
                metrics_path="/state/runs/run-1/metrics.jsonl",
            )
        ),
        write_prediction(prediction),
        write_score(
            Score(
                log_likelihood=-1.5,
                token_log_likelihoods=(-0.5, -1.0),
                greedy=True,
                estimates=(-1.25, -1.75),
            )
        ),
    ]


def golden(message: Message) -> dict[str, Any]:
    data = message.SerializeToString(deterministic=True)
    fields: dict[str, Any] = {}
    _collect(message, "", fields)
    return {
        "message": message.DESCRIPTOR.full_name,
        "bytes": base64.b64encode(data).decode(),
        "fields": fields,
    }


def _collect(message: Message, path: str, fields: dict[str, Any]) -> None:
    for field, value in message.ListFields():
        name = f"{path}{field.json_name}"
        if field.is_repeated:
            for index, item in enumerate(value):
                _collect_one(field, item, f"{name}.{index}", fields)
        else:
            _collect_one(field, value, name, fields)


def _collect_one(
    field: FieldDescriptor, value: Any, path: str, fields: dict[str, Any]
) -> None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        _collect(value, f"{path}.", fields)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        fields[path] = base64.b64encode(value).decode()
    elif field.type in (FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_INT64):
        fields[path] = str(value)
    elif isinstance(value, float) and not math.isfinite(value):
        fields[path] = {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    else:
        fields[path] = value


def document() -> str:
    messages = [golden(message) for message in [*requests(), *replies()]]
    return json.dumps(messages, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
