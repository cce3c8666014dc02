"""Build the programs for people without Python: python packaging/build.py

Makes an environment with the locked packages, lets PyInstaller put both programs into one folder, adds the notices of
all that is inside, runs the self-test of both, and packs the folder for this system into `dist/`: an archive on Linux,
an archive and an installer on Windows (the latter where NSIS is), a disk image on macOS. `SHA256SUMS` lists them.

Needs Python 3.11 or newer with a shared library, and the system's Qt packages on Linux
(`resources/qt-debian-packages.txt`).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import plistlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LOCK = HERE / "requirements-lock.txt"
NAME = "kiwoom-token-tray"
APP = "Kiwoom Token Tray.app"
SUFFIX = ".exe" if sys.platform == "win32" else ""
SYSTEM = {"linux": "linux", "win32": "windows", "darwin": "macos"}[sys.platform]
WORK = ROOT / "build" / SYSTEM
ARCHITECTURE = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())

MOST_MEGABYTES = {"folder": 110, ".xz": 40, ".zip": 48}
"""A package that is larger has something inside that the program does not use."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="where the packages go")
    parser.add_argument(
        "--here",
        action="store_true",
        help="build with the packages of the Python that runs this, which has the program installed",
    )
    parser.add_argument("--folder-only", action="store_true", help="build and test, but pack nothing")
    parser.add_argument("--installer", type=Path, help="only make the Windows installer, of this folder")
    options = parser.parse_args()
    output = options.output.resolve()
    if options.installer is not None:
        output.mkdir(parents=True, exist_ok=True)
        print(build_installer(find_makensis() or "makensis", options.installer.resolve(), project_version(), output))
        return 0
    python = Path(sys.executable) if options.here else locked_environment()
    version = project_version()
    folder = freeze(python, version)
    run_self_tests(folder)
    print(f"{folder}: {megabytes(folder):.1f} MB")
    check_size("folder", megabytes(folder))
    if not options.folder_only:
        output.mkdir(parents=True, exist_ok=True)
        packages = list(pack(folder, version, output))
        write_sums(output)
        for one in packages:
            print(f"{one}: {megabytes(one):.1f} MB")
    return 0


def run(*command: object, **options: object) -> None:
    subprocess.run([str(one) for one in command], check=True, **options)  # type: ignore[call-overload]


def project_version() -> str:
    project: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return project


def locked_environment() -> Path:
    """Return the Python of an environment with exactly the packages of the lock file, and this checkout's wheel."""
    folder = WORK / "environment"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / "lock.sha256"
    if not stamp.exists() or stamp.read_text() != digest:
        import venv  # which an embedded Python does not have

        venv.create(folder, clear=True, with_pip=True)
        run(python, "-P", "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary=:all:", "-r", LOCK)
        stamp.write_text(digest)
    with tempfile.TemporaryDirectory() as wheels:
        pip = [python, "-P", "-m", "pip", "--quiet"]
        run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT, cwd=wheels)
        run(*pip, "install", "--no-deps", "--no-index", "--force-reinstall", *Path(wheels).glob("*.whl"), cwd=wheels)
    return python


# ------------------------------------------------------------------------------------------------------- the programs


def freeze(python: Path, version: str) -> Path:
    """Let PyInstaller build both programs, and return their folder with everything that is shipped in it."""
    frozen = WORK / "frozen"
    environ = {**os.environ, "PACKAGE_VERSION": version, "PYTHONHASHSEED": "1"}  # the same package from the same input
    environ.setdefault("SOURCE_DATE_EPOCH", last_change())
    if sys.platform == "win32":
        environ["PACKAGE_VERSION_FILES"] = str(write_version_files(version))
    if sys.platform == "darwin":
        environ["PACKAGE_ICNS"] = str(make_icns())
    shutil.rmtree(frozen, ignore_errors=True)
    pyinstaller = [python, "-P", "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", frozen, "--workpath", WORK / "pyinstaller"]
    WORK.mkdir(parents=True, exist_ok=True)
    run(*pyinstaller, *places, HERE / f"{NAME}.spec", cwd=WORK, env=environ)
    folder = frozen / NAME
    if sys.platform == "linux":
        strip(folder)
        run(python, "-P", HERE / "linux" / "icu.py", *folder.glob("_internal/PySide6/Qt/lib/libicudata.so.*"))
        copy_desktop_files(folder)
    notices = folder / "THIRD-PARTY-NOTICES.txt"
    run(python, "-P", HERE / "notices.py", folder, notices)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE.txt")
    if sys.platform == "darwin":
        for one in (notices, folder / "LICENSE.txt"):
            shutil.copy(one, frozen / APP / "Contents" / "Resources")
        check_application(frozen / APP)
        return frozen / APP
    return folder


