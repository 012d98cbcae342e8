"""What a client compares before its first call."""

from lad_runtime import __version__

PROTOCOL_VERSION = 2
"""Of `proto/lad/v1`; raised when a client of the version before could misunderstand a reply."""

BUILD_VERSION = __version__
"""Of the package, the same as the npm package's."""
