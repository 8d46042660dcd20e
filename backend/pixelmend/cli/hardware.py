"""Hardware of this machine that could compute and does not, and what makes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pixelmend.cli.finding import Finding
from pixelmend.engine.devices.device import CPU_INFO
from pixelmend.engine.devices.precision import computes_bfloat16

_DISPLAY_CLASS = "0x03"
"""How the classes of PCI devices that are graphics begin."""
_NVIDIA, _AMD, _INTEL = "0x10de", "0x1002", "0x8086"
_MAKERS = {_NVIDIA: "NVIDIA", _AMD: "AMD", _INTEL: "Intel"}
_SOFTWARE_DRIVER = "lvp_"
"""Mesa's lavapipe, which computes on the CPU."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where Linux tells of its hardware; on other systems nothing is found. torch: its version, "" if it is
    not installed; None: the one that is.
    """

    pci: Path = Path("/sys/bus/pci/devices")
    devices: Path = Path("/dev")
    cpu_info: Path = CPU_INFO
    vulkan: tuple[Path, ...] = (Path("/usr/share/vulkan/icd.d"), Path("/etc/vulkan/icd.d"))
    opencl: Path = Path("/etc/OpenCL/vendors")
    torch: str | None = None


def unused_hardware(host: Host, device_type: str, precision: str) -> list[Finding]:
    """device_type: of the device that computes. precision: as it is set."""
    makers = _gpu_makers(host.pci)
    findings = []
    if device_type == "cpu":
        if _NVIDIA in makers:
            findings.append(_unused_nvidia(host))
        if makers & {_AMD, _INTEL}:
            findings.append(_unused_by_vulkan(host, makers & {_AMD, _INTEL}))
        if precision == "float32" and computes_bfloat16(host.cpu_info):
            what = "this CPU computes bfloat16 in hardware, several times as fast, and float32 is set"
            findings.append(Finding(None, what, "set PIXELMEND_PRECISION=auto"))
    if device_type in ("cpu", "vulkan") and makers == {_INTEL}:
        findings += _unused_by_openvino(host, device_type)
    return findings


def _unused_nvidia(host: Host) -> Finding:
    if next(host.devices.glob("nvidia[0-9]*"), None) is None:
        what = "an NVIDIA GPU is there and has no driver that can be seen here"
        fix = "apt-get install nvidia-driver; in a container, pass the GPU: --gpus all"
        return Finding(None, what, fix)
    torch = _installed_torch() if host.torch is None else host.torch
    if not torch or "+cpu" in torch:
        told = f"PyTorch {torch} has no CUDA" if torch else "PyTorch is missing"
        what = f"an NVIDIA GPU is there, and {told}"
        return Finding(None, what, "install PyTorch with CUDA: docs/operations.md, TORCH_BACKEND")
    what = "an NVIDIA GPU is there and not used"
    return Finding(None, what, "set PIXELMEND_DEVICE=auto; for cards before 2018, TORCH_BACKEND=cu126")


def _unused_by_vulkan(host: Host, makers: frozenset[str]) -> Finding:
    names = " and ".join(sorted(_MAKERS[maker] for maker in makers))
    what = f"graphics of {names} are there"
    nodes = sorted((host.devices / "dri").glob("renderD*"))
    if not nodes:
        fix = "load the kernel's driver; in a container, pass the device: --device /dev/dri"
        return Finding(None, f"{what} without {host.devices / 'dri'}", fix)
    if not any(_can_open(node) for node in nodes):
        return Finding(None, f"{what}, and {nodes[0]} may not be opened", 'sudo usermod -aG render "$USER"')
    drivers = [file.name for folder in host.vulkan for file in folder.glob("*.json")]
    if all(name.startswith(_SOFTWARE_DRIVER) for name in drivers):
        return Finding(None, f"{what} without a Vulkan driver", "apt-get install mesa-vulkan-drivers")
    return Finding(None, f"{what} and not used", "set PIXELMEND_DEVICE=vulkan to try them")


def _unused_by_openvino(host: Host, device_type: str) -> list[Finding]:
    """Intel's own driver, which OpenVINO takes; nothing of a GPU that this user may not open."""
    nodes = list((host.devices / "dri").glob("renderD*"))
    if not any(_can_open(node) for node in nodes):
        return []
    if next(host.opencl.glob("intel*.icd"), None) is None:
        where = "not used" if device_type == "cpu" else "used through Vulkan"
        what = f"graphics of Intel are there and {where}; OpenVINO would take Intel's own driver"
        return [Finding(None, what, "apt-get install intel-opencl-icd")]
    what = "graphics of Intel are there, with Intel's own driver, and OpenVINO does not use them"
    return [Finding(None, what, "set PIXELMEND_DEVICE=openvino:gpu to try them")]


def _gpu_makers(pci: Path) -> frozenset[str]:
    return frozenset(maker for maker in _display_makers(pci) if maker in _MAKERS)


def _display_makers(pci: Path) -> Iterator[str]:
    for device in pci.glob("*"):
        if _text(device / "class").startswith(_DISPLAY_CLASS):
            yield _text(device / "vendor")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _can_open(node: Path) -> bool:
    try:
        with node.open("rb+", buffering=0):
            return True
    except OSError:
        return False


def _installed_torch() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""
