"""LoRA adapters (arXiv 2106.09685): W x + scaling · B A x on the targeted projections of every layer."""

import math

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.generator import seeded_generator
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.thread_owned import Owned
from lad_runtime.types.adapters import AdapterSpec


class Version:
    """Identifies one state of an adapter's weights. Results cached for it are dropped when it is freed."""


class Storage:
    """Identifies the memory of weights, for counting: adapters that share memory have the same `Storage`."""

    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes


class LoraAdapter:
    """One adapter's weights, float32 for any type of the base. Adapters of one `version` have equal weights.

    The tensors belong to the thread that makes the adapter; any thread may read everything else.
    """

    def __init__(
        self,
        *,
        spec: AdapterSpec,
        parameters: dict[str, Tensor],
        version: Version | None = None,
        storage: Storage | None = None,
    ) -> None:
        self.spec = spec
        self.version = version or Version()
        self.parameter_count = sum(parameter.numel() for parameter in parameters.values())
        self.weight_nbytes = sum(parameter.nbytes for parameter in parameters.values())
        self.storage = storage or Storage(self.weight_nbytes)
        self._parameters = Owned(parameters)

    @classmethod
    def create(
        cls, config: LlamaConfig, spec: AdapterSpec, device: torch.device | str = "cpu"
    ) -> "LoraAdapter":
        """A ~ U(−1/√d_in, 1/√d_in) from a generator with the seed `spec.seed`; B = 0, so the output is still the base's.

        The engine's call has checked that the base has the targets.
        """
        generator = seeded_generator(spec.seed)
        parameters: dict[str, Tensor] = {}
        for layer in range(config.num_layers):
            for target in spec.targets:
                outputs, inputs = config.projection_shape(target)
                bound = 1.0 / math.sqrt(inputs)
                lora_a = torch.empty(spec.rank, inputs).uniform_(-bound, bound, generator=generator)
                lora_b = torch.zeros(outputs, spec.rank)
                parameters[parameter_name(layer, target, "lora_A")] = lora_a.to(device).requires_grad_()
                parameters[parameter_name(layer, target, "lora_B")] = lora_b.to(device).requires_grad_()
        return cls(spec=spec, parameters=parameters)

    @property
    def parameters(self) -> dict[str, Tensor]:
        """`layers.{i}.{self_attn|mlp}.{projection}.lora_A` [rank, d_in] and `.lora_B` [d_out, rank]: leaves whose `.grad` a
        training step fills."""
        return self._parameters.value

    def snapshot(self) -> "LoraAdapter":
        """A copy without gradients, which later training steps do not change."""
        copies = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}
        return LoraAdapter(spec=self.spec, parameters=copies)

    def view(self, version: Version) -> "LoraAdapter":
        """The present weights without gradients, in the same storage. Call `move` before changing the adapter's weights."""
        views = {name: parameter.detach() for name, parameter in self.parameters.items()}
        return LoraAdapter(spec=self.spec, parameters=views, version=version, storage=self.storage)

    def move(self) -> None:
        """Copies the weights to new storage; views keep the old one."""
        for parameter in self.parameters.values():
            parameter.data = parameter.data.clone()
        self.storage = Storage(self.weight_nbytes)

    def factors(self, layer: int, projection: str) -> tuple[Tensor, Tensor] | None:
        """(A, B) of one projection; None if the adapter does not target it."""
        if projection not in self.spec.targets:
            return None
        names = (parameter_name(layer, projection, factor) for factor in ("lora_A", "lora_B"))
        lora_a, lora_b = (self.parameters[name] for name in names)
        return lora_a, lora_b

    @property
    def scaling(self) -> float:
        return self.spec.scaling


def parameter_name(layer: int, projection: str, factor: str) -> str:
    """`layers.0.self_attn.q_proj.lora_A`."""
    block = "self_attn" if projection in ("q_proj", "k_proj", "v_proj", "o_proj") else "mlp"
    return f"layers.{layer}.{block}.{projection}.{factor}"
