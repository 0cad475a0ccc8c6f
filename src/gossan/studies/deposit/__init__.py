"""The deposit study: drill holes to ranked targets in 3D, each protocol with its leaks named."""
