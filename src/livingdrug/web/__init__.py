"""The web page and the programming interface: requests in, results of ``study`` out. Computes no science."""
