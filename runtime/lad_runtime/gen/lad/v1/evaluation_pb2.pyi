from lad_runtime.gen.lad.v1 import data_pb2 as _data_pb2
from lad_runtime.gen.lad.v1 import options_pb2 as _options_pb2
from lad_runtime.gen.lad.v1 import training_pb2 as _training_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScoreRequest(_message.Message):
    __slots__ = ("base_id", "adapter_id", "mode", "items", "likelihood")
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LIKELIHOOD_FIELD_NUMBER: _ClassVar[int]
    base_id: str
    adapter_id: str
    mode: _training_pb2.AttentionMode
    items: _containers.RepeatedCompositeFieldContainer[ScoreItem]
    likelihood: Likelihood
    def __init__(self, base_id: _Optional[str] = ..., adapter_id: _Optional[str] = ..., mode: _Optional[_Union[_training_pb2.AttentionMode, str]] = ..., items: _Optional[_Iterable[_Union[ScoreItem, _Mapping]]] = ..., likelihood: _Optional[_Union[Likelihood, _Mapping]] = ...) -> None: ...

class Likelihood(_message.Message):
    __slots__ = ("causal", "pseudo", "monte_carlo")
    CAUSAL_FIELD_NUMBER: _ClassVar[int]
    PSEUDO_FIELD_NUMBER: _ClassVar[int]
    MONTE_CARLO_FIELD_NUMBER: _ClassVar[int]
    causal: CausalLikelihood
    pseudo: PseudoLikelihood
    monte_carlo: MonteCarloLikelihood
    def __init__(self, causal: _Optional[_Union[CausalLikelihood, _Mapping]] = ..., pseudo: _Optional[_Union[PseudoLikelihood, _Mapping]] = ..., monte_carlo: _Optional[_Union[MonteCarloLikelihood, _Mapping]] = ...) -> None: ...

class CausalLikelihood(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PseudoLikelihood(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MonteCarloLikelihood(_message.Message):
    __slots__ = ("samples", "stratified", "seed")
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    STRATIFIED_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    samples: int
    stratified: bool
    seed: int
    def __init__(self, samples: _Optional[int] = ..., stratified: _Optional[bool] = ..., seed: _Optional[int] = ...) -> None: ...

class ScoreItem(_message.Message):
    __slots__ = ("prompt", "continuation", "key")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTINUATION_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    prompt: _data_pb2.TokenIds
    continuation: _data_pb2.TokenIds
    key: int
    def __init__(self, prompt: _Optional[_Union[_data_pb2.TokenIds, _Mapping]] = ..., continuation: _Optional[_Union[_data_pb2.TokenIds, _Mapping]] = ..., key: _Optional[int] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("scores",)
    SCORES_FIELD_NUMBER: _ClassVar[int]
    scores: _containers.RepeatedCompositeFieldContainer[Score]
    def __init__(self, scores: _Optional[_Iterable[_Union[Score, _Mapping]]] = ...) -> None: ...

class Score(_message.Message):
    __slots__ = ("log_likelihood", "token_log_likelihoods", "greedy", "estimates")
    LOG_LIKELIHOOD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_LOG_LIKELIHOODS_FIELD_NUMBER: _ClassVar[int]
    GREEDY_FIELD_NUMBER: _ClassVar[int]
    ESTIMATES_FIELD_NUMBER: _ClassVar[int]
    log_likelihood: float
    token_log_likelihoods: bytes
    greedy: bool
    estimates: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, log_likelihood: _Optional[float] = ..., token_log_likelihoods: _Optional[bytes] = ..., greedy: _Optional[bool] = ..., estimates: _Optional[_Iterable[float]] = ...) -> None: ...
