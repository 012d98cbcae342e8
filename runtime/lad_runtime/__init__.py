"""The PyTorch worker of lad: adapts a causal Llama to a diffusion language model with LoRA, and samples it."""

__version__ = "0.1.0"
