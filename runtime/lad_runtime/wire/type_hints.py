"""Takes apart the type annotation of a value's field."""

import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin


def is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def members_of(hint: Any) -> tuple[Any, ...]:
    """The members of a union; any other type is its own only member."""
    return get_args(hint) if is_union(hint) else (hint,)


def without_none(hint: Any) -> tuple[Any, bool]:
    """The rest of the hint, and whether it allowed None."""
    rest = tuple(each for each in members_of(hint) if each is not type(None))
    return (hint, False) if len(rest) == len(members_of(hint)) else (Union[rest], True)  # noqa: UP007


def item_of(hint: Any) -> Any:
    """The item type of a tuple or sequence; None for any other type."""
    return get_args(hint)[0] if get_origin(hint) in (tuple, Sequence) else None
