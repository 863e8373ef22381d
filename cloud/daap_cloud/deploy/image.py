"""The functions' container image: built here by docker, kept in ECR under a tag that tells what is in it."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import ClientError

from daap import __version__
from daap_cloud.deploy.bundle import pack_code
from daap_cloud.deploy.faults import DeployFailed
from daap_cloud.deploy.target import Target
from daap_cloud.deploy.template import ROOT
from daap_cloud.faults import code_of, translated

_REPOSITORY = "daap"
_PLATFORMS = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
_TOLD = 2_000  # characters of what docker said last


def provide_image(target: Target, architecture: str, say: Callable[[str], None]) -> str:
    """The address of this code's image, by its digest; it is built and pushed unless ECR has it already.

    Raises DeployFailed where docker is missing or fails.
    """
    repository, tag = _open_repository(target), _name_tag(architecture)
    if digest := _find_digest(target, tag):
        return f"{repository}@{digest}"
    docker = shutil.which("docker")
    if docker is None:
        raise DeployFailed(
            "there is no docker here to build the image with; install it, or build the image elsewhere "
            "(cloud/Dockerfile) and give it by --image URI"
        )
    if not (ROOT / "cloud" / "Dockerfile").exists():
        raise DeployFailed("cloud/Dockerfile is not here; run this from a checkout of the project, or give --image URI")
    _log_in(target, docker, repository)
    say(f"building {repository}:{tag}")
    build = ["buildx", "build", "--platform", _PLATFORMS[architecture], "--provenance=false"]  # Lambda takes no index
    _run(docker, [*build, "--tag", f"{repository}:{tag}", "--push", "--file", "cloud/Dockerfile", "."], ROOT)
    if digest := _find_digest(target, tag):
        return f"{repository}@{digest}"
    raise DeployFailed(f"docker has pushed {repository}:{tag}, but ECR does not have it")


def _name_tag(architecture: str) -> str:
    """The version, and a digest of the code and of how the image is made."""
    digest = hashlib.sha256(pack_code())
    for name in ("cloud/Dockerfile", "cloud/Dockerfile.dockerignore", "cloud/requirements.txt"):
        path = ROOT / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return f"{__version__}-{digest.hexdigest()[:16]}-{architecture}"


def _open_repository(target: Target) -> str:
    """The repository's address; it is made if there is none yet."""
    with translated(f"find the repository {_REPOSITORY} in ECR"):
        try:
            found = target.images.describe_repositories(repositoryNames=[_REPOSITORY])["repositories"][0]
        except ClientError as error:
            if code_of(error) != "RepositoryNotFoundException":
                raise
            found = target.images.create_repository(
                repositoryName=_REPOSITORY, imageTagMutability="IMMUTABLE",
                imageScanningConfiguration={"scanOnPush": True},
            )["repository"]  # fmt: skip
    return found["repositoryUri"]


def _find_digest(target: Target, tag: str) -> str | None:
    with translated(f"look for the image {tag} in ECR"):
        try:
            found = target.images.describe_images(repositoryName=_REPOSITORY, imageIds=[{"imageTag": tag}])
        except ClientError as error:
            if code_of(error) != "ImageNotFoundException":
                raise
            return None
    return next((one["imageDigest"] for one in found["imageDetails"]), None)


def _log_in(target: Target, docker: str, repository: str) -> None:
    with translated("ask ECR for a password"):
        given = target.images.get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
    registry = repository.partition("/")[0]
    _run(docker, ["login", "--username", user, "--password-stdin", registry], ROOT, password)


def _run(docker: str, words: list[str], folder: Path, given: str | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [docker, *words],
        cwd=folder,
        input=given,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise DeployFailed(f"docker {words[0]} fails:\n{done.stdout[-_TOLD:].rstrip()}")
