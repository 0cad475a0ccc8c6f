"""gossan: from what an exploration team has to where ore may be, with an honest measure of trust."""

__version__ = "0.1.0.dev0"
