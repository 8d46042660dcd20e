#!/bin/sh
# Prints which requirements this machine can use: `runtime`, with PyTorch, if there is a GPU of NVIDIA or Apple,
# else `base`: what ships with Pixelmend runs on the CPU and on Vulkan without it. TORCH=1 or TORCH=0 decides it.
case "${TORCH:-}" in
  1) echo runtime ;;
  0) echo base ;;
  "")
    if [ "$(uname -s)-$(uname -m)" = Darwin-arm64 ] || [ -e /dev/nvidia0 ] || [ -e /dev/dxg ]; then echo runtime; else echo base; fi
    ;;
  *)
    echo "TORCH=$TORCH is neither 1 nor 0" >&2
    exit 1
    ;;
esac
