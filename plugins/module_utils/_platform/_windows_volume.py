# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volume below a path, on Windows."""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Callable, Optional, Tuple, TypeVar

from ansible_collections.wst.backup.plugins.module_utils._platform import _reparse, _win32
from ansible_collections.wst.backup.plugins.module_utils._platform._types import Volume
from ansible_collections.wst.backup.plugins.module_utils._platform._windows_files import long_path, plain

T = TypeVar("T")
_KINDS = {2: "removable", 3: "fixed", 4: "remote", 5: "optical", 6: "ram"}
# STORAGE_BUS_TYPE, winioctl.h
_BUSES = {
    1: "scsi",
    2: "atapi",
    3: "ata",
    4: "ieee1394",
    6: "fibre channel",
    7: "usb",
    8: "raid",
    9: "iscsi",
    10: "sas",
    11: "sata",
    12: "sd",
    13: "mmc",
    14: "virtual",
    15: "file-backed virtual",
    16: "storage spaces",
    17: "nvme",
}
_NAMED_STREAMS = 0x00040000
_READ_ONLY_VOLUME = 0x00080000
_LOCKED = -2144272384  # 0x80310000, FVE_E_LOCKED_VOLUME, as the signed number that OSError.winerror is
_GET_DISK_EXTENTS = 0x00560000
_GET_DEVICE_NUMBER = 0x002D1080
_QUERY_PROPERTY = 0x002D1400


def volume(path: str) -> Volume:
    """The facts about the volume of an existing path. Raises OSError when not even its root can be told."""
    root = _root(path)
    label, filesystem, flags, locked = _information(root)
    total, free = _space(path)
    disk, bus = _device(root)
    return Volume(
        id=_told(lambda: _volume_name(root)),
        root=root,
        filesystem=filesystem,
        label=label,
        kind=_KINDS.get(_win32.function("GetDriveTypeW")(root)),
        disk=disk,
        bus=bus,
        read_only=None if flags is None else bool(flags & _READ_ONLY_VOLUME),
        compressed=_compressed(path),
        locked=locked,
        total=total,
        free=free,
        named_streams=None if flags is None else bool(flags & _NAMED_STREAMS),
    )


def _told(question: Callable[[], T]) -> Optional[T]:
    """The answer, or None where the system has none."""
    try:
        return question()
    except OSError:
        return None


def _root(path: str) -> str:
    """Where the volume is mounted, as ``D:\\`` or a directory."""
    text = ctypes.create_unicode_buffer(32768)
    _win32.require(_win32.function("GetVolumePathNameW")(long_path(path), text, 32768), path)
    return plain(text.value)


def _volume_name(root: str) -> str:
    r"""``\\?\Volume{GUID}\``, which belongs to the volume whatever its letter."""
    text = ctypes.create_unicode_buffer(64)
    _win32.require(_win32.function("GetVolumeNameForVolumeMountPointW")(root, text, 64), root)
    return text.value


def _information(root: str) -> Tuple[Optional[str], Optional[str], Optional[int], Optional[bool]]:
    """Label, file system, flags, and whether BitLocker has locked it."""
    label, filesystem = ctypes.create_unicode_buffer(261), ctypes.create_unicode_buffer(261)
    flags = _win32.DWORD()
    if _win32.function("GetVolumeInformationW")(root, label, 261, None, None, ctypes.byref(flags), filesystem, 261):
        return label.value, filesystem.value or None, flags.value, False
    locked = getattr(_win32.last_error(root), "winerror", None) == _LOCKED
    return None, None, None, True if locked else None


def _space(path: str) -> Tuple[Optional[int], Optional[int]]:
    """Bytes in all and free for this user, quotas counted."""
    free, total = ctypes.c_uint64(), ctypes.c_uint64()
    if _win32.function("GetDiskFreeSpaceExW")(long_path(path), ctypes.byref(free), ctypes.byref(total), None):
        return total.value, free.value
    return None, None


def _compressed(path: str) -> Optional[bool]:
    attributes = _win32.function("GetFileAttributesW")(long_path(path))
    return None if attributes == 0xFFFFFFFF else bool(attributes & _reparse.ATTRIBUTE_COMPRESSED)


def _device(root: str) -> Tuple[Optional[str], Optional[str]]:
    """The physical disks of a volume, and their bus."""
    name = (_told(lambda: _volume_name(root)) or "\\\\.\\" + root).rstrip("\\")
    handle = _told(lambda: _win32.open_file(name, 0))  # no access is needed to ask
    if handle is None:
        return None, None
    with handle:
        disk = _told(lambda: disk_extents(_win32.device_control(handle, _GET_DISK_EXTENTS)))
        if disk is None:
            disk = _told(lambda: device_number(_win32.device_control(handle, _GET_DEVICE_NUMBER)))
        question = struct.pack("<III", 0, 0, 0)  # StorageDeviceProperty, PropertyStandardQuery
        bus = _told(lambda: bus_type(_win32.device_control(handle, _QUERY_PROPERTY, question)))
    return disk, bus


def disk_extents(data: bytes) -> Optional[str]:
    """The disk numbers in a VOLUME_DISK_EXTENTS, as "0" or "1+2". Runs anywhere."""
    numbers = set()
    if len(data) >= 8:
        for index in range(struct.unpack_from("<I", data)[0]):
            numbers.add(_unpack("<I", data, 8 + 24 * index))
    return "+".join(str(number) for number in sorted(numbers)) or None


def device_number(data: bytes) -> Optional[str]:
    """The disk number in a STORAGE_DEVICE_NUMBER (type, number, partition). Runs anywhere."""
    kind, number = _unpack("<I", data, 0), _unpack("<I", data, 4)
    return str(number) if kind == 7 else None  # FILE_DEVICE_DISK


def bus_type(data: bytes) -> Optional[str]:
    """The bus in a STORAGE_DEVICE_DESCRIPTOR; None for one without a name. Runs anywhere."""
    return _BUSES.get(_unpack("<I", data, 28))


def _unpack(form: str, data: bytes, offset: int) -> Any:
    """One number; an answer that is too short is an answer that was not given."""
    try:
        return struct.unpack_from(form, data, offset)[0]
    except struct.error as error:
        raise OSError("the device's answer ends too early") from error
