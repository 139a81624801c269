"""`params.yaml` as typed objects: blocks, how they merge, what they ask of each other; nothing here imports PyTorch."""
