/** The protocol version of this client; a worker of another version is rejected. */
export const PROTOCOL_VERSION = 2;

/** This package's version, compared with the worker's in the handshake. */
export const BUILD_VERSION = "0.1.0";
