from __future__ import annotations

import botocore.session
import pytest

from tests.patchops import share_models


def test_sessions_share_the_service_models_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def loader() -> object:
        return botocore.session.get_session().get_component("data_loader")

    assert loader() is not loader()
    share_models(monkeypatch)
    assert loader() is loader()
