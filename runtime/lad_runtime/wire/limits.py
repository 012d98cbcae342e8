"""How long every text and how many every list of a request may be.

A message is admitted before it is parsed: parsing makes up to 30 times of it, 4 million empty messages of 8 MiB of bytes. What has
bounds in the words of its option as well (`rank`, a name's letters) is checked where its value is made.
"""

from dataclasses import dataclass

from lad_runtime.types.limits import MAX_TOKENS


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Of one field; None where the field has no such thing."""

    items: int | None = None
    nbytes: int | None = None  # of a text or of bytes; of each where there are several


_ID = Limit(nbytes=256)  # twice as long as any that the worker or a client makes
_NAME = Limit(nbytes=256)  # names of at most 64 letters, whose letters are checked with a better text
_REFERENCE = Limit(nbytes=1024)  # names on a hub
_SECRET = Limit(nbytes=4096)
_PATH = Limit(nbytes=4096)  # the longest that Linux opens
_TEXT = Limit(nbytes=4 << 20)  # a mebi of characters, which is what is tokenised at once
_PIECE = Limit(nbytes=1 << 20)
_MANY = Limit(items=4096)
_TOKENS = Limit(items=MAX_TOKENS)

LIMITS = {
    "AdapterSpec.targets": Limit(items=64, nbytes=256),
    "CancelRunRequest.run_id": _ID,
    "Chat.messages": _MANY,
    "CreateAdapterRequest.adapter_id": _ID,
    "CreateAdapterRequest.base_id": _ID,
    "DecodeRequest.base_id": _ID,
    "DecodeRequest.sequences": _MANY,
    "DeleteCheckpointRequest.name": _NAME,
    "DownloadAdapterRequest.adapter_id": _ID,
    "DropAdapterRequest.adapter_id": _ID,
    "EncodeRequest.base_id": _ID,
    "EncodeRequest.texts": Limit(items=4096, nbytes=4 << 20),
    "FilePiece.data": _PIECE,
    "FilePiece.name": _NAME,
    "FileSize.name": _NAME,
    "ForwardBackwardRequest.adapter_id": _ID,
    "GetAdapterRequest.adapter_id": _ID,
    "GetRunRequest.run_id": _ID,
    "HandshakeRequest.build_version": _NAME,
    "HasDatasetRequest.dataset_id": _ID,
    "HubDataset.config": _REFERENCE,
    "HubDataset.hub_token": _SECRET,
    "HubDataset.name": _REFERENCE,
    "HubDataset.revision": _REFERENCE,
    "HubDataset.split": _REFERENCE,
    "LoadBaseRequest.chat_template": Limit(nbytes=256 << 10),  # Llama 3.1's, a long one, has 4 KiB
    "LoadBaseRequest.hub_token": _SECRET,
    "LoadBaseRequest.mask_token": _REFERENCE,
    "LoadBaseRequest.name": _PATH,
    "LoadBaseRequest.revision": _REFERENCE,
    "LoadBaseRequest.system_prompt": Limit(nbytes=64 << 10),
    "LoadCheckpointRequest.adapter_id": _ID,
    "LoadCheckpointRequest.base_id": _ID,
    "LoadCheckpointRequest.name": _NAME,
    "Message.content": _TEXT,
    "Message.role": _NAME,
    "NoisedExamples.dataset_id": _ID,
    "NoisedExamples.rows": _MANY,
    "OpenDatasetRequest.path": _PATH,
    "OptimStepRequest.adapter_id": _ID,
    "PauseRunRequest.run_id": _ID,
    "PredictCanvas.ids": _TOKENS,
    "PredictRequest.adapter_id": _ID,
    "PredictRequest.base_id": _ID,
    "PredictRequest.canvases": _MANY,
    "PrepareDatasetRequest.base_id": _ID,
    "PrepareDatasetRequest.dataset_id": _ID,
    "RenderRequest.base_id": _ID,
    "RenderRequest.messages": _MANY,
    "ResumeRunRequest.run_id": _ID,
    "SaveCheckpointRequest.adapter_id": _ID,
    "SaveCheckpointRequest.name": _NAME,
    "ScoreRequest.adapter_id": _ID,
    "ScoreRequest.base_id": _ID,
    "ScoreRequest.items": _MANY,
    "SnapshotAdapterRequest.adapter_id": _ID,
    "SnapshotAdapterRequest.snapshot_id": _ID,
    "StartSamplingRequest.adapter_id": _ID,
    "StartSamplingRequest.base_id": _ID,
    "StartSamplingRequest.canvases": _MANY,
    "StartSamplingRequest.run_id": _ID,
    "StartTrainingRequest.adapter_id": _ID,
    "StartTrainingRequest.run_id": _ID,
    "StreamEventsRequest.run_id": _ID,
    "StreamExamplesRequest.base_id": _ID,
    "StreamExamplesRequest.dataset_id": _ID,
    "TargetedSequence.ids": _TOKENS,
    "TargetedSequence.targets": _TOKENS,
    "TargetedSequence.weights": Limit(nbytes=4 * MAX_TOKENS),
    "TargetedSequences.sequences": _MANY,
    "TokenIds.ids": _TOKENS,
    "TrainingSpec.checkpoint": _NAME,
    "TrainingSpec.dataset_id": _ID,
    "UnloadBaseRequest.base_id": _ID,
    "UploadDatasetRequest.data": _PIECE,
    "UploadHeader.adapter_id": _ID,
    "UploadHeader.base_id": _ID,
    "UploadHeader.files": Limit(items=16),
    "ValidateRequest.adapter_id": _ID,
    "ValidateRequest.base_id": _ID,
    "ValidateRequest.dataset_id": _ID,
    "ValidationSpec.dataset_id": _ID,
}
"""By message and field: every text, all bytes and every list that a request can hold."""
