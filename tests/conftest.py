"""Fixtures of the tests that drive the real program. This file's folder is on sys.path, so `harness` can be imported."""
import pytest

from harness.stage import Stage


@pytest.fixture
def stage():
    """A Stage for one test."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def module_stage():
    """A Stage that the tests of one file share."""
    stage = Stage()
    yield stage
    stage.close()
