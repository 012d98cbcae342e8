"""What the engine, the backend and the wire say to each other: plain values, no torch, no protobuf.

Specifications arrive complete: every default stands in the TypeScript SDK, and what a request is read into has none here
(test/runtime/wire/test_complete_requests.py goes through it). Ranges are checked where a specification is made
(`__post_init__`), so that no work starts on a bad one.
"""
