"""What an adapter knows of its training: made where it is trained, kept in `lad.json` beside its weights, read with suspicion."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.loss_targets import LossSpec
from lad_runtime.method.noise import NoiseSpec
from lad_runtime.method.random_split import Context
from lad_runtime.torch_backend.adapters.checkpoint_format import read_claimed
from lad_runtime.torch_backend.adapters.json_values import read_json_value
from lad_runtime.torch_backend.adapters.peft_options import invalid_adapter
from lad_runtime.types.adapters import AdapterClaims
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.bases import BaseInfo
from lad_runtime.version import BUILD_VERSION

CLAIMS_FILE = "lad.json"
FORMAT = 2
"""Of the file. It grows when a field is added, since a reader refuses fields that it does not know."""


def claims_of(
    info: BaseInfo,
    *,
    attention: AttentionMode,
    context: Context,
    noise: NoiseSpec | None,
    loss: LossSpec | None,
    lengths: Iterable[int],
    canvas_tokens: int,
    pad_tokens: tuple[str, ...],
) -> AdapterClaims:
    """The claims of gradients that were computed on a base in this way, over examples of these lengths in tokens.

    The adapter counts their steps.
    """
    window, *others = set(lengths)
    return AdapterClaims(
        base_name=info.name,
        base_revision=info.revision,
        attention=attention,
        context=context,
        noise=noise,
        loss=loss,
        mask_token=info.mask_token,
        eos_token=info.eos_token,
        stop_tokens=info.stop_tokens,
        chat_template_digest=info.chat_template_digest,
        steps=0,
        version=BUILD_VERSION,
        window_tokens=0 if others else window,
        canvas_tokens=canvas_tokens,
        pad_tokens=pad_tokens,
    )


def check_base(claims: AdapterClaims, info: BaseInfo) -> None:
    """Raises INVALID_STATE where the adapter was trained on weights of another revision, whatever they are called."""
    if claims.base_revision == info.revision:
        return
    raise LadError(
        ErrorCode.INVALID_STATE,
        f"The adapter was trained on {claims.base_name[:256]} of revision {claims.base_revision[:256]}, "
        f"not on {info.name} of {info.revision}.",
        option="adapter",
        remedy="Load it onto the base that it was trained on, or give allowOtherBase: true to try it on this one.",
    )


def claims_file(claims: AdapterClaims) -> bytes:
    return (json.dumps({"format": FORMAT, **asdict(claims)}, indent=2) + "\n").encode()


def read_claims_file(content: bytes) -> AdapterClaims:
    """Raises INVALID_FILE, naming the field, for a file that is damaged; VERSION_MISMATCH for one of a newer format."""
    try:
        given = json.loads(content)
        if not isinstance(given, dict):
            raise ValueError("it is not a JSON object")
        number = given.pop("format", None)
        if type(number) is not int or number < 1:
            raise ValueError("its format is no whole number of at least 1")
        if number > FORMAT:
            raise _newer(number)
        return read_claims(given)
    except (ValueError, RecursionError) as error:
        raise invalid_adapter(
            f"{CLAIMS_FILE} cannot be read ({str(error)[:200]})",
            f"Get the adapter's files again; without {CLAIMS_FILE} it loads as one that says nothing of its training.",
        ) from error


def read_claims(given: Any) -> AdapterClaims:
    """Claims as JSON gives them back. Raises ValueError that names the field."""
    try:
        whole = read_claimed(given) if isinstance(given, Mapping) else given
        return read_json_value(AdapterClaims, whole)
    except LadError as error:
        raise ValueError(error.message) from error


def _newer(number: int) -> LadError:
    return LadError(
        ErrorCode.VERSION_MISMATCH,
        f"The adapter's {CLAIMS_FILE} is of format {str(number)[:20]}, which is newer than this worker's ({FORMAT}).",
        option="adapter",
        remedy=f"Load it with the version of lad that wrote it, or without {CLAIMS_FILE}.",
    )
