#!/bin/sh
# assemble.sh DIR: the content of a Hugging Face Space, ready to be pushed there: the page, the package, and what
# they need. PyTorch, Gradio and `spaces` are the platform's own on ZeroGPU, so they are not asked for.
set -eu
[ $# = 1 ] || { echo "usage: assemble.sh DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
checkout=$here/../..
mkdir -p "$1"
cp "$here"/*.py "$1/"
version=$(sed -n 's/^gradio==\([^ ;]*\).*/\1/p' "$checkout/requirements/spaces.txt")
sed "s/SDK_VERSION/$version/" "$here/README.md" > "$1/README.md"
cat "$checkout/requirements/base.in" "$checkout/requirements/torch.in" "$checkout/requirements/onnx.in" |
  sed -e 's/ *#.*//' -e '/^$/d' -e '/^torch$/d' -e '/^torchvision$/d' > "$1/requirements.txt"
rm -rf "$1/pixelmend"
cp -r "$checkout/backend/pixelmend" "$1/pixelmend"
find "$1/pixelmend" -name __pycache__ -prune -exec rm -rf {} +
