"""A hash of what is on record: results of the practices say by it which records they rest on."""

from __future__ import annotations

import hashlib
import json

from perfanalytics.core import codec
from perfanalytics.core.archive import Archive


def fingerprint(archive: Archive) -> str:
    """A hash of every record, of which results are saved in which versions, and of the newest data."""
    told = {kind: [codec.to_record(r) for r in records] for kind, records in sorted(archive.records.items())}
    saved = [[s.name, s.version, s.result_kind, s.verdict] for s in archive.saved]
    newest = {name: time.isoformat() for name, time in sorted(archive.newest.items())}
    text = json.dumps([told, saved, newest, archive.on.isoformat()], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
