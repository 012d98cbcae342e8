"""The noise that every side trains under: the method's own."""

from lad_runtime.method.noises.lad import LadNoise

NOISE = LadNoise(
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
