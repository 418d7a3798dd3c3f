"""What AWS allows in an account and Region, as long as nobody has asked for more.

Follows https://docs.aws.amazon.com/general/latest/gr/ssm.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html.
"""

from __future__ import annotations

MAX_WINDOWS = 50
MAX_WINDOWS_OPEN = 5
"""Windows that run at one time; a further one does not start."""
MAX_DURATION_HOURS = 24
"""Of a window; no quota that AWS raises."""
MAX_TARGETS_OF_TASK = 10
MAX_BASELINES = 50
MAX_PATCH_GROUPS = 25
"""Of one baseline."""
MAX_DOCUMENTS = 500
MAX_RESOURCES = 500
"""Of one CloudFormation template; no quota that AWS raises."""
MAX_TAGS = 50
"""Of one resource; no quota that AWS raises."""
