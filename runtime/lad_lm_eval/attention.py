"""The attention mode that a model is asked in."""

from lad_runtime.gen.lad.v1 import training_pb2, worker_pb2

FULL = training_pb2.AttentionMode.ATTENTION_MODE_FULL
CAUSAL = training_pb2.AttentionMode.ATTENTION_MODE_CAUSAL
CAUSAL_PREFIX = training_pb2.AttentionMode.ATTENTION_MODE_CAUSAL_PREFIX


def denoising_attention(claims: worker_pb2.AdapterClaims | None) -> training_pb2.AttentionMode:
    """That of the adapter's training, if it is known and denoises; else full."""
    return FULL if claims is None or claims.attention == CAUSAL else claims.attention
