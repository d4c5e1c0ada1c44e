"""Builds the order API's deployment package for Lambda.

`chalice package` resolves the hash-pinned requirements.txt into a zip and writes a SAM template;
what the API never reads is then left out: botocore's descriptions of every AWS service but
DynamoDB, and sources for tests. The zip is the same, byte for byte, for the same input.

The wheels are those of the Python that runs this, so run it under the version of the Lambda.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_OUTPUT = ROOT / ".local" / "package"
SHIPPED = (
    "app.py",
    "chalicelib",
    "requirements.txt",
    ".chalice/config.json",
    ".chalice/policy.json",
)

SERVICES = ("dynamodb/2012-08-10",)
"""Whose descriptions of botocore's are kept, with the shared ones beside them."""

UNUSED = (
    "Crypto/Math/",
    "Crypto/PublicKey/",
    "Crypto/Signature/",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/",
    "chalicelib/adapters/sql/",
)
"""Parts of what is installed that the API never imports on Lambda."""

UNUSED_ENDINGS = ("/", ".pyi", ".c", ".h", ".dist-info/RECORD")

ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


class PackageError(Exception):
    """The package could not be built; the message says why."""


def build(output: Path, *, stage: str) -> Path:
    """The trimmed `deployment.zip` in `output`, beside the `sam.json` that deploys it.

    Raises:
        PackageError: `chalice package` failed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        _copy_shipped(project)
        packaged = Path(scratch) / "packaged"
        _chalice_package(project, packaged, stage)
        output.mkdir(parents=True, exist_ok=True)
        shutil.copy(packaged / "sam.json", output / "sam.json")
        target = output / "deployment.zip"
        _rezip(packaged / "deployment.zip", target)
        return target


def _copy_shipped(project: Path) -> None:
    for name in SHIPPED:
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def _chalice_package(project: Path, packaged: Path, stage: str) -> None:
    # Chalice asks for a region although packaging contacts none; settings that the app would
    # demand at import are not there when it is only packaged.
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "AWS_CHALICE_CLI_MODE": "1"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from chalice.cli import main; main()",
            *("--project-dir", str(project), "package", "--stage", stage, str(packaged)),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not (packaged / "deployment.zip").exists():
        raise PackageError(f"chalice package failed:\n{done.stdout}{done.stderr}")


def _rezip(source: Path, target: Path) -> None:
    """Copy what is needed, in a fixed order with fixed times."""
    with (
        zipfile.ZipFile(source) as packed,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as trimmed,
    ):
        for name in sorted(set(packed.namelist())):
            if is_needed(name):
                entry = zipfile.ZipInfo(name, ZIP_EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                trimmed.writestr(entry, packed.read(name))


def is_needed(name: str) -> bool:
    """Whether a file of the package is read when the API runs on Lambda."""
    if name.endswith(UNUSED_ENDINGS) or name.startswith(UNUSED):
        return False
    if "/tests/" in name or "/SelfTest/" in name:
        return False
    prefix = "botocore/data/"
    if not name.startswith(prefix):
        return True
    rest = name.removeprefix(prefix)
    shared = "/" not in rest
    return shared or rest.startswith(SERVICES)


@contextlib.contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """The package as Lambda lays it out."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
        yield Path(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and say how large it became."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_OUTPUT, help="folder to write to")
    parser.add_argument("--stage", default="prod", help="stage of .chalice/config.json")
    options = parser.parse_args(arguments)
    try:
        archive = build(options.out, stage=options.stage)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{archive}  {archive.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
