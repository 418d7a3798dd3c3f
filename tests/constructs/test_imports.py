from __future__ import annotations

from pathlib import Path

import constructs
import constructs.output_bucket
from constructs import Construct
from constructs.output_bucket import OutputBucket

from tests.cdk import ROOT


def test_the_folder_merges_into_the_package_of_the_same_name() -> None:
    assert issubclass(OutputBucket, Construct)
    assert Path(constructs.output_bucket.__file__).parent == ROOT / "constructs"
    assert "site-packages" in str(constructs.__file__)


def test_the_folder_has_no_init_file_which_would_hide_the_package() -> None:
    assert (ROOT / "constructs" / "output_bucket.py").exists()
    assert not (ROOT / "constructs" / "__init__.py").exists()
