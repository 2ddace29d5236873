"""Which region is reached by which kind of gateway.

Knows the kinds and finds the regions from their folders.
Must not know what any region decides; the kinds never import one another, only this file names them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from adapters.policy_folder import REGIONS_FOLDER, load_policy, region_folders
from adapters.rulepack.gateway import RulepackGateway
from adapters.sandbox.gateway import SandboxGateway
from hub.core.codes import Region
from hub.core.errors import Fault, NotAllowed
from hub.core.policy import Policy
from hub.ports import BookingJournal, RegionGateway, Roster

Factory = Callable[[Policy, Roster, BookingJournal], RegionGateway]


def _rulepack(policy: Policy, roster: Roster, journal: BookingJournal) -> RegionGateway:
    return RulepackGateway(policy, roster=roster, journal=journal)


def _sandbox(policy: Policy, _roster: Roster, _journal: BookingJournal) -> RegionGateway:
    return SandboxGateway(policy)


KINDS: Mapping[str, Factory] = {"rulepack": _rulepack, "sandbox": _sandbox, "unplaced": _rulepack}
"""The `kind` that a policy.toml names, and what builds its gateway."""

PLAYED = frozenset({"sandbox", "unplaced"})
"""Kinds whose region is no place: made up, or rules of a text that does not say where they hold."""


def load_policies(root: Path = REGIONS_FOLDER) -> dict[Region, Policy]:
    """Every region's policy, by region in the order of the codes.

    Raises NotAllowed ``policies_faulty`` with the faults of all files at once.
    """
    found: dict[Region, Policy] = {}
    faults: list[Fault] = []
    for folder in region_folders(root):
        try:
            policy = load_policy(folder)
        except NotAllowed as wrong:
            faults.extend(wrong.faults)
            continue
        if policy.kind not in KINDS:
            faults.append(Fault(f"{folder.name}: kind", "kind_unknown", f"one of: {', '.join(KINDS)}"))
        found[policy.region] = policy
    if faults:
        raise NotAllowed("policies_faulty", "mend every fault listed; no region was opened", faults=tuple(faults))
    return found


def build_gateways(
    *, roster: Roster, journal: BookingJournal, with_sandbox: bool, root: Path = REGIONS_FOLDER
) -> dict[Region, RegionGateway]:
    """A gateway for every region, the played ones only where they are asked for; every policy is checked first."""
    return {
        region: KINDS[policy.kind](policy, roster, journal)
        for region, policy in load_policies(root).items()
        if with_sandbox or policy.kind not in PLAYED
    }