def check_application(app: Path) -> None:
    """Raise an error unless a double click starts the tray, and the tray may show windows."""
    with (app / "Contents" / "Info.plist").open("rb") as file:
        told = plistlib.load(file)
    if told.get("CFBundleExecutable") != NAME or told.get("LSBackgroundOnly"):
        raise SystemExit(f"{app.name} starts {told.get('CFBundleExecutable')}, or may not show windows.")


def last_change() -> str:
    """Return the time of the last commit, so that the same commit gives the same package."""
    git = shutil.which("git")
    if git is None:
        return "1767225600"
    asked = subprocess.run([git, "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "1767225600"


def strip(folder: Path) -> None:
    """Remove the symbols of Python, of what is written in Rust, and of Qt's ICU; the rest of Qt has none."""
    for one in folder.joinpath("_internal").rglob("*.so*"):
        is_python = "python3" in one.name or one.parent.name == "lib-dynload"
        has_symbols = is_python or one.name.startswith(("_rust.", "libicui18n.", "libicuuc."))
        if has_symbols and one.is_file() and not one.is_symlink():
            run("strip", "--strip-unneeded", one)


def copy_desktop_files(folder: Path) -> None:
    """Put what a Linux desktop wants to know about a program beside it, and the script that tells it."""
    share = folder / "share"
    for source, target in {
        ROOT / "resources" / f"{NAME}.desktop": share / "applications" / f"{NAME}.desktop",
        ROOT / "resources" / "icons" / f"{NAME}.svg": share / "icons/hicolor/scalable/apps" / f"{NAME}.svg",
        ROOT / "resources" / "icons" / f"{NAME}.png": share / "icons/hicolor/256x256/apps" / f"{NAME}.png",
        HERE / "linux" / f"{NAME}.metainfo.xml": share / "metainfo" / f"{NAME}.metainfo.xml",
        HERE / "linux" / "kiwoom-token-watch.service": share / "systemd/user" / "kiwoom-token-watch.service",
        HERE / "linux" / "install.sh": folder / "install.sh",
        HERE / "linux" / "README.txt": folder / "README.txt",
    }.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def write_version_files(version: str) -> Path:
    """Write what Windows shows under Properties, Details, for each program; return the folder."""
    folder = WORK / "version"
    folder.mkdir(parents=True, exist_ok=True)
    numbers = (*(int(one) for one in version.split(".")), 0, 0, 0)[:4]
    for name, description in ((NAME, "Kiwoom Token Tray"), ("kiwoom-token", "Kiwoom Token Tray, command line")):
        strings = {
            "CompanyName": "Kiwoom Token Tray developers",
            "FileDescription": description,
            "FileVersion": version,
            "InternalName": name,
            "LegalCopyright": "MIT licence",
            "OriginalFilename": f"{name}.exe",
            "ProductName": "Kiwoom Token Tray",
            "ProductVersion": version,
        }
        table = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in strings.items())
        (folder / f"{name}.txt").write_text(
            f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}), kids=["
            f"StringFileInfo([StringTable('040904B0', [{table}])]), "
            "VarFileInfo([VarStruct('Translation', [0x0409, 1200])])])\n",
            encoding="utf-8",
        )
    return folder


