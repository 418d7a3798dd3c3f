"""What AWS allows, where an account has been given more than the default."""

from __future__ import annotations

from pydantic import Field

from patching import quotas
from patching.policy import pages
from patching.policy.part import Part


class Quotas(Part, json_schema_extra=pages.QUOTAS):
    """Quotas of the account in the Region, where AWS has raised them.

    What the policy has is counted against them; other environments there use them up as well.
    """

    windows: int = Field(
        default=quotas.MAX_WINDOWS, ge=1, le=1000, description="Maintenance windows that there may be."
    )
    windows_open: int = Field(
        default=quotas.MAX_WINDOWS_OPEN,
        ge=1,
        le=1000,
        description="Maintenance windows that run at one time; a further one does not start.",
    )
    baselines: int = Field(default=quotas.MAX_BASELINES, ge=1, le=1000, description="Patch baselines of your own.")
    documents: int = Field(default=quotas.MAX_DOCUMENTS, ge=1, le=5000, description="Documents of your own.")
