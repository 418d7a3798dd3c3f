"""The AWS pages that the keys of a policy follow, each under one name.

A key or a part carries its page as `json_schema_extra=pages.PATCH_GROUPS`. The page of a part holds for all of its keys
that name no other one. The policy's schema and its reference show the page beside what they say of the key.
"""

from __future__ import annotations

from pydantic.types import JsonValue

Page = dict[str, JsonValue]

PAGE = "x-aws-page"
"""The key of a model's or a field's schema that holds its page: its title and its address."""

OWN: Page = {PAGE: None}
"""For what is a matter of this project, of which AWS knows nothing."""


def _page(title: str, path: str) -> Page:
    return {PAGE: {"title": title, "url": f"https://docs.aws.amazon.com/{path}.html"}}


def _guide(title: str, path: str) -> Page:
    return _page(title, f"systems-manager/latest/userguide/{path}")


def _api(title: str) -> Page:
    return _page(title, f"systems-manager/latest/APIReference/API_{title}")


# Nodes and their network.
INSTANCE_TYPES = _page("Instance types", "AWSEC2/latest/UserGuide/instance-types")
EC2_TAGS = _page("Tags of EC2 resources", "AWSEC2/latest/UserGuide/Using_Tags")
VOLUME_TYPES = _page("EBS volume types", "ebs/latest/userguide/ebs-volume-types")
PUBLIC_IMAGES = _guide("Public parameters of images", "parameter-store-public-parameters-ami")
SUPPORTED_SYSTEMS = _guide("Patch Manager prerequisites", "patch-manager-prerequisites")
VPC_ENDPOINTS = _guide("VPC endpoints for Systems Manager", "setup-create-vpc")
SUBNETS = _page("Subnets", "vpc/latest/userguide/configure-subnets")
INTERNET_GATEWAY = _page("Internet gateways", "vpc/latest/userguide/VPC_Internet_Gateway")
HYBRID_ACTIVATION = _guide("Hybrid activations", "hybrid-activation-managed-nodes")
RESOURCE_TAGS = _page("Resource tags", "AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags")

# What is approved.
BASELINES = _guide("Patch baselines", "patch-manager-predefined-and-custom-patch-baselines")
CREATE_BASELINE = _api("CreatePatchBaseline")
DEFAULT_BASELINE = _guide("Default patch baseline", "patch-manager-default-patch-baseline")
PATCH_GROUPS = _guide("Patch groups", "patch-manager-patch-groups")
PATCH_RULE = _api("PatchRule")
PATCH_FILTER = _api("PatchFilter")
SELECTED_PATCHES = _guide("How security patches are selected", "patch-manager-selecting-patches")
PATCH_NAMES = _guide("Names of listed patches", "patch-manager-approved-rejected-package-name-formats")
PATCH_SOURCES = _guide("Alternative patch sources", "patch-manager-alternative-source-repository")

# Associations.
ASSOCIATIONS = _guide("Associations", "state-manager-associations-creating")
CREATE_ASSOCIATION = _api("CreateAssociation")
WHEN_ASSOCIATIONS_RUN = _guide("How State Manager works", "state-manager-about")
ASSOCIATION_RATES = _guide(
    "Targets and rate controls of associations", "systems-manager-state-manager-targets-and-rate-controls"
)
CHANGE_CALENDAR = _guide("Change Calendar", "systems-manager-change-calendar")
INVENTORY = _guide("Inventory collection", "inventory-collection")
AGENT_UPDATES = _guide("Automatic updates of SSM Agent", "ssm-agent-automatic-updates")
SCHEDULES = _guide("Cron and rate expressions", "reference-cron-and-rate-expressions")

# Maintenance windows, and what they run.
DOCUMENTS = _guide("Schemas of documents", "documents-schemas-features")
WINDOWS = _guide("Maintenance Windows", "maintenance-windows")
CREATE_WINDOW = _api("CreateMaintenanceWindow")
REGISTER_TASK = _api("RegisterTaskWithMaintenanceWindow")
WINDOW_TARGETS = _guide("Targets of a maintenance window", "sysman-maintenance-assign-targets")
WINDOW_SCHEDULES = _guide("Scheduling of maintenance windows", "maintenance-windows-schedule-options")
DISABLED_WINDOWS = _guide("Disabled maintenance windows", "sysman-maintenance-disable")
RATE_CONTROL = _guide("Rate control", "send-commands-multiple")
RUN_PATCH_BASELINE = _guide("AWS-RunPatchBaseline", "patch-manager-aws-runpatchbaseline")
HOOKS = _guide("AWS-RunPatchBaselineWithHooks", "patch-manager-aws-runpatchbaselinewithhooks")
OVERRIDE_LISTS = _guide("Override lists", "patch-manager-override-lists")
COMMAND_TIMEOUTS = _guide("Command statuses and timeouts", "monitor-commands")
COMMAND_LOGS = _guide("CloudWatch Logs for Run Command", "sysman-rc-setting-up-cwlogs")

# Who is told, who may, and what is left.
COMMAND_NOTIFICATIONS = _guide("Notifications of commands", "monitoring-sns-notifications")
NOTIFICATION_CONFIG = _api("NotificationConfig")
EVENTS = _guide("Events of Systems Manager", "monitoring-systems-manager-event-examples")
EMAIL_SUBSCRIPTIONS = _page("E-mail subscriptions", "sns/latest/dg/sns-email-notifications")
QUEUE_SUBSCRIPTIONS = _page("SQS subscriptions", "sns/latest/dg/sns-sqs-as-subscriber")
FUNCTION_SUBSCRIPTIONS = _page("Lambda subscriptions", "sns/latest/dg/sns-lambda-as-subscriber")
HTTPS_SUBSCRIPTIONS = _page("HTTPS subscriptions", "sns/latest/dg/sns-http-https-endpoint-as-subscriber")
COMMAND_METRICS = _guide("Metrics of Run Command", "monitoring-cloudwatch-metrics")
DASHBOARDS = _page("CloudWatch dashboards", "AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards")
OPERATORS = _guide("Setting up Run Command", "run-command-setting-up")
PRINCIPALS = _page("Principals", "IAM/latest/UserGuide/reference_policies_elements_principal")
MFA = _page("API access with MFA", "IAM/latest/UserGuide/id_credentials_mfa_configure-api-require")
EXPIRATION = _page("Expiring objects", "AmazonS3/latest/userguide/lifecycle-expire-general-considerations")
DELETION_POLICY = _page("DeletionPolicy", "AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy")
QUOTAS = _page("Quotas of Systems Manager", "general/latest/gr/ssm")
