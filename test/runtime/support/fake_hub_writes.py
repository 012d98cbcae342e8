"""A small Hugging Face hub on loopback that models can be written to, over its HTTP protocol with Git LFS's basic transfer."""

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
TOKEN = "hf_a_token_that_may_write"


class WritableHub:
    """Takes commits with TOKEN. `files` has what was committed, by repository and path; `asked` the path of each request.

    It offers Xet, as hubs do, and has no store for it. Names of some repositories say how it behaves: `owner/full` answers
    with status 507, `owner/silent` never, `owner/drips` one byte after another, `owner/endless` without an end, `owner/packed` in
    gzip, `owner/later` that it be asked again in a day; `owner/stuck` takes weights and says nothing, `owner/nonsense` no commit.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closing = threading.Event()
        self.files: dict[str, dict[str, bytes]] = {}
        self.made: list[dict[str, Any]] = []
        self.messages: list[str] = []
        self._large: dict[str, bytes] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                hub.answer(self, self.body())

            def do_PUT(self) -> None:
                hub.answer(self, self.body())

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                hub.asked.append(path)
                if "/xet-write-token/" in path:
                    told = {"casUrl": hub.endpoint, "exp": 1 << 40, "accessToken": "of-xet"}
                    hub.send(self, 200, told)
                else:
                    hub.send(self, 404, {})

            def body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                pieces = []
                while size := int(self.rfile.readline(), 16):
                    pieces.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(pieces)

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

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = request.path.split("?")[0]
        self.asked.append(path)
        if path.startswith("/store/stuck"):
            self.closing.wait()
        elif path.startswith("/store/"):  # a place that was signed: it needs no token
            self._large[hashlib.sha256(body).hexdigest()] = body
            self.send(request, 200, {})
        elif path == "/api/validate-yaml":
            self.send(request, 200, {"errors": [], "warnings": []})
        elif request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.send(request, 401, {"error": "Invalid credentials"})
        elif path == "/api/repos/create":
            self._create(request, json.loads(body))
        elif path == "/api/models/owner/later/preupload/main":
            self.send(request, 503, {}, {"Retry-After": "86400"})
        elif path.endswith("/preupload/main"):
            self._preupload(request, json.loads(body))
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._batch(request, json.loads(body), "stuck" if path.startswith("/owner/stuck") else "")
        elif path.endswith("/commit/main"):
            self._commit(request, path.removeprefix("/api/models/").removesuffix("/commit/main"), body)
        else:
            self.send(request, 404, {})

    def _create(self, request: BaseHTTPRequestHandler, given: dict[str, Any]) -> None:
        repo = f"{given['organization']}/{given['name']}"
        if repo == "owner/silent":
            self.closing.wait()
        elif repo in ("owner/drips", "owner/endless"):
            self._unending(request, b"{" if repo == "owner/drips" else b" " * (1 << 20))
        elif repo == "owner/packed":
            self.send(request, 200, {}, {"Content-Encoding": "gzip"})
        elif repo == "owner/full":
            self.send(request, 507, {"error": "Insufficient storage"})
        elif repo in self.files:
            self.send(
                request,
                409,
                {"error": "You already created this model repo", "url": f"{self.endpoint}/{repo}"},
            )
        else:
            self.files[repo] = {}
            self.made.append(given)
            self.send(request, 200, {"url": f"{self.endpoint}/{repo}", "name": repo})

    def _unending(self, request: BaseHTTPRequestHandler, piece: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 50))
        request.end_headers()
        with suppress(OSError):  # the client has gone
            while not self.closing.wait(0.05 if len(piece) == 1 else 0):
                request.wfile.write(piece)

    def _preupload(self, request: BaseHTTPRequestHandler, given: dict[str, Any]) -> None:
        def answer(path: str) -> dict[str, Any]:
            mode = "lfs" if path.endswith(".safetensors") else "regular"
            return {"path": path, "uploadMode": mode, "shouldIgnore": False}

        self.send(request, 200, {"files": [answer(file["path"]) for file in given["files"]]})

    def _batch(self, request: BaseHTTPRequestHandler, given: dict[str, Any], place: str) -> None:
        objects = [
            {**each, "actions": {"upload": {"href": f"{self.endpoint}/store/{place}{each['oid']}"}}}
            for each in given["objects"]
        ]
        transfer = "xet" if "xet" in given["transfers"] else "basic"
        self.send(request, 200, {"transfer": transfer, "objects": objects})

    def _commit(self, request: BaseHTTPRequestHandler, repo: str, body: bytes) -> None:
        for line in body.splitlines():
            each = json.loads(line)
            value = each["value"]
            if each["key"] == "header":
                self.messages.append(value["summary"])
            elif each["key"] == "file":
                self.files[repo][value["path"]] = base64.b64decode(value["content"])
            elif each["key"] == "lfsFile":
                self.files[repo][value["path"]] = self._large[value["oid"]]
        address = f"{self.endpoint}/{repo}/commit/{COMMIT}"
        if repo == "owner/nonsense":
            self.send(request, 200, {"success": True})
            return
        self.send(request, 200, {"success": True, "commitOid": COMMIT, "commitUrl": address})

    def send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        value: dict[str, Any],
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        content = json.dumps(value).encode()
        request.send_response(status)
        for name, text in headers.items():
            request.send_header(name, text)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
