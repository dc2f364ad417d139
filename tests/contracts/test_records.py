"""Results saved by earlier versions stay readable; there is one for every kind and schema version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perfanalytics.core import codec
from perfanalytics.core.kinds import KINDS, class_of
from perfanalytics.core.result import Result

RECORDS = sorted((Path(__file__).parent / "records").glob("*.json"))
RESULTS = sorted(kind for kind in KINDS if issubclass(class_of(kind), Result))


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_a_saved_result_is_read_back_typed(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    result = codec.from_record(record, expect=Result)
    assert result.kind == record["kind"]
    assert result.verdict
    assert len(result.summary()) >= 1
    again = codec.from_record(json.loads(json.dumps(result.to_record(), allow_nan=False)))
    assert again == result
    if record["schema_version"] == type(result).schema_version:
        assert result.to_record() == record


@pytest.mark.parametrize("kind", RESULTS)
def test_every_schema_version_of_every_kind_is_kept(kind):
    saved = {p.stem for p in RECORDS}
    for version in range(1, class_of(kind).schema_version + 1):
        assert f"{kind}-{version}" in saved, "run tests/contracts/make_records.py"
