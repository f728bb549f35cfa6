"""Checks that a binary runs on AWS Lambda's provided.al2023, and zips it reproducibly.

    package.py x86_64|arm64 FOLDER_WITH_BOOTSTRAP ZIP
"""

import hashlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

GLIBC = (2, 34)
"""The version of the C library in Amazon Linux 2023."""

LIBRARIES = {"libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1"}
"""The libraries that may be linked: only glibc's, because images of the runtime may lack others."""

MOST_BYTES = 6_000_000
"""The most that a zip may weigh, because each cold start loads it (docs/start.md)."""

LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}
MACHINES = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}


def faults(elf: ELFFile, arch: str) -> Iterator[str]:
    """Yields the reasons why the binary would not start."""
    if elf["e_machine"] != MACHINES[arch]:
        yield f"it is for {elf['e_machine']}, not for {arch}"
    for section in elf.iter_sections():
        if isinstance(section, DynamicSection):
            needed = {tag.needed for tag in section.iter_tags("DT_NEEDED")}
            for library in sorted(needed - LIBRARIES - {LOADERS[arch]}):
                yield f"it needs the library {library}"
        if isinstance(section, GNUVerNeedSection):
            for library, versions in section.iter_versions():
                for version in versions:
                    if is_newer(version.name):
                        yield f"it needs {version.name} of {library.name}"


def is_newer(version: str) -> bool:
    """Whether Lambda's glibc lacks this symbol version; a version that can't be parsed counts as lacking."""
    name, _, number = version.partition("_")
    parts = number.split(".")
    if name != "GLIBC" or not all(part.isdigit() for part in parts):
        return True
    return tuple(int(part) for part in parts) > GLIBC


def pack(binary: bytes, target: Path) -> None:
    """Writes a zip without times and owners and with a fixed mode, so it depends only on the binary and on zlib."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whose mode is kept.
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(entry, binary, zipfile.ZIP_DEFLATED, compresslevel=9)


def told(path: Path) -> str:
    """A file's size and hash, to compare builds."""
    content = path.read_bytes()
    return f"{path}  {len(content) / 1e6:.2f} MB  sha256 {hashlib.sha256(content).hexdigest()}"


def main() -> None:
    """Checks and zips the binary, and prints the hashes."""
    arch, folder, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    path = folder / "bootstrap"
    with path.open("rb") as file:
        found = list(faults(ELFFile(file), arch))
    if found:
        sys.exit("\n".join(f"{path} does not run on provided.al2023: {fault}" for fault in found))
    pack(path.read_bytes(), target)
    print(told(path))
    print(told(target))
    if target.stat().st_size > MOST_BYTES:
        target.unlink()
        sys.exit(f"{target} was larger than {MOST_BYTES / 1e6:.0f} MB; see docs/adr/0032-three-binaries.md")


if __name__ == "__main__":
    main()
