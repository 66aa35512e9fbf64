"""Fixtures of the tests that drive the real program. pytest puts this folder on sys.path, and so `harness`."""
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
