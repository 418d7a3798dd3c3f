"""What AWS allows, where an account has been given more than the default."""

from __future__ import annotations

from pydantic import Field

from patching import quotas
from patching.policy.part import Part


class Quotas(Part):
    """Quotas of the account in the Region. Other environments there use them up as well.

    Follows https://docs.aws.amazon.com/general/latest/gr/ssm.html.
    """

    windows: int = Field(default=quotas.MAX_WINDOWS, ge=1, le=1000, description="Maintenance windows.")
    windows_open: int = Field(
        default=quotas.MAX_WINDOWS_OPEN, ge=1, le=1000, description="Maintenance windows that run at one time."
    )
    baselines: int = Field(default=quotas.MAX_BASELINES, ge=1, le=1000, description="Patch baselines.")
    documents: int = Field(default=quotas.MAX_DOCUMENTS, ge=1, le=5000, description="Documents of your own.")
