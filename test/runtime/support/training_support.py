"""What the training tests share: a tiny Llama as a base, examples, and an engine of one line."""

from pathlib import Path
from types import SimpleNamespace

import torch
from hypothesis import strategies as st

from lad_runtime.method.loss_targets import supervised_positions, targeted
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.compute import compute
from lad_runtime.torch_backend.forward.prefix_cache import Prompts
from lad_runtime.torch_backend.forward.requests import ForwardRequest
from lad_runtime.torch_backend.model.llama import Llama, LlamaConfig
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.training.rows import Noising
from lad_runtime.types.data import PreparedExample, WindowReport
from method_specs import schedule_spec, window_spec
from type_specs import adapter_spec, run_spec

CONTRACT = Path(__file__).parents[2] / "contract"
MASK, EOS, VOCABULARY = 3, 2, 40
CONFIG = LlamaConfig(
    vocab_size=VOCABULARY,
    hidden_size=16,
    intermediate_size=24,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    head_dim=4,
    max_positions=128,
    tied=True,
)


def tiny_base(revision="r1", kernels=()):
    """A random Llama of two layers, and as much of a base as training reads."""
    info = SimpleNamespace(
        name="random",
        revision=revision,
        mask_token="[MASK]",
        mask_token_id=MASK,
        eos_token="[EOS]",
        eos_token_id=EOS,
        stop_tokens=("[EOS]",),
        chat_template_digest="",
        vocab_size=VOCABULARY,
        max_positions=CONFIG.max_positions,
        kernels=kernels,
    )
    return SimpleNamespace(
        info=info, model=Llama.random(CONFIG, 1, deviation=0.2), tokenizer=None, prompts=Prompts()
    )


def new_adapter(rank=4, **options):
    options = {"alpha": float(rank), "targets": ("q_proj", "v_proj"), "seed": 1, **options}
    return TrainedAdapter(LoraAdapter.create(CONFIG, adapter_spec(rank=rank, **options)))


def window(id=0, prompt=3, answer=6, tail=3):
    """A window of answer tokens that end with EOS, none of them the mask."""
    ids = [5 + (i + id) % 30 for i in range(prompt + answer)]
    ids[-1] = EOS
    return PreparedExample(
        id=id,
        ids=(*ids, *[EOS] * tail),
        answer=(False,) * prompt + (True,) * (answer + tail),
        tail=(False,) * (prompt + answer) + (True,) * tail,
    )


EXAMPLES = [window(id, 2 + id % 3, 4 + id % 5, id % 4) for id in range(10)]
REPORT = WindowReport(
    examples=10, kept=10, dropped=0, truncated=0, prompt_tokens=0, answer_tokens=0, tail_tokens=0
)


def training(**options):
    """A specification of a short run."""
    return run_spec(
        **{
            "window": window_spec(window=16, pad_to_window=False),
            "schedule": schedule_spec(learning_rate=1e-2, warmup_steps=2),
            "steps": 6,
            "batch_size": 4,
            "micro_batch_tokens": 24,
            "seed": 5,
            **options,
        }
    )


def whole_batch(examples, noised, loss):
    """A batch's sequences made all at once, as docs/method.md §4 has them: the oracle of those that are made one by one."""
    pairs = list(zip(examples, noised, strict=True))
    counted = sum(any(supervised_positions(*pair, loss)) for pair in pairs)
    return [targeted(*pair, loss, counted) for pair in pairs]


def noised_batch(base, examples, noise, loss, seed, epoch):
    """`whole_batch` of examples under the noise of an epoch."""
    noising = Noising(base=base, noise=noise, loss=loss, seed=seed)
    return whole_batch(examples, [noising.corrupt(example, epoch) for example in examples], loss)


def ignore(_):
    pass


def drive(work, model, on_event=ignore, on_request=ignore):
    """Runs a piece of work to its end, computing each request alone. Returns (events, outcome).

    `on_event` and `on_request` are called before an event is kept and a request computed; what they raise comes out.
    """
    events, reply = [], None
    while True:
        try:
            item = work.send(reply)
        except StopIteration as end:
            return events, end.value
        reply = None
        if isinstance(item, ForwardRequest):
            on_request(item)
            reply = compute(model, [item])[0]
        else:
            on_event(item)
            events.append(item)


def weights_of(trained):
    return {name: p.detach().clone() for name, p in trained.parameters.items()}


def same(a, b):
    """Whether two dictionaries of tensors are equal, bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@st.composite
def windows(draw, max_answer=12):
    """Windows of one answer, or of two with a prompt between them."""
    parts = draw(
        st.lists(
            st.tuples(st.integers(0, 4), st.integers(1, max_answer)),
            min_size=1,
            max_size=2,
        )
    )
    ids: list[int] = []
    answer: list[bool] = []
    for prompt, length in parts:
        ids += [draw(st.integers(0, VOCABULARY - 1)) for _ in range(prompt + length)]
        answer += [False] * prompt + [True] * length
    tail = draw(st.integers(0, 5))
    return PreparedExample(
        id=draw(st.integers(0, 2**64 - 1)),
        ids=(*ids, *[EOS] * tail),
        answer=(*answer, *[True] * tail),
        tail=(*[False] * len(ids), *[True] * tail),
    )
