"""What the annotation of a value's field says."""

import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin


def is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def members_of(hint: Any) -> tuple[Any, ...]:
    """Of a union; of anything else itself."""
    return get_args(hint) if is_union(hint) else (hint,)


def without_none(hint: Any) -> tuple[Any, bool]:
    """The rest of the hint, and whether it allowed None."""
    rest = tuple(each for each in members_of(hint) if each is not type(None))
    return (hint, False) if len(rest) == len(members_of(hint)) else (Union[rest], True)  # noqa: UP007


def item_of(hint: Any) -> Any:
    """What a row's items are; None where the hint is no row."""
    return get_args(hint)[0] if get_origin(hint) in (tuple, Sequence) else None
