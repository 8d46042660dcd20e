"""A Vulkan device's memory for one network of ncnn's, which raises an error when the device has none left.

ncnn takes null for the memory of a copy to or from the device, goes on with it, and the process dies. An
error that is raised at that place goes through ncnn to its caller (docs/adr/0024-vulkan.md).
"""

from typing import Any

import ncnn


class _Blobs(ncnn.VkBlobAllocator):  # type: ignore[misc]
    def fastMalloc(self, *size: Any) -> Any:  # noqa: N802
        return _given(super().fastMalloc(*size))


class _Staging(ncnn.VkStagingAllocator):  # type: ignore[misc]
    def fastMalloc(self, *size: Any) -> Any:  # noqa: N802
        return _given(super().fastMalloc(*size))


def _given(memory: Any) -> Any:
    if memory is None:
        raise MemoryError("vkAllocateMemory failed")
    return memory


class VulkanAllocators:
    """For one thread at a time. They have to outlive what they gave out."""

    def __init__(self, device_index: int) -> None:
        device = ncnn.get_gpu_device(device_index)
        self._blobs, self._staging = _Blobs(device), _Staging(device)

    def serve(self, options: Any) -> None:
        """Calls with these options (ncnn.Option) take their memory from here."""
        options.blob_vkallocator = options.workspace_vkallocator = self._blobs
        options.staging_vkallocator = self._staging

    def require(self, size_bytes: int) -> None:
        """Raises MemoryError if the device does not have so much in one piece now."""
        try:
            self._blobs.fastFree(self._blobs.fastMalloc(size_bytes))
        finally:
            self._blobs.clear()

    def clear(self) -> None:
        """Give back what no call uses."""
        self._blobs.clear()
        self._staging.clear()
