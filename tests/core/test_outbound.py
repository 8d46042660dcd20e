"""Which addresses count as public, which hosts may be named at all, and what is sent to them."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.outbound import Outbound, is_public
from tests.web_server import web_server


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
        "100.100.100.200", "169.254.169.254", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1",
        "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%lo", "fc00::1",
        "fd00:ec2::254", "ff02::1", "ff0e::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "::127.0.0.1",
    ],
)  # fmt: skip
def test_what_belongs_to_a_network_inside_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "is_named"),
    [
        ("http://a.example/x.jpg", True),
        ("https://A.EXAMPLE:8443/x.jpg?key=1", True),
        ("http://a.example./x.jpg", True),
        ("http://deep.b.example/", True),
        ("http://b.example/", False),
        ("http://notb.example/", False),
        ("http://a.example.evil/", False),
        ("http://evil/a.example", False),
        ("http://evil#@a.example/", False),
        ("http://a.example@evil/", False),
        ("http://user:word@a.example/", False),
        ("http://user@a.example/", False),
        ("ftp://a.example/x", False),
        ("file:///etc/passwd", False),
        ("//a.example/x", False),
        ("a.example/x", False),
        ("http://", False),
        ("http://a.example:port/", False),
        ("http://[::1", False),
        ("http://a.example/\n", False),
        ("http://a.example/" + "x" * 3000, False),
        ("http://2130706433/", False),
        ("http://0x7f.1/", False),
        ("", False),
    ],
)
def test_only_hosts_of_the_list_are_named(url: str, is_named: bool) -> None:
    outbound = Outbound(" a.example, *.b.example,", "SETTING")
    if is_named:
        outbound.checked("image_url", url)
    else:
        with pytest.raises(InvalidParameter, match="image_url"):
            outbound.checked("image_url", url)


def test_none_is_the_default() -> None:
    with pytest.raises(InvalidParameter, match="SETTING names no hosts"):
        Outbound("", "SETTING").checked("image_url", "http://a.example/")
    with pytest.raises(InvalidParameter, match="not one of SETTING"):
        Outbound("", "SETTING").require("image_url", "s3://bucket/key")


def test_what_is_streamed_is_whole_at_the_address_that_answers() -> None:
    """The first address of the name has no server, and takes nothing of the content with it."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]

    async def content() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"%d" % number * 100_000

    async def put(port: int) -> int:
        outbound = Outbound("a.example", "SETTING", resolve=resolve, allows=lambda _: True)
        headers = {"Content-Length": "300000"}
        url = f"http://a.example:{port}/x"
        async with outbound.request("result_url", "PUT", url, headers, content) as response:
            return response.status_code

    with web_server(lambda _: (200, {}, b"")) as server:
        assert asyncio.run(put(server.port)) == 200
    (asked,) = server.asked
    assert asked.body == b"0" * 100_000 + b"1" * 100_000 + b"2" * 100_000
    assert "transfer-encoding" not in asked.headers
