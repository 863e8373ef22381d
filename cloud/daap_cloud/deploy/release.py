"""One deployment from beginning to end: code and template are uploaded, the stack is brought to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from daap.errors import InvalidName
from daap_cloud.deploy.bundle import pack_code
from daap_cloud.deploy.faults import DeployFailed
from daap_cloud.deploy.image import provide_image
from daap_cloud.deploy.shelf import artefact_url, open_shelf, put_artefact
from daap_cloud.deploy.stack import Change, Proposal, Stack, Tell
from daap_cloud.deploy.target import Target
from daap_cloud.deploy.template import find_template, parse_template
from daap_cloud.deploy.workgroup import copy_databases, copy_workgroup

Say = Callable[[str], None]

_STATEFUL = "AWS::S3::Bucket"


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be deployed: an image of one's own or a zip file, and values for the template's parameters.

    `athena` and `glue` are addresses of services that the emulator does not have itself; `public` is the emulator's
    own address as programs outside its network see it.
    """

    image: str | None = None
    as_zip: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    athena: str | None = None
    glue: str | None = None
    public: str | None = None
    replace_buckets: bool = False


def release_stack(target: Target, stack: Stack, release: Release, tell: Tell, say: Say) -> tuple[Change, ...] | None:
    """Brings a stack to the template and the code; what changed, or None where all was so already.

    Raises InvalidName for a wrong parameter, DeployFailed where it cannot be done: the stack is as before then.
    """
    text = find_template().read_text(encoding="utf-8")
    template = parse_template(text)
    shelf = open_shelf(target)
    url = artefact_url(target, shelf, put_artefact(target, shelf, text.encode(), "templates", "yaml"))
    given = {**find_code(target, release, shelf, say), **_find_endpoints(target, release)}
    proposal = stack.propose(url, set(template["Parameters"]), {**given, **release.parameters})
    if proposal:
        _check_buckets(stack, proposal, release)
        counted = {name: sum(one.action == name for one in proposal.changes) for name in ("Add", "Modify", "Remove")}
        say(f"{stack.name}: {counted['Add']} to add, {counted['Modify']} to change, {counted['Remove']} to remove")
        stack.carry_out(proposal, tell)
    if not target.is_emulated:
        stack.protect(on=True)
    if release.athena:
        _copy_workgroup(target, stack, release.athena)
    if release.glue:
        copy_databases(target, stack.outputs()["LogsBucket"], release.glue)
    return proposal.changes if proposal else None


def find_code(target: Target, release: Release, shelf: str, say: Say) -> dict[str, str]:
    """The template's parameters that name the code, which is uploaded or built where it has to be.

    Raises InvalidName for a zip file that is not for an emulator; else as provide_image.
    """
    if release.as_zip:
        if not target.is_emulated:
            raise InvalidName("--zip is for emulators: in AWS, the libraries come with the image")
        return {
            "PackageType": "Zip",
            "CodeBucket": shelf,
            "CodeKey": put_artefact(target, shelf, pack_code(), "code", "zip"),
        }
    image = release.image or provide_image(target, release.parameters.get("Architecture", "arm64"), say)
    return {"PackageType": "Image", "ImageUri": image}


def _find_endpoints(target: Target, release: Release) -> dict[str, str]:
    found = {
        "EndpointUrl": target.endpoint, "AthenaEndpointUrl": release.athena, "GlueEndpointUrl": release.glue,
        "PublicUrl": release.public,
    }  # fmt: skip
    return {name: url for name, url in found.items() if url}


def _check_buckets(stack: Stack, proposal: Proposal, release: Release) -> None:
    lost = [one.name for one in proposal.changes if one.kind == _STATEFUL and (one.replaces or one.action == "Remove")]
    if lost and not release.replace_buckets:
        stack.withdraw(proposal)
        raise DeployFailed(
            f"the change would give {stack.name} another {', '.join(lost)} without what is in it; "
            "if that is meant, give --replace-buckets"
        )


def _copy_workgroup(target: Target, stack: Stack, url: str) -> None:
    found, outputs = stack.find(), stack.outputs()
    values = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())} if found else {}
    copy_workgroup(target, outputs["WorkGroup"], outputs["ResultsBucket"], int(values["BytesScannedCutoff"]), url)
