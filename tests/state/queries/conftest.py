"""A small study of which questions are asked."""

import pytest

from tests.synthetic import write_synthetic_study
from vitpanel.study.reader import Study, open_study


@pytest.fixture(scope="package")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_synthetic_study(tmp_path_factory.mktemp("queries") / "a.study"))
