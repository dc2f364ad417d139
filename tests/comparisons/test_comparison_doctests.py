"""The examples in the docstrings of the comparisons run."""

import doctest
import importlib
import pkgutil

import pytest

import perfanalytics.comparisons as package

MODULES = [m.name for m in pkgutil.walk_packages(package.__path__, "perfanalytics.comparisons.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    found = doctest.testmod(module, extraglobs={"np": importlib.import_module("numpy")})
    assert found.failed == 0
