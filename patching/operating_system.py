"""The operating systems that Patch Manager supports, and what a baseline may filter on for each.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchFilter.html and
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-prerequisites.html.
"""

from __future__ import annotations

from enum import StrEnum

from patching.errors import InvalidValueError


class PlatformType(StrEnum):
    """What the agent reports as a node's platform; the steps of a document choose by it."""

    LINUX = "Linux"
    WINDOWS = "Windows"
    MACOS = "MacOS"


class PatchFamily(StrEnum):
    """Operating systems that Patch Manager patches in the same way."""

    RPM = "RPM"
    """Advisories of a dnf, yum or zypper repository: classification and severity."""

    APT = "APT"
    """Packages of an apt repository: priority and section; no release date that could be relied on."""

    WINDOWS = "WINDOWS"
    """Updates of the Windows Update catalogue: KB numbers, classification and MSRC severity."""

    MACOS = "MACOS"
    """Software updates and packages of macOS."""


class OperatingSystem(StrEnum):
    """An operating system by the name that the patch baseline API gives it."""

    WINDOWS = "WINDOWS"
    AMAZON_LINUX = "AMAZON_LINUX"
    AMAZON_LINUX_2 = "AMAZON_LINUX_2"
    AMAZON_LINUX_2022 = "AMAZON_LINUX_2022"
    AMAZON_LINUX_2023 = "AMAZON_LINUX_2023"
    UBUNTU = "UBUNTU"
    REDHAT_ENTERPRISE_LINUX = "REDHAT_ENTERPRISE_LINUX"
    SUSE = "SUSE"
    CENTOS = "CENTOS"
    ORACLE_LINUX = "ORACLE_LINUX"
    DEBIAN = "DEBIAN"
    MACOS = "MACOS"
    RASPBIAN = "RASPBIAN"
    ROCKY_LINUX = "ROCKY_LINUX"
    ALMA_LINUX = "ALMA_LINUX"

    @property
    def family(self) -> PatchFamily:
        """How Patch Manager patches it."""
        return _FAMILIES.get(self, PatchFamily.RPM)

    @property
    def platform_type(self) -> PlatformType:
        """What the agent of a node reports, and a document's precondition compares with."""
        return _PLATFORM_TYPES.get(self, PlatformType.LINUX)

    @property
    def filter_keys(self) -> tuple[str, ...]:
        """The keys that an approval rule or a global filter of this system may have."""
        return FILTER_KEYS[self.family]

    def filter_values(self, key: str) -> tuple[str, ...]:
        """Return the values that a filter with this key can have; none if they are not known."""
        if self is OperatingSystem.SUSE and key == "CLASSIFICATION":
            return SUSE_CLASSIFICATIONS
        return FILTER_VALUES[self.family].get(key, ())

    @property
    def dates_patches(self) -> bool:
        """Tell whether an approval delay or an approval date has any effect.

        The packages of an apt repository carry no reliable release date, so Patch Manager does not support
        automatic approval by date for Debian, Raspberry Pi OS and Ubuntu: what the rule selects is approved at once.
        See https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html
        """
        return self.family is not PatchFamily.APT

    def repository_buckets(self, region: str) -> tuple[str, ...]:
        """Return the buckets of a Region that have its repositories; none where these are on the internet.

        A node reaches them through a gateway endpoint of S3. Follows
        https://docs.aws.amazon.com/linux/al2023/ug/repo-access.html and
        https://repost.aws/knowledge-center/ec2-al1-al2-update-yum-without-internet. Amazon Linux 2022 was a preview;
        its repositories are closed.
        """
        return tuple(bucket.format(region=region) for bucket in _REPOSITORY_BUCKETS.get(self, ()))

    @property
    def has_repositories_in_aws(self) -> bool:
        """Tell whether a node reaches its repositories through a gateway endpoint of S3, without the internet."""
        return self in _REPOSITORY_BUCKETS


_REPOSITORY_BUCKETS = {
    OperatingSystem.AMAZON_LINUX: ("packages.{region}.amazonaws.com", "repo.{region}.amazonaws.com"),
    OperatingSystem.AMAZON_LINUX_2: ("amazonlinux.{region}.amazonaws.com", "amazonlinux-2-repos-{region}"),
    OperatingSystem.AMAZON_LINUX_2023: ("al2023-repos-{region}-de612dc2",),
}

FILTER_KEYS: dict[PatchFamily, tuple[str, ...]] = {
    PatchFamily.RPM: ("PRODUCT", "CLASSIFICATION", "SEVERITY"),
    PatchFamily.APT: ("PRODUCT", "PRIORITY", "SECTION"),
    PatchFamily.WINDOWS: ("PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY"),
    PatchFamily.MACOS: ("PRODUCT", "CLASSIFICATION"),
}

_RPM_SEVERITIES = ("Critical", "Important", "Moderate", "Medium", "Low", "None")
_RPM_CLASSIFICATIONS = ("Security", "Bugfix", "Enhancement", "Recommended", "Newpackage")

