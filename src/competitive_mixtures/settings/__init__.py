"""`params.yaml` as typed objects: blocks, their defaults and conflicts, YAML; nothing here imports PyTorch."""
