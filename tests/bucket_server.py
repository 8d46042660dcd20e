"""A small S3 server for tests: objects that are read, written at once or in parts, and who may."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.web_server import Answer, Asked, WebServer, web_server

KEY_ID = "AKIATEST"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": "a secret for tests",
    "AWS_REGION": "eu-central-1",
}
"""Beside AWS_ENDPOINT_URL."""


@dataclass
class Buckets:
    """objects: by `bucket/key`, with their media types. failures: requests that are answered with 503."""

    server: WebServer = field(default_factory=WebServer)
    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    failures: int = 0
    _parts: dict[int, bytes] = field(default_factory=dict)
    _media_type: str = ""

    @property
    def environment(self) -> Mapping[str, str]:
        return ENVIRONMENT | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server.port}"}

    def answer(self, asked: Asked) -> Answer:
        path, query = urlsplit(asked.path).path, parse_qs(urlsplit(asked.path).query, keep_blank_values=True)
        name = unquote(path).lstrip("/")
        if self.failures:
            self.failures -= 1
            return 503, {}, b""
        signed = asked.headers.get("authorization", "")
        has_key = signed.startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/") and "Signature=" in signed
        if not has_key and not is_presigned(asked):
            return 403, {}, b"<Error><Code>AccessDenied</Code></Error>"
        if asked.method == "GET":
            return self._get(name)
        if asked.method == "POST" and "uploads" in query:
            self._parts, self._media_type = {}, asked.headers["content-type"]
            text = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            return 200, {}, text.encode()
        if asked.method == "PUT" and "partNumber" in query:
            self._parts[int(query["partNumber"][0])] = asked.body
            return 200, {"ETag": '"part"'}, b""
        if asked.method == "POST":
            self.objects[name] = self._media_type, b"".join(self._parts[n] for n in sorted(self._parts))
            text = '<CompleteMultipartUploadResult><ETag>"all"</ETag></CompleteMultipartUploadResult>'
            return 200, {}, text.encode()
        self.objects[name] = asked.headers["content-type"], asked.body
        return 200, {"ETag": '"all"'}, b""

    def _get(self, name: str) -> Answer:
        if name not in self.objects:
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
        _, data = self.objects[name]
        dated = formatdate(usegmt=True)
        return 200, {"Content-Length": str(len(data)), "ETag": '"all"', "Last-Modified": dated}, data


def is_presigned(asked: Asked) -> bool:
    """By the rules of signature version 4, from the request as it came."""
    parts = urlsplit(asked.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    signature = query.pop("X-Amz-Signature", "")
    if not signature:
        return False
    scope = query["X-Amz-Credential"].removeprefix(f"{KEY_ID}/")
    headers = query["X-Amz-SignedHeaders"].split(";")
    canonical = "\n".join(
        (
            asked.method,
            parts.path,
            "&".join(f"{quote(name, '')}={quote(query[name], '')}" for name in sorted(query)),
            *(f"{name}:{asked.headers[name]}" for name in headers),
            "",
            ";".join(headers),
            "UNSIGNED-PAYLOAD",
        )
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, hashed))
    key = f"AWS4{ENVIRONMENT['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(key.hex(), signature)


@contextmanager
def bucket_server() -> Iterator[Buckets]:
    buckets = Buckets()
    with web_server(buckets.answer) as server:
        buckets.server = server
        yield buckets
