"""Results and records <-> plain JSON values, equal to the last bit.

Arrays travel as base64 of their little-endian bytes, so that every float comes back as it was;
dataclasses travel as ``{"kind": ..., "schema_version": ..., "fields": {...}}`` and are found again
through :mod:`perfanalytics.core.kinds`. Lists come back as tuples: results hold nothing mutable.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from perfanalytics.core import kinds
from perfanalytics.core.errors import RecordError

Json = Any


def encode(value: object) -> Json:
    """A JSON value for ``value``.

    Raises
    ------
    RecordError
        When the value is of a type that does not belong into a result.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else {"$float": repr(number)}
    if isinstance(value, np.datetime64):
        return {"$time": str(value), "unit": np.datetime_data(value.dtype)[0]}
    if isinstance(value, dt.datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, dt.date):
        return {"$date": value.isoformat()}
    if isinstance(value, np.ndarray):
        return _encode_array(value)
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    if isinstance(value, Mapping):
        if any(not isinstance(k, str) or k.startswith("$") for k in value):
            raise RecordError("the keys of a saved mapping must be strings that do not start with '$'")
        return {"$map": {k: encode(v) for k, v in value.items()}}
    if is_dataclass(value) and not isinstance(value, type):
        return to_record(value)
    raise RecordError(f"a value of type {type(value).__name__} cannot be saved in a result")


def to_record(obj: Any) -> dict[str, Json]:
    """``{"kind", "schema_version", "fields"}`` of a dataclass that has a ``kind``."""
    cls = type(obj)
    kind = getattr(cls, "kind", None)
    if kind is None:
        raise RecordError(f"{cls.__name__} has no kind: it cannot be saved")
    return {
        "kind": kind,
        "schema_version": getattr(cls, "schema_version", 1),
        "fields": {f.name: encode(getattr(obj, f.name)) for f in fields(obj) if f.init},
    }


def decode(value: Json) -> Any:
    """What :func:`encode` was given."""
    if isinstance(value, list):
        return tuple(decode(v) for v in value)
    if not isinstance(value, dict):
        return value
    if "$map" in value:
        return {k: decode(v) for k, v in value["$map"].items()}
    if "$float" in value:
        return float(value["$float"])
    if "$array" in value:
        return _decode_array(value)
    if "$time" in value:
        return np.datetime64(value["$time"], value["unit"])
    if "$datetime" in value:
        return dt.datetime.fromisoformat(value["$datetime"])
    if "$date" in value:
        return dt.date.fromisoformat(value["$date"])
    if "kind" in value:
        return from_record(value)
    raise RecordError(f"cannot read a saved value with the keys {sorted(value)}")


def from_record(record: Mapping[str, Json], expect: type[Any] | None = None) -> Any:
    """The object behind a record; older schema versions are brought up to date by the class.

    A class whose fields change raises its ``schema_version`` and gives a class method
    ``upgrade(fields, version) -> fields`` that turns the saved fields of an older version into today's.

    Raises
    ------
    RecordError
        When the kind is unknown, the version newer than this package, or the content damaged.
    """
    try:
        kind, version, saved = record["kind"], record["schema_version"], record["fields"]
    except (KeyError, TypeError) as error:
        raise RecordError("a record needs the keys kind, schema_version and fields") from error
    cls = kinds.class_of(kind)
    if expect is not None and not issubclass(cls, expect):
        raise RecordError(f"expected a record of {expect.__name__}, found kind {kind!r}")
    current = getattr(cls, "schema_version", 1)
    if version > current:
        raise RecordError(
            f"this {kind} was saved by a newer version of perfanalytics "
            f"(schema {version}, this version reads up to {current})"
        )
    values = {name: decode(v) for name, v in saved.items()}
    if version < current:
        values = cls.upgrade(values, version)
    try:
        return cls(**values)
    except TypeError as error:
        raise RecordError(f"the record of this {kind} does not fit its class: {error}") from error


def same(a: object, b: object) -> bool:
    """Equal in type, shape and every bit (NaN equals NaN)."""
    return bool(encode(a) == encode(b))


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array, contiguous, that nobody can write to; an array that could be written to is copied."""
    array = np.ascontiguousarray(array)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _encode_array(array: np.ndarray[Any, Any]) -> Json:
    shape = list(array.shape)
    if array.dtype.kind in "OUT":
        return {"$array": "text", "shape": shape, "items": [_text(v) for v in array.ravel().tolist()]}
    if array.dtype.kind not in "biufMm":
        raise RecordError(f"an array of type {array.dtype} cannot be saved in a result")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    data = base64.b64encode(np.ascontiguousarray(little).tobytes()).decode("ascii")
    return {"$array": little.dtype.str, "shape": shape, "data": data}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise RecordError(f"an array of objects may hold text and None only, found {type(value).__name__}")


def _decode_array(value: Mapping[str, Json]) -> np.ndarray[Any, Any]:
    if value["$array"] == "text":
        array = np.empty(len(value["items"]), dtype=object)
        array[:] = value["items"]
    else:
        data = base64.b64decode(value["data"])
        array = np.frombuffer(data, dtype=np.dtype(value["$array"]))
    array = array.reshape(value["shape"])
    array.flags.writeable = False
    return array
