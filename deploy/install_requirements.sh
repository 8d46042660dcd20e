#!/bin/sh
# install_requirements.sh UV ENVIRONMENT BACKEND: what the service needs, into an environment that is there.
#
# BACKEND `default` takes requirements/runtime.txt as it is, hashes and all; `none` requirements/base.txt, which has
# no PyTorch: for the CPU and for Vulkan. Any other (cpu, cu126, ...: what
# `uv pip install --torch-backend` knows) takes PyTorch in that flavour first, in the versions that runtime.txt
# pins, and then the rest of runtime.txt, without what only CUDA's default flavour needs. The flavour's own hashes
# are in requirements/torch-BACKEND.txt, which `make lock-torch BACKEND=cu126` writes; without that file it is
# installed by version alone, and that is said.
set -eu
uv=$1 environment=$2 backend=$3
requirements=requirements/runtime.txt
install="$uv pip install --python $environment/bin/python --no-cache --compile-bytecode"

if [ "$backend" = default ]; then
    $install --require-hashes -r $requirements
    exit 0
fi

if [ "$backend" = none ]; then
    $install --require-hashes -r requirements/base.txt
    exit 0
fi

version_of() { sed -n "s/^$1==\([^ ;]*\).*/\1/p" $requirements; }
torch=$(version_of torch) torchvision=$(version_of torchvision)
if [ -f "requirements/torch-$backend.txt" ]; then
    $install --torch-backend "$backend" --require-hashes -r "requirements/torch-$backend.txt"
else
    echo "install_requirements.sh: PyTorch for $backend is installed without hashes: run make lock-torch BACKEND=$backend" >&2
    $install --torch-backend "$backend" "torch==$torch" "torchvision==$torchvision"
fi

# A requirement and its hashes are one logical line, ended by a line without a backslash.
rest=$(mktemp)
awk '
    !continued { skip = /^(torch|torchvision|triton|cuda-|nvidia-)[a-z0-9-]*==/ && !/^nvidia-ml-py==/ }
    { continued = /\\$/ }
    !skip
' $requirements > "$rest"
$install --no-deps --require-hashes -r "$rest"
rm "$rest"
