"""The assertions of the shared semantics are explained by pytest as those of a test file are."""

import pytest

pytest.register_assert_rewrite("tests.testing.semantics")
