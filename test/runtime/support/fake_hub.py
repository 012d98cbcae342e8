"""A small Hugging Face hub on loopback."""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_the_right_token"


class FakeHub:
    """Serves the files of one folder as the models `owner/open`, `owner/gated` (needs TOKEN) and `owner/broken` (status 503)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []
        # The ranges that were asked for, with the file's name.
        self.ranges: list[tuple[str, str]] = []
        # Of files as large models have them, etags are the content's SHA-256.
        self.has_digests = False
        # Bytes after which a file's content does not go on, until the hub is closed.
        self.stalls_after: int | None = None
        # Whether it answers 416 to every range.
        self.refuses_ranges = False
        # What it sends in the place of weights, under their digest and size.
        self.sends: bytes | None = None
        self.closing = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        path = request.path.split("?")[0]
        info = re.fullmatch(r"/api/models/(owner/\w+)(?:/revision/(\S+))?", path)
        file = re.fullmatch(r"/(owner/\w+)/resolve/(\w+)/(\S+)", path)
        model = (info or file or ("", ""))[1]
        allowed = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if model == "owner/broken":
            self.send(request, 503, b"")
        elif model not in ("owner/open", "owner/gated"):
            self.send(request, 401, b"", {"X-Error-Code": "RepoNotFound"})
        elif info:
            if info[2] in (None, "main", "v1", COMMIT):
                siblings = [
                    {"rfilename": path.name, "size": path.stat().st_size} for path in self.folder.iterdir()
                ]
                value = {"id": model, "modelId": model, "sha": COMMIT, "siblings": siblings}
                self.send(
                    request, 200, json.dumps(value).encode(), {"Content-Type": "application/json"}, body
                )
            else:
                self.send(request, 404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif model == "owner/gated" and not allowed:
            self.send(request, 401, b"", {"X-Error-Code": "GatedRepo"})
        elif file and (self.folder / file[3]).is_file():
            content = (self.folder / file[3]).read_bytes()
            if body:
                self.fetched.append(file[3])
            digest = (
                hashlib.sha256(content)
                if self.has_digests
                else hashlib.sha1(b"blob %d\0" % len(content) + content)
            ).hexdigest()
            headers = {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT}
            if body and self.sends is not None and file[3].endswith(".safetensors"):
                content = self.sends
            asked = request.headers.get("Range") if body else None
            if asked is not None and self.refuses_ranges:
                self.ranges.append((file[3], asked))
                self.send(request, 416, b"")
            elif asked is None:
                self.send(request, 200, content, headers, body)
            else:
                self.ranges.append((file[3], asked))
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self.send(request, 206, content[start:], headers)
        else:
            self.send(request, 404, b"", {"X-Error-Code": "EntryNotFound"})

    def send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        content: bytes,
        headers: dict[str, str] | None = None,
        body: bool = True,
    ) -> None:
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if body and self.stalls_after is not None and len(content) > self.stalls_after:
            request.wfile.write(content[: self.stalls_after])
            request.wfile.flush()
            self.closing.wait()
        elif body:
            request.wfile.write(content)
