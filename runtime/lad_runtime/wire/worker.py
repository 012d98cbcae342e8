"""Messages of worker.proto and adapters.proto."""

from lad_runtime.gen.lad.v1 import worker_pb2 as pb
from lad_runtime.types.adapters import AdapterInfo, AdapterSpec
from lad_runtime.types.bases import BaseInfo, BaseSpec, LoadProgress, MatrixKernel
from lad_runtime.wire.enums import DATA_TYPE


def read_base_spec(message: pb.LoadBaseRequest) -> BaseSpec:
    return BaseSpec(
        name=message.name,
        revision=message.revision,
        dtype=DATA_TYPE.read(message.data_type),
        mask_token=message.mask_token,
        chat_template=message.chat_template,
        system_prompt=message.system_prompt if message.HasField("system_prompt") else None,
        hub_token=message.hub_token,
        seed=message.seed,
        compile=message.compile,
    )


def write_progress(progress: LoadProgress) -> pb.LoadProgress:
    return pb.LoadProgress(phase=progress.phase, done_bytes=progress.done, total_bytes=progress.total)


def write_base(info: BaseInfo) -> pb.Base:
    return pb.Base(
        id=info.id,
        name=info.name,
        revision=info.revision,
        parameter_count=info.parameter_count,
        bytes=info.nbytes,
        data_type=DATA_TYPE.write(info.dtype),  # type: ignore[arg-type]
        vocab_size=info.vocab_size,
        hidden_size=info.hidden_size,
        num_layers=info.num_layers,
        num_heads=info.num_heads,
        num_kv_heads=info.num_kv_heads,
        max_positions=info.max_positions,
        projections=info.projections,
        max_rank=info.max_rank,
        mask_token=info.mask_token,
        mask_token_id=info.mask_token_id,
        eos_token=info.eos_token,
        eos_token_id=info.eos_token_id,
        stop_tokens=info.stop_tokens,
        stop_token_ids=info.stop_token_ids,
        system_prompt=info.system_prompt,
        has_chat_template=info.has_chat_template,
        compile_seconds=info.compile_seconds,
        warnings=info.warnings,
        kernels=[_write_kernel(way) for way in info.kernels],
    )


def _write_kernel(way: MatrixKernel) -> pb.MatrixKernel:
    return pb.MatrixKernel(matrix=way.matrix, kernel=way.kernel, layout=way.layout)


def read_adapter_spec(message: pb.AdapterSpec) -> AdapterSpec:
    return AdapterSpec(
        rank=message.rank,
        alpha=message.alpha,
        targets=tuple(message.targets),
        dropout=message.dropout,
        seed=message.seed,
    )


def write_adapter(info: AdapterInfo) -> pb.Adapter:
    spec = info.spec
    return pb.Adapter(
        id=info.id,
        base_id=info.base_id,
        spec=pb.AdapterSpec(
            rank=spec.rank, alpha=spec.alpha, targets=spec.targets, dropout=spec.dropout, seed=spec.seed
        ),
        parameter_count=info.parameter_count,
        bytes=info.nbytes,
        steps=info.steps,
        last_sequence=info.last_sequence,
    )
