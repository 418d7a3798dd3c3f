"""The patch policy: one file that says which nodes are patched with what, when and how, and who is told.

`patching.policy_file` reads it from YAML. What is checked here is checked when the file is read, before anything is
synthesized or deployed.
"""

from patching.policy.policy import Policy

__all__ = ["Policy"]