FILTER_VALUES: dict[PatchFamily, dict[str, tuple[str, ...]]] = {
    PatchFamily.RPM: {"CLASSIFICATION": _RPM_CLASSIFICATIONS, "SEVERITY": _RPM_SEVERITIES},
    PatchFamily.APT: {"PRIORITY": ("Required", "Important", "Standard", "Optional", "Extra")},
    PatchFamily.WINDOWS: {
        "PATCH_SET": ("OS", "APPLICATION"),
        "CLASSIFICATION": (
            "CriticalUpdates",
            "DefinitionUpdates",
            "Drivers",
            "FeaturePacks",
            "SecurityUpdates",
            "ServicePacks",
            "Tools",
            "UpdateRollups",
            "Updates",
            "Upgrades",
        ),
        "MSRC_SEVERITY": ("Critical", "Important", "Moderate", "Low", "Unspecified"),
    },
    PatchFamily.MACOS: {},
}
"""The values that a filter can have, for the keys whose values AWS lists. New products come out all the time."""

SUSE_CLASSIFICATIONS = ("Security", "Recommended", "Optional", "Feature", "Document", "Yast")


PREDEFINED_DEFAULTS: dict[OperatingSystem, str] = {
    OperatingSystem.WINDOWS: "AWS-DefaultPatchBaseline",
    OperatingSystem.AMAZON_LINUX: "AWS-AmazonLinuxDefaultPatchBaseline",
    OperatingSystem.AMAZON_LINUX_2: "AWS-AmazonLinux2DefaultPatchBaseline",
    OperatingSystem.AMAZON_LINUX_2022: "AWS-AmazonLinux2022DefaultPatchBaseline",
    OperatingSystem.AMAZON_LINUX_2023: "AWS-AmazonLinux2023DefaultPatchBaseline",
    OperatingSystem.UBUNTU: "AWS-UbuntuDefaultPatchBaseline",
    OperatingSystem.REDHAT_ENTERPRISE_LINUX: "AWS-RedHatDefaultPatchBaseline",
    OperatingSystem.SUSE: "AWS-SuseDefaultPatchBaseline",
    OperatingSystem.CENTOS: "AWS-CentOSDefaultPatchBaseline",
    OperatingSystem.ORACLE_LINUX: "AWS-OracleLinuxDefaultPatchBaseline",
    OperatingSystem.DEBIAN: "AWS-DebianDefaultPatchBaseline",
    OperatingSystem.MACOS: "AWS-MacOSDefaultPatchBaseline",
    OperatingSystem.RASPBIAN: "AWS-RaspbianDefaultPatchBaseline",
    OperatingSystem.ROCKY_LINUX: "AWS-RockyLinuxDefaultPatchBaseline",
    OperatingSystem.ALMA_LINUX: "AWS-AlmaLinuxDefaultPatchBaseline",
}
"""The baselines of AWS that are the defaults of an account in which nobody has made others so.

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html
"""


_FAMILIES = {
    OperatingSystem.WINDOWS: PatchFamily.WINDOWS,
    OperatingSystem.MACOS: PatchFamily.MACOS,
    OperatingSystem.UBUNTU: PatchFamily.APT,
    OperatingSystem.DEBIAN: PatchFamily.APT,
    OperatingSystem.RASPBIAN: PatchFamily.APT,
}
"""All others are of the family RPM."""

_PLATFORM_TYPES = {OperatingSystem.WINDOWS: PlatformType.WINDOWS, OperatingSystem.MACOS: PlatformType.MACOS}
"""All others are Linux."""

_PLATFORMS = {
    "amazon linux 2023": OperatingSystem.AMAZON_LINUX_2023,
    "amazon linux 2022": OperatingSystem.AMAZON_LINUX_2022,
    "amazon linux 2": OperatingSystem.AMAZON_LINUX_2,
    "amazon linux": OperatingSystem.AMAZON_LINUX,
    "ubuntu": OperatingSystem.UBUNTU,
    "debian": OperatingSystem.DEBIAN,
    "raspbian": OperatingSystem.RASPBIAN,
    "raspberry": OperatingSystem.RASPBIAN,
    "red hat": OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    "redhat": OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    "rhel": OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    "rocky": OperatingSystem.ROCKY_LINUX,
    "almalinux": OperatingSystem.ALMA_LINUX,
    "centos": OperatingSystem.CENTOS,
    "oracle": OperatingSystem.ORACLE_LINUX,
    "sles": OperatingSystem.SUSE,
    "suse": OperatingSystem.SUSE,
    "macos": OperatingSystem.MACOS,
    "mac os": OperatingSystem.MACOS,
    "microsoft windows": OperatingSystem.WINDOWS,
    "windows": OperatingSystem.WINDOWS,
}
"""How the names begin by which agents report their systems, in lower case, longer ones first."""


def of_platform(platform: str) -> OperatingSystem | None:
    """Return the system of a node by the name and version that its agent reports; None if it is none of these.

    AWS documents no list of the names: these are how os-release, lsb_release and Windows call themselves.
    """
    name = platform.casefold()
    return next((system for beginning, system in _PLATFORMS.items() if name.startswith(beginning)), None)


def operating_system(name: str) -> OperatingSystem:
    """Return the operating system of this API name; raise `InvalidValueError` with the known names otherwise."""
    try:
        return OperatingSystem(name)
    except ValueError:
        known = ", ".join(sorted(OperatingSystem))
        message = f"{name!r} is not an operating system that Patch Manager supports; expected one of {known}"
        raise InvalidValueError(message) from None
