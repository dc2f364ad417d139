"""What the tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def no_global_random_state():
    """A test that touches NumPy's global random state fails: randomness is always explicit."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (the legacy state is what is watched)
    yield
    after = np.random.get_state()[1]  # noqa: NPY002
    assert (before == after).all(), "the global random state was used"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, which are never committed; tests that need it skip without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets are not on this machine (see examples/README.md)")
    return folder
