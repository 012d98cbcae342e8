"""The versions that a client compares with its own before its first call."""

from lad_runtime import __version__

PROTOCOL_VERSION = 2
"""The version of `proto/lad/v1`. It increases when a client of the previous version could misunderstand a reply."""

BUILD_VERSION = __version__
"""The version of this package, equal to the npm package's."""
