"""The model `lad` of lm-eval's harness: it asks a running worker, over the published protocol, and needs no torch itself.

lm-eval looks for no models outside of itself. `lad-lm-eval` (or `python -m lad_lm_eval`) is its command line with this one; in a
program of one's own, importing this package makes it known.
"""

import lm_eval.models  # noqa: F401  # the harness names its own models where none is known yet, which this one would prevent
from lm_eval.api.registry import model_registry

model_registry.register("lad", target="lad_lm_eval.model:LadModel")
