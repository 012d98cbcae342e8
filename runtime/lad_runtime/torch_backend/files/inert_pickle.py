"""Reads a pickle's values without making anything: what it would import or call stays a name with its arguments."""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lad_runtime.errors import ErrorCode, LadError

_LONGEST_NAME = 200  # characters of a module, of what is in it
_LONGEST_KEY = 1_000  # two equal texts are compared at every look-up
_LARGEST_KEY = 2**53
_MOST_ODD_KEYS = 10_000  # of one file; a model has a handful, such as the labels' numbers


@dataclass(frozen=True, eq=False)
class Named:
    """What a pickle would import."""

    module: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, repr=False)  # a hostile one may hold itself
class Made:
    """What a pickle would make by calling `what`, and then give a state and items."""

    what: object
    arguments: object
    state: object = None
    items: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class Persistent:
    """What a pickle leaves to its reader to find, by an id."""

    id: object


def read_pickle(content: bytes, allowed: Callable[[Named], bool]) -> object:
    """The pickle's value: dicts, lists, tuples, sets, texts, numbers, and the three kinds above; equal references are one object.

    Nothing is imported or called, whatever the pickle says. Keys and members of sets are short texts and bytes, numbers, None and
    the first two kinds above. Time and memory are linear in the pickle's length. Raises LadError(INVALID_FILE) for one that is
    damaged, has an opcode or a key that torch does not write, or names something that is not `allowed`.
    """
    reader = _Reader(allowed)
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                (value,) = reader.stack
                return value
            reader.take(opcode.name, argument)
    except LadError:
        raise
    except (
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        UnicodeError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise damaged(f"its pickle cannot be read ({type(error).__name__}: {str(error)[:120]})") from error
    raise damaged("its pickle has no end")


def damaged(problem: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE,
        f"The file of torch.save cannot be used: {problem}.",
        option="file",
        remedy="Get the file again, from whom you trust.",
    )


class _Reader:
    def __init__(self, allowed: Callable[[Named], bool]) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []  # where on the stack groups of values begin
        self._memo: list[Any] = []
        self._odd_keys = 0
        self._allowed = allowed

    def take(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self._remember(int(argument))
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self._recall(int(argument))
        elif name == "GLOBAL":
            self._name(*argument.split(" ", 1))
        else:
            act = _ACTS.get(name)
            if act is None:
                raise damaged(f"its pickle has the opcode {name}, which torch.save does not write")
            act(self)

    def memoize(self) -> None:
        self._memo.append(self.stack[-1])

    def _remember(self, at: int) -> None:
        if not 0 <= at <= len(self._memo):  # picklers count from 0
            raise IndexError("it leaves places for values empty")
        self._memo[at : at + 1] = [self.stack[-1]]

    def _recall(self, at: int) -> None:
        if at < 0:
            raise IndexError("no place for values")
        self.stack.append(self._memo[at])

    def name(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ValueError("a name is no text")
        self._name(module, name)

    def _name(self, module: str, name: str) -> None:
        if max(len(module), len(name)) > _LONGEST_NAME:
            raise ValueError("a name is too long")
        named = Named(module, name)
        if not self._allowed(named):
            raise damaged(f"its pickle asks for {named.path[:120]}, which no model is made of")
        self.stack.append(named)

    def make(self) -> None:
        arguments, what = self.stack.pop(), self.stack.pop()
        if isinstance(what, Named) and what.path == "collections.OrderedDict":
            if not isinstance(arguments, tuple) or arguments:  # torch gives items later, one by one
                raise damaged("its pickle makes a dict of another")
            self.stack.append({})
        else:
            self.stack.append(Made(what, arguments))

    def make_with_names(self) -> None:
        names = self.stack.pop()
        arguments = self.stack.pop()
        self.stack.append(Made(self.stack.pop(), (arguments, names)))

    def build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], Made):
            self.stack[-1].state = state  # a dict's is of its class, which it is not read as

    def set_items(self, pairs: list[Any]) -> None:
        target = self.stack[-1]
        items = target.items if isinstance(target, Made) else target
        if not isinstance(items, dict) or len(pairs) % 2:
            raise ValueError("items of what has none")
        items.update(zip(self.keys(pairs[::2]), pairs[1::2], strict=True))

    def add_members(self, members: list[Any]) -> None:
        if not isinstance(self.stack[-1], set):
            raise ValueError("members of what is no set")
        self.stack[-1].update(self.keys(members))

    def keys(self, values: list[Any]) -> list[Any]:
        """The values, all of which can be hashed: neither deep (a tuple's hash recurses) nor many that a file can make collide."""
        for value in values:
            if isinstance(value, str | bytes):  # hashed with a secret of the process
                if len(value) > _LONGEST_KEY:
                    raise damaged(f"its pickle has a key of {len(value)} characters")
                continue
            if not (value is None or isinstance(value, int | float | Named | Made)):
                raise damaged(f"its pickle has a {type(value).__name__.lower()} as a key")
            self._odd_keys += 1
            if self._odd_keys > _MOST_ODD_KEYS or (isinstance(value, int) and abs(value) > _LARGEST_KEY):
                raise damaged("its pickle has keys that are no texts, too large or too many")
        return values

    def append(self, values: list[Any]) -> None:
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)
        elif not isinstance(self.stack[-1], Made):  # a list of a class of its own is not looked into
            raise ValueError("values behind what is no list")

    def mark(self) -> None:
        self._marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        at = self._marks.pop()
        values = self.stack[at:]
        del self.stack[at:]
        return values

    def popped(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("the stack is too short")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values


def _put(make: Callable[[list[Any]], Any], take: Callable[[_Reader], list[Any]]) -> Callable[[_Reader], None]:
    def act(reader: _Reader) -> None:
        value = make(take(reader))
        reader.stack.append(value)

    return act


_LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
_ACTS: Mapping[str, Callable[[_Reader], object]] = {
    "PROTO": lambda reader: None,
    "FRAME": lambda reader: None,
    "MARK": _Reader.mark,
    "MEMOIZE": _Reader.memoize,
    "STACK_GLOBAL": _Reader.name,
    "REDUCE": _Reader.make,
    "NEWOBJ": _Reader.make,
    "NEWOBJ_EX": _Reader.make_with_names,
    "BUILD": _Reader.build,
    "BINPERSID": lambda reader: reader.stack.append(Persistent(reader.stack.pop())),
    "SETITEM": lambda reader: reader.set_items(reader.popped(2)),
    "SETITEMS": lambda reader: reader.set_items(reader.since_mark()),
    "APPEND": lambda reader: reader.append(reader.popped(1)),
    "APPENDS": lambda reader: reader.append(reader.since_mark()),
    "ADDITEMS": lambda reader: reader.add_members(reader.since_mark()),
    "TUPLE": _put(tuple, _Reader.since_mark),
    "TUPLE1": _put(tuple, lambda reader: reader.popped(1)),
    "TUPLE2": _put(tuple, lambda reader: reader.popped(2)),
    "TUPLE3": _put(tuple, lambda reader: reader.popped(3)),
    "LIST": _put(list, _Reader.since_mark),
    "FROZENSET": _put(frozenset, lambda reader: reader.keys(reader.since_mark())),
    "POP": lambda reader: reader.stack.pop(),
    "POP_MARK": _Reader.since_mark,
}
