"""Every noise that is drawn without the model: a pure function of (seed, example id, epoch)."""

from lad_runtime.method.noises.cover import CoverNoise
from lad_runtime.method.noises.fixed import FixedNoise
from lad_runtime.method.noises.lad import LadNoise
from lad_runtime.method.noises.mask_only import MaskOnlyNoise
from lad_runtime.method.noises.none import NoNoise
from lad_runtime.method.noises.uniform import UniformNoise

DrawnNoise = LadNoise | MaskOnlyNoise | CoverNoise | UniformNoise | NoNoise | FixedNoise
