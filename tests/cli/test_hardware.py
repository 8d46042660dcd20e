"""What `pixelmend check` says of hardware that could compute and does not, on machines made of files."""

from pathlib import Path

import pytest

from pixelmend.cli.hardware import Host, unused_hardware

NVIDIA, AMD, INTEL = "0x10de", "0x1002", "0x8086"
VGA, NETWORK = "0x030000", "0x020000"


class Machine:
    """A machine with nothing in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("pci", "dev/dri", "icd", "vendors"):
            (folder / name).mkdir(parents=True)

    def has(self, vendor: str, kind: str = VGA) -> "Machine":
        device = self.folder / "pci" / f"{vendor}-{kind}"
        device.mkdir()
        (device / "vendor").write_text(vendor + "\n")
        (device / "class").write_text(kind + "\n")
        return self

    def node(self, name: str) -> "Machine":
        (self.folder / "dev" / name).touch()
        return self

    def driver(self, name: str) -> "Machine":
        (self.folder / "icd" / name).touch()
        return self

    def opencl(self, name: str) -> "Machine":
        (self.folder / "vendors" / name).touch()
        return self

    def cpu(self, flags: str) -> "Machine":
        (self.folder / "cpuinfo").write_text(f"flags\t\t: {flags}\n")
        return self

    def said(self, device_type: str = "cpu", precision: str = "auto", torch: str = "2.15.0+cu132") -> str:
        host = Host(
            self.folder / "pci",
            self.folder / "dev",
            self.folder / "cpuinfo",
            (self.folder / "icd", self.folder / "absent"),
            self.folder / "vendors",
            torch,
        )
        findings = unused_hardware(host, device_type, precision)
        assert all(finding.ok is None and finding.fix for finding in findings)
        return "; ".join(f"{finding.what} -> {finding.fix}" for finding in findings)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_machine_without_a_gpu_has_nothing_unused(machine: Machine) -> None:
    assert machine.has(INTEL, NETWORK).has("0x1234").said() == ""


@pytest.mark.parametrize(
    ("node", "torch", "said"),
    [
        (None, "2.15.0", "no driver that can be seen here -> apt-get install nvidia-driver"),
        ("nvidia0", "2.15.0+cpu", "PyTorch 2.15.0+cpu has no CUDA -> install PyTorch with CUDA"),
        ("nvidia0", "", "PyTorch is missing -> install PyTorch with CUDA"),
        ("nvidia0", "2.15.0+cu132", "not used -> set PIXELMEND_DEVICE=auto"),
    ],
)
def test_an_nvidia_gpu(machine: Machine, node: str | None, torch: str, said: str) -> None:
    machine.has(NVIDIA)
    if node:
        machine.node(node)
    assert said in machine.said(torch=torch)
    assert machine.said("cuda", torch=torch) == ""


def test_graphics_of_other_makers(machine: Machine) -> None:
    machine.has(AMD).has(INTEL)
    assert "graphics of AMD and Intel are there without" in machine.said()
    machine.node("dri/renderD128").driver("lvp_icd.x86_64.json")
    assert "without a Vulkan driver -> apt-get install mesa-vulkan-drivers" in machine.said()
    machine.driver("radeon_icd.x86_64.json")
    assert "-> set PIXELMEND_DEVICE=vulkan" in machine.said()
    assert machine.said("vulkan") == ""


def test_intels_graphics_and_its_own_driver(machine: Machine) -> None:
    machine.has(INTEL).node("dri/renderD128").driver("intel_icd.x86_64.json")
    assert "not used; OpenVINO would take Intel's own driver -> apt-get install intel" in machine.said()
    assert "used through Vulkan; OpenVINO would take Intel's own driver" in machine.said("vulkan")
    assert machine.said("openvino") == ""
    machine.opencl("intel.icd")
    assert "-> set PIXELMEND_DEVICE=openvino:gpu" in machine.said()
    assert "-> set PIXELMEND_DEVICE=openvino:gpu" in machine.said("vulkan")
    machine.has(AMD)
    assert machine.said("vulkan") == ""  # the card that Vulkan takes is AMD's


def test_a_node_that_may_not_be_opened(machine: Machine) -> None:
    """A folder in its place: root may open every file."""
    machine.has(INTEL)
    (machine.folder / "dev" / "dri" / "renderD128").mkdir()
    assert "renderD128 may not be opened -> sudo usermod -aG render" in machine.said()


@pytest.mark.parametrize(
    ("flags", "precision", "said"),
    [
        ("avx2 amx_bf16", "float32", True),
        ("avx512_bf16", "float32", True),
        ("avx2 amx_bf16", "auto", False),
        ("avx2", "float32", False),
    ],
)
def test_bfloat16_that_is_set_aside(machine: Machine, flags: str, precision: str, said: bool) -> None:
    assert ("set PIXELMEND_PRECISION=auto" in machine.cpu(flags).said(precision=precision)) == said
    assert machine.said("cuda", precision) == ""
