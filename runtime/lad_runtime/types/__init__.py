"""What the engine, the backend and the wire say to each other: plain values, no torch, no protobuf.

Specifications arrive complete: every default of the method stands in the TypeScript SDK. Ranges are checked where a
specification is made (`__post_init__`), so that no work starts on a bad one.
"""
