"""Unpacks parts of wheels into one folder: python3 unpack.py WHEELS TARGET PART...

A part is a path inside a wheel's package (`lib/libc10.so`); one that ends in `/` is everything below it.
Python does this because pip already needs it, and so xtask needs no crate for zip files.
"""

import os
import pathlib
import sys
import zipfile

PACKAGES = ("torch/", "nvidia/cu13/", "mujoco/")

wheels, target, *parts = sys.argv[1:]
folders = tuple(part for part in parts if part.endswith("/"))

for wheel in pathlib.Path(wheels).glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            package = next(filter(entry.filename.startswith, PACKAGES), None)
            if package is None:
                continue
            part = entry.filename[len(package) :]
            if part in parts or part.startswith(folders):
                entry.filename = part
                archive.extract(entry, target)

# The folder is renamed into place next: its content must not reach the disk after its name.
os.sync()