def run_self_tests(folder: Path) -> None:
    """Run the self-test of both programs away from the checkout; raise an error if one fails."""
    programs = folder / "Contents" / "MacOS" if folder.suffix == ".app" else folder
    for name in ("kiwoom-token", NAME):
        print(f"== {name} --self-test", flush=True)
        with tempfile.TemporaryDirectory() as elsewhere:
            # through a pipe: what has no console of its own on Windows prints nowhere else
            ran = subprocess.run(
                [str(programs / f"{name}{SUFFIX}"), "--self-test"],
                cwd=elsewhere,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        print(ran.stdout.decode("utf-8", "replace"), end="", flush=True)
        if ran.returncode:
            raise SystemExit(f"The self-test of {name} ended with {ran.returncode}.")


# -------------------------------------------------------------------------------------------------------- the packages


def pack(folder: Path, version: str, output: Path) -> Iterator[Path]:
    base = f"{NAME}-{version}-{SYSTEM}-{ARCHITECTURE}"
    if sys.platform == "darwin":
        image = output / f"{base}.dmg"
        run("bash", HERE / "macos" / "make_dmg.sh", folder, image)
        yield image
        return
    if sys.platform == "win32":
        archive = output / f"{base}.zip"
        write_zip(folder, archive)
    else:
        archive = output / f"{base}.tar.xz"
        write_tar(folder, archive, int(last_change()))
    check_size(archive.suffix, megabytes(archive))
    yield archive
    if sys.platform == "win32" and (makensis := find_makensis()):
        yield build_installer(makensis, folder, version, output)


def write_tar(folder: Path, archive: Path, when: int) -> None:
    """Pack the folder, the same bytes for the same content: sorted, with one time and without owners."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = when
        return entry

    with tarfile.open(archive, "w:xz", preset=9) as file:
        for one in [folder, *sorted(folder.rglob("*"))]:
            file.add(one, arcname=str(one.relative_to(folder.parent)), recursive=False, filter=plain)


def write_zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for one in sorted(folder.rglob("*")):
            file.write(one, one.relative_to(folder.parent))


def find_makensis() -> str:
    usual = Path(os.environ.get("PROGRAMFILES(X86)", r"C:\Program Files (x86)")) / "NSIS" / "makensis.exe"
    return shutil.which("makensis") or (str(usual) if usual.exists() else "")


def build_installer(makensis: str, folder: Path, version: str, output: Path) -> Path:
    """Build the installer of a folder that was built for Windows; NSIS runs on Linux as well."""
    installer = output / f"{NAME}-{version}-windows-x86_64-setup.exe"
    sign = "/" if sys.platform == "win32" else "-"
    values = {"VERSION": version, "FOLDER": folder, "OUTPUT": installer, "ROOT": ROOT}
    defined = [f"{sign}D{name}={value}" for name, value in values.items()]
    if Path("/usr/share/nsis/Stubs/lzma-amd64-unicode").exists():
        defined.append(f"{sign}DAMD64")
    run(makensis, f"{sign}V2", f"{sign}WX", *defined, HERE / "windows" / "installer.nsi")
    return installer


def make_icns() -> Path:
    """Make the icon of a macOS application from the picture, with the system's own programs."""
    picture = ROOT / "resources" / "icons" / f"{NAME}.png"
    folder = WORK / f"{NAME}.iconset"
    folder.mkdir(parents=True, exist_ok=True)
    for size in (16, 32, 128, 256):
        run("sips", "-z", size, size, picture, "--out", folder / f"icon_{size}x{size}.png", stdout=subprocess.DEVNULL)
    icns = WORK / f"{NAME}.icns"
    run("iconutil", "--convert", "icns", "--output", icns, folder)
    return icns


def write_sums(output: Path) -> None:
    """Write the hashes of all packages in the form that `sha256sum --check` reads."""
    packages = sorted(one for one in output.iterdir() if one.name.startswith(f"{NAME}-") and one.is_file())
    lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in packages]
    (output / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


def megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file() and not one.is_symlink()]
    return sum(one.stat().st_size for one in files) / 1e6


def check_size(what: str, size: float) -> None:
    if size > MOST_MEGABYTES[what]:
        raise SystemExit(f"The {what} has {size:.1f} MB; {MOST_MEGABYTES[what]} are the limit.")


if __name__ == "__main__":
    sys.exit(main())
