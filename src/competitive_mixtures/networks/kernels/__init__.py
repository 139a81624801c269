"""Written-out gradients and private operators of PyTorch: faster twins of what autograd computes."""
