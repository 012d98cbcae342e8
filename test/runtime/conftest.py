"""A random Llama of a few thousand parameters and what goes with it."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from collections.abc import Callable, Sequence

import pytest
import torch

from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.data import Message

AdapterMaker = Callable[..., LoraAdapter]


class FakeTokenizer:
    """One token for each character of `alphabet`, then the mask and the end of an answer."""

    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123 .\n:"
    mask_token, eos_token = "<mask>", "<eos>"
    mask_token_id, eos_token_id = len(alphabet), len(alphabet) + 1
    vocab_size = len(alphabet) + 2
    has_template = True
    system_prompt = ""
    mask_is_text = False

    def controls_in(self, text: str) -> int:
        return 0

    def hidden(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        return tuple(messages)

    def pad_ids(self, pad_tokens: Sequence[str]) -> tuple[int, ...]:
        return tuple(self.alphabet.index(character) for character in pad_tokens)

    def encode(self, text: str, add_special: bool = False) -> list[int]:
        return [self.alphabet.index(character) for character in text]

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        special = {self.mask_token_id: self.mask_token, self.eos_token_id: self.eos_token}
        return "".join(
            self.alphabet[i] if i < len(self.alphabet) else "" if skip_special else special[i] for i in ids
        )

    def render(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
        lines = [f"{message.role}:{message.content}\n" for message in messages]
        return "".join(lines) + ("assistant:" if add_generation_prompt else "")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> FakeTokenizer:
    return FakeTokenizer()


@pytest.fixture(scope="session")
def config() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=48,
        num_layers=2,
        num_heads=4,
        num_kv_heads=2,
        head_dim=8,
        max_positions=256,
        tied=True,
    )


@pytest.fixture(scope="session")
def model(config: LlamaConfig) -> Llama:
    return Llama.random(config, seed=0, deviation=0.2)


@pytest.fixture(scope="session")
def make_adapter(config: LlamaConfig) -> AdapterMaker:
    """Makes adapters whose B is random instead of zero, so that they change something."""

    def make(
        *,
        rank: int = 4,
        alpha: float = 8.0,
        targets: tuple[str, ...] = ("q_proj", "v_proj"),
        dropout: float = 0.0,
        seed: int = 0,
        use_rslora: bool = False,
        config: LlamaConfig = config,
    ) -> LoraAdapter:
        spec = AdapterSpec(
            rank=rank, alpha=alpha, targets=targets, dropout=dropout, seed=seed, use_rslora=use_rslora
        )
        adapter = LoraAdapter.create(config, spec)
        generator = torch.Generator().manual_seed(seed + 1000)
        with torch.no_grad():
            for name, parameter in adapter.parameters.items():
                if name.endswith("lora_B"):
                    parameter.normal_(0.0, 0.1, generator=generator)
        return adapter

    return make


@pytest.fixture
def adapter(make_adapter: AdapterMaker) -> LoraAdapter:
    return make_adapter()
