"""A session whose clients answer what a test says."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.stub import Stubber

from ops.session import Session


class Stubbed(Session):
    """A session whose client of Systems Manager answers what the test says, in this order."""

    def __init__(self) -> None:
        super().__init__(region="us-east-1")
        client = boto3.Session("x", "y", region_name="us-east-1").client("ssm")
        self.__dict__["ssm"] = self.__dict__["ssm_once"] = client
        self.stubber = Stubber(client)

    def answers(self, *replies: tuple[str, dict[str, Any]]) -> Stubbed:
        for operation, reply in replies:
            self.stubber.add_response(operation, reply)
        self.stubber.activate()
        return self
