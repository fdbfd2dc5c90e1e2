"""Registers the shared semantics for pytest's assertion rewriting, as it is done for test files."""

import pytest

pytest.register_assert_rewrite("tests.testing.semantics")
