"""The documentation page is confined, and works all the same."""

import re

from pixelmend.api.routes.docs import policy_of
from tests.service import RunningService


def test_page_runs_its_own_scripts_and_stands_in_no_frame(service: RunningService) -> None:
    for path in ("/docs", "/docs/oauth2-redirect"):
        answer = service.client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in scripts
        inline = re.findall(r"<script(?![^>]*src=)", answer.text)
        assert scripts.count("'sha256-") == len(inline) >= 1
        assert answer.headers["x-frame-options"] == "DENY"
        assert int(answer.headers["content-length"]) == len(answer.content)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', service.client.get("/docs").text)
    assert loaded
    assert all(link.startswith("/static-offline-docs/") for link in loaded)


def test_script_that_is_put_into_the_page_has_another_hash() -> None:
    plain, changed = policy_of(b"<script>\nrun()\n</script>"), policy_of(b"<script>\nevil()\n</script>")
    assert plain.count("'sha256-") == changed.count("'sha256-") == 1
    assert plain != changed
    # The hash of "\nrun()\n", computed by hand.
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(b"\nrun()\n").digest()).decode()
    assert f"'sha256-{digest}'" in plain
    assert "sha256" not in policy_of(b'<script src="/a.js"></script>')
