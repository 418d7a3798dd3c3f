"""What AWS allows in an account and Region, as long as nobody has asked for more.

Follows https://docs.aws.amazon.com/general/latest/gr/ssm.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html and
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
RESOURCES_FOR_WINDOWS = 300
"""Of the first template; further windows go to further stacks. It does not depend on what else a policy has, so that a
window stays where it is when something else is added."""
MAX_TEMPLATE_BYTES = 1_000_000
"""Of one template that is in S3; no quota that AWS raises."""
MAX_MANAGED_POLICY = 6_144
"""Characters of a managed policy of IAM without white space; no quota that AWS raises."""
MAX_TRUST_POLICY = 2_048
"""Characters of a role's trust policy without white space."""
MAX_EVENT_PATTERN = 2_048
"""Characters of the event pattern of an EventBridge rule."""
