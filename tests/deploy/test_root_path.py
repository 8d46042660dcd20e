"""The service as a part of another site, behind a real nginx that takes its path off or leaves it there."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from pixelmend.api.root_path import OWN_FOLDERS, check_root_path
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter
from tests.cli.test_cli import pixelmend
from tests.deploy.proxy import Proxy, running_nginx
from tests.pictures import decoded, encoded, photo
from tests.ports import free_port
from tests.service import RunningService, running_service

KEY = "open-sesame-1234"
PATH = "/tools/upscaler"
NGINX = """
user root;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location {path}/ {{
            proxy_pass {upstream};
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    # With addresses as in the built page, which the browser's tests use.
    (web := folder / "web" / "assets").mkdir(parents=True)
    (web.parent / "index.html").write_text('<link href="./icon.svg"><script src="./assets/main.js"></script>')
    (web.parent / "icon.svg").write_text("<svg/>")
    (web / "main.js").write_text("")
    settings = {"root_path": PATH, "api_keys": KEY, "key_for_everything": "true", "web_dir": str(web.parent)}
    with running_service(folder, wait_for_port_only=True, **settings) as own:
        own.client.headers["X-API-Key"] = KEY
        own.wait_until_ready()
        yield own


@pytest.fixture(scope="module", params=["taken off", "left there"])
def proxy(
    request: pytest.FixtureRequest, service: RunningService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    upstream = service.base_url + ("/" if request.param == "taken off" else "")
    text = NGINX.format(folder=folder, port=port, path=PATH, upstream=upstream)
    (folder / "nginx.conf").write_text(text)
    with running_nginx(folder, folder, port) as proxy:
        proxy.client.headers["X-API-Key"] = KEY
        yield proxy


def test_the_page_and_the_description_find_what_they_need(proxy: Proxy) -> None:
    for page in (f"{PATH}/", f"{PATH}/docs"):
        text = proxy.client.get(page).text
        needed = re.findall(r"""(?:src|href|url)(?:=|: )["']([^"'#]+)["']""", text)
        assert len(needed) > 1, text
        for address in needed:
            found = proxy.client.get(httpx.URL(f"{proxy.url}{page}").join(address))
            assert found.status_code == 200, f"{page}: {address}"
            assert found.url.path.startswith(f"{PATH}/")


def test_what_it_answers_leads_back_to_it(proxy: Proxy) -> None:
    files = {"file": encoded(photo(side_px=40))}
    submitted = proxy.client.post(f"{PATH}/api/jobs", data={"task": "upscale"}, files=files)
    assert submitted.headers["Location"] == f"{PATH}/api/jobs/{submitted.json()['id']}"
    assert proxy.client.get(submitted.headers["Location"]).status_code == 200
    files = {"image": files["file"]}
    answer = proxy.client.post(f"{PATH}/v1/images/upscale", data={"scale": "2"}, files=files).json()
    assert answer["data"][0]["url"].startswith(f"{proxy.url}{PATH}/")
    assert decoded(proxy.client.get(answer["data"][0]["url"]).content).shape == (80, 80, 3)


def test_a_key_is_asked_for_whatever_is_in_front_of_a_path(proxy: Proxy, service: RunningService) -> None:
    for url in (
        f"{proxy.url}{PATH}/api/models",
        f"{service.base_url}/api/models",
        f"{service.base_url}{PATH}/api/models",
    ):
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={"X-API-Key": KEY}).status_code == 200


def test_without_its_last_slash_the_page_is_elsewhere(service: RunningService) -> None:
    answer = service.client.get(PATH)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{PATH}/")


def test_the_command_line_takes_its_address(proxy: Proxy, tmp_path: Path) -> None:
    (source := tmp_path / "photo.png").write_bytes(encoded(photo(side_px=30)))
    result = tmp_path / "large.png"
    done = pixelmend(
        "upscale", source, "-o", result, "--server", f"{proxy.url}{PATH}/", PIXELMEND_API_KEY=KEY
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert decoded(result.read_bytes()).shape == (120, 120, 3)


def test_the_services_own_folders_are_known(service: RunningService) -> None:
    described = [path.split("/") for path in service.client.get("/openapi.json").json()["paths"]]
    assert {parts[1] for parts in described if len(parts) > 2} <= OWN_FOLDERS


@pytest.mark.parametrize("root", ["/api", "/v1", "/docs", "upscaler", "/upscaler/", "/a b"])
def test_a_path_that_cannot_be_is_refused_by_name(root: str) -> None:
    with pytest.raises((InvalidParameter, ValidationError), match=rf"(?s)(?i)root_path.*{root}"):
        check_root_path(Settings(_env_file=None, root_path=root).root_path)


@pytest.mark.parametrize("root", ["/api", "/a b"])
def test_the_command_refuses_it_too(tmp_path: Path, root: str) -> None:
    done = pixelmend("serve", PIXELMEND_ROOT_PATH=root, PIXELMEND_DATA_DIR=str(tmp_path), PIXELMEND_PORT="0")
    assert done.returncode != 0
    assert "ROOT_PATH" in (done.stdout + done.stderr).upper()
    assert root in done.stdout + done.stderr
