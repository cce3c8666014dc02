"""Fill in the manifests for winget: python winget.py FOLDER-WITH-THE-INSTALLER BASE-URL REPOSITORY-URL

Writes them as a zip file into the folder. Whoever publishes sends them to winget-pkgs: `wingetcreate submit`.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zipfile
from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent / "winget"
IDENTIFIER = "KiwoomTokenTray.KiwoomTokenTray"


def manifests(installer: Path, base_url: str, repository_url: str) -> dict[str, str]:
    """Return the text of each manifest by the name that winget wants for it."""
    found = re.fullmatch(r"kiwoom-token-tray-(.+)-windows-x86_64-setup\.exe", installer.name)
    if found is None:
        raise ValueError(f"{installer.name} is not the installer")
    values = {
        "identifier": IDENTIFIER,
        "version": found[1],
        "url": f"{base_url}/{installer.name}",
        "sha256": hashlib.sha256(installer.read_bytes()).hexdigest().upper(),
        "repository": repository_url,
    }
    names = {"version": "", "installer": ".installer", "locale.ko-KR": ".locale.ko-KR"}
    return {
        # `$schema` in the first line is winget's own
        f"{IDENTIFIER}{ending}.yaml": Template((HERE / f"{name}.yaml").read_text("utf-8")).safe_substitute(values)
        for name, ending in names.items()
    }


def main(folder: Path, base_url: str, repository_url: str) -> None:
    (installer,) = folder.glob("*-setup.exe")
    with zipfile.ZipFile(folder / "winget-manifests.zip", "w") as file:
        for name, text in manifests(installer, base_url, repository_url).items():
            file.writestr(name, text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
