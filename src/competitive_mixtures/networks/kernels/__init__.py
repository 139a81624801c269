"""Private operators of PyTorch and gradients written out by hand: faster twins of what autograd computes.

Nothing else in the package calls such operators. A stack asks `availability.suits` once, when it is built; the plain
PyTorch that stands beside each use is the specification that tests hold the kernel to.
"""
