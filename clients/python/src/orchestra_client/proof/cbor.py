"""The encoding of proof objects: deterministic CBOR, read strictly.

Whatever a writer would not have written is refused, so that no object has two forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import copysign, isnan
from struct import unpack
from typing import Any, NamedTuple

UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP = range(6)
FALSE, TRUE, NULL, DOUBLE = 0xF4, 0xF5, 0xF6, 0xFB
U32_MAX = 2**32 - 1
VALUE_DEPTH_MAX = 64
_SMALLEST = {24: (1, 24), 25: (2, 0x100), 26: (4, 0x1_0000), 27: (8, 0x1_0000_0000)}


class EncodingError(Exception):
    """Bytes that are not the one form of the object they should be."""


class VersionError(EncodingError):
    """An object of another version of the format."""


class Reader:
    """Reads items from bytes, one after another."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def fail(self, problem: str) -> EncodingError:
        return EncodingError(f"byte {self.offset}: {problem}")

    def take(self, count: int) -> bytes:
        end = self.offset + count
        if end > len(self.data):
            raise self.fail("the bytes end in the middle of an item")
        taken = self.data[self.offset : end]
        self.offset = end
        return taken

    def peek(self) -> int:
        return self.data[self.offset] if self.offset < len(self.data) else -1

    def end(self) -> None:
        if self.offset != len(self.data):
            raise self.fail("there are bytes after the object")

    def head(self, major: int) -> int:
        first = self.take(1)[0]
        short = first & 0x1F
        if first >> 5 != major:
            raise self.fail("another type of item was expected")
        if short < 24:
            return short
        if short not in _SMALLEST:
            raise self.fail("a length without an end is not allowed")
        extra, smallest = _SMALLEST[short]
        value = int.from_bytes(self.take(extra), "big")
        if value < smallest:
            raise self.fail("a number is not in its shortest form")
        return value

    def uint(self, most: int = 2**64 - 1) -> int:
        value = self.head(UINT)
        if value > most:
            raise self.fail("a number is out of range")
        return value

    def u32(self) -> int:
        return self.uint(U32_MAX)

    def octets(self, most: int) -> bytes:
        count = self.head(BYTES)
        if count > most:
            raise self.fail("a byte string is too long")
        return self.take(count)

    def fixed(self, size: int) -> bytes:
        value = self.octets(size)
        if len(value) != size:
            raise self.fail(f"a byte string is not {size} bytes long")
        return value

    def hash(self) -> bytes:
        return self.fixed(32)

    def text(self, most: int) -> str:
        count = self.head(TEXT)
        if count > most:
            raise self.fail("a text is too long")
        try:
            return self.take(count).decode()
        except UnicodeDecodeError as error:
            raise self.fail("text is not UTF-8") from error

    def flag(self) -> bool:
        if self.take(1)[0] != TRUE:
            raise self.fail("a flag that is not set is left out")
        return True

    def count(self, major: int, most: int) -> int:
        count = self.head(major)
        # Every item takes at least a byte, so a larger count is known to be false.
        if count > most or count > len(self.data) - self.offset:
            raise self.fail("there are too many items")
        return count

    def array(self, most: int) -> int:
        return self.count(ARRAY, most)

    def version(self) -> int:
        value = self.uint()
        if value != 0:
            raise VersionError(f"this is version {value} of the format; this program knows version 0 only")
        return value


class Field(NamedTuple):
    """A field of an object: how it is read, and whether it may be left out."""

    read: Callable[[Reader], Any]
    optional: bool = False


def maybe(read: Callable[[Reader], Any]) -> Field:
    """A field that may be left out."""
    return Field(read, optional=True)


def read_object(reader: Reader, fields: Mapping[int, Field]) -> dict[int, Any]:
    """The fields of the object that comes next, by key."""
    found: dict[int, Any] = {}
    last = -1
    for _ in range(reader.count(MAP, 23)):
        key = reader.uint()
        if key <= last or key not in fields:
            raise reader.fail(f"key {key} is unknown, repeated or out of order")
        found[key] = fields[key].read(reader)
        last = key
    for key, field in fields.items():
        if not field.optional and key not in found:
            raise reader.fail(f"key {key} is missing")
    return found


def decode(data: bytes, fields: Mapping[int, Field]) -> dict[int, Any]:
    """The object that `data` is, to the last byte."""
    reader = Reader(data)
    found = read_object(reader, fields)
    reader.end()
    return found


def check_value(data: bytes) -> None:
    """Refuses bytes that are not the one encoding of one value of the plan language."""
    reader = Reader(data)
    _skip(reader, 0)
    reader.end()


def _skip(reader: Reader, depth: int) -> None:
    first = reader.peek()
    major, most = first >> 5, len(reader.data)
    if major in (ARRAY, MAP) and depth >= VALUE_DEPTH_MAX:
        raise reader.fail("a value is nested too deep")
    if major in (UINT, NEGATIVE):
        reader.head(major)
    elif major == BYTES:
        reader.octets(most)
    elif major == TEXT:
        reader.text(most)
    elif major == ARRAY:
        for _ in range(reader.array(most)):
            _skip(reader, depth + 1)
    elif major == MAP:
        _skip_map(reader, depth)
    elif first == DOUBLE:
        _skip_double(reader)
    elif first in (NULL, TRUE, FALSE):
        reader.take(1)
    else:
        raise reader.fail("a value was expected")


def _skip_map(reader: Reader, depth: int) -> None:
    last: tuple[int, bytes] | None = None
    for _ in range(reader.count(MAP, len(reader.data))):
        key = reader.text(len(reader.data)).encode()
        place = (len(key), key)
        if last is not None and last >= place:
            raise reader.fail("the keys of a map are out of order")
        last = place
        _skip(reader, depth + 1)


def _skip_double(reader: Reader) -> None:
    (value,) = unpack(">d", reader.take(9)[1:])
    if isnan(value) or (value == 0 and copysign(1, value) < 0):
        raise reader.fail("a double is not in its one form")


def list_length(data: bytes) -> int | None:
    """The number of elements of the list that `data` is; `None` where it is no list."""
    try:
        return Reader(data).array(len(data))
    except EncodingError:
        return None


def number(data: bytes) -> int | None:
    """The unsigned number that `data` is; `None` where it is none."""
    reader = Reader(data)
    try:
        value = reader.uint()
        reader.end()
    except EncodingError:
        return None
    return value
