"""Network rules: what they may say, and what they open."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wippywasm.errors import InvalidError
from wippywasm.wasi.network import Decision, Network
from wippywasm.wasi.network.addresses import parse_address, special
from wippywasm.wasi.network.rules import normal_name

PUBLIC = "93.184.216.34"
SPECIAL = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.9.9.9",
    "168.63.129.16",
    "169.254.1.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.168.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1:1::5",
    "::ffff:0:7f00:1",
    "::ffff:0:a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "64:ff9b:1:fffe::a00:1",
    "64:ff9b:1:7f00:0:100::",
    "64:ff9b:1:7f00:0:100:808:808",
    "2001:0:808:808::80ff:fffe",
    "2001:2::1",
    "100::1",
    "4000::1",
    "a000::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


def opens(rule: str, address: str, port: int = 443, name: str | None = None) -> bool:
    return Network([rule]).check_connect(ip_address(address), port, name).allowed


def test_nothing_is_open_without_rules() -> None:
    network = Network()
    assert not network.check_connect(ip_address(PUBLIC), 443).allowed
    assert not network.check_resolve("example.com").allowed
    assert not network.check_listen(ip_address("127.0.0.1"), 80).allowed
    assert not network.check_bind(ip_address("127.0.0.1"), 0).allowed


@pytest.mark.parametrize("address", SPECIAL)
@pytest.mark.parametrize("rule", ["0.0.0.0/0:*", "[::/0]:*", "0.0.0.0/1:*", "128.0.0.0/1", "*:*"])
def test_broad_rules_open_no_special_address(rule: str, address: str) -> None:
    assert not opens(rule, address)
    assert not opens(rule, address, name="example.com")


@pytest.mark.parametrize("address", SPECIAL)
def test_an_address_that_is_named_is_open(address: str) -> None:
    assert opens(f"[{address}]:443", address)
    assert not opens(f"[{address}]:443", address, 80)


@pytest.mark.parametrize(
    ("rule", "address", "is_open"),
    [
        ("10.0.0.0/8:443", "10.1.2.3", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.1.0.0/16:443", "10.2.0.1", False),
        ("10.0.0.0/8:80", "10.1.2.3", False),
        ("10.0.0.0/8:*", "::ffff:10.1.2.3", True),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("8.0.0.0/6:*", "10.1.2.3", False),
        ("169.254.0.0/16:*", "169.254.1.1", True),
        ("169.254.0.0/16:*", "169.254.169.254", False),
        ("169.254.169.254:443", "169.254.169.254", True),
        ("fd00::/8", "fd12::1", True),
        ("[fd00::/8]:400-500", "fd12::1", True),
        ("fd00::/8", "fd00:ec2::254", False),
        ("0.0.0.0/0:443", PUBLIC, True),
        ("0.0.0.0/0:443", "2606:4700::1111", False),
        ("::/0", "2606:4700::1111", True),
        ("0.0.0.0/0:443", "2002:5db8:d822::1", True),
        ("::/0", "64:ff9b:1::5db8:d822", False),
        ("0.0.0.0/0:443", "64:ff9b:1::5db8:d822", False),
        ("64:ff9b:1::/48", "64:ff9b:1::5db8:d822", True),
        ("10.0.0.0/8:443", "2002:a01:203::1", True),
        ("10.0.0.0/8:443", "::a01:203", True),
        ("10.0.0.0/8:443", "::ffff:0:a01:203", True),
        ("2002:a00::/24", "10.1.2.3", True),
        ("2002:a00::/24", "11.1.2.3", False),
        ("::ffff:0:a00:0/104", "10.1.2.3", True),
        ("2001::/32", "2001:0:808:808::80ff:fffe", False),
        ("4000::/16", "4000::1", True),
    ],
)
def test_ranges(rule: str, address: str, is_open: bool) -> None:
    assert opens(rule, address) is is_open


@pytest.mark.parametrize(
    ("rule", "name", "is_open"),
    [
        ("example.com:443", "example.com", True),
        ("Example.COM.:443", "example.com", True),
        ("example.com:80", "example.com", False),
        ("example.com:*", "example.com", True),
        ("example.com:400-443", "example.com", True),
        ("example.com:443", "www.example.com", False),
        ("*.example.com:443", "www.example.com", True),
        ("*.example.com:443", "a.b.example.com", True),
        ("*.example.com:443", "example.com", False),
        ("*.example.com:443", "badexample.com", False),
        ("*:443", "anything.at.all", True),
        ("*:443", "localhost", False),
    ],
)
def test_names(rule: str, name: str, is_open: bool) -> None:
    assert opens(rule, PUBLIC, 443, name) is is_open


def test_localhost_is_loopback_and_nothing_else() -> None:
    assert opens("localhost:443", "127.0.0.1", 443, "localhost")
    assert opens("localhost:443", "::1", 443, "localhost")
    assert not opens("localhost:443", "10.0.0.1", 443, "localhost")
    assert not opens("localhost:443", "127.0.0.1", 443)


def test_a_name_opens_what_it_led_to_and_no_more() -> None:
    network = Network(["api.example.com:443"])
    address, other = ip_address(PUBLIC), ip_address("93.184.216.35")
    assert not network.check_connect(address, 443).allowed
    assert network.resolved("api.example.com", [address, ip_address("127.0.0.1")]) == [address]
    assert network.check_connect(address, 443).allowed
    assert not network.check_connect(address, 80).allowed
    assert not network.check_connect(other, 443).allowed
    assert not network.check_connect(ip_address("127.0.0.1"), 443).allowed


def test_a_name_that_turns_private_needs_a_rule_for_the_range() -> None:
    inside = ip_address("10.0.0.5")
    assert Network(["db.internal:5432"]).resolved("db.internal", [inside]) == []
    both = Network(["db.internal:5432", "10.0.0.0/24:5432"])
    assert both.resolved("db.internal", [inside]) == [inside]
    assert both.check_connect(inside, 5432, "db.internal").allowed


def test_a_name_that_leads_to_a_translated_address_opens_that_one() -> None:
    """Whoever has IPv6 only gets IPv4's addresses in the prefix of a translator, and connects to them there."""
    network = Network(["api.example.com:443"])
    translated = parse_address("64:ff9b::5db8:d822")
    assert translated == ip_address("64:ff9b::5db8:d822")
    assert network.resolved("api.example.com", [translated, ip_address("64:ff9b::a00:1")]) == [translated]
    assert network.check_connect(translated, 443).allowed
    assert not network.check_connect(ip_address("64:ff9b::a00:1"), 443).allowed


def test_remembered_names_are_bounded() -> None:
    network = Network(["*.example.com:443"])
    for i in range(3000):
        network.resolved(f"h{i}.example.com", [ip_address(PUBLIC), ip_address(0x5DB80000 + i)])
    assert len(network._names) <= 1024
    assert max(len(names) for names in network._names.values()) <= 16


def test_listening_needs_its_own_rule() -> None:
    network = Network(["127.0.0.1:*"], listen=["127.0.0.1:8000-8010", "[::1]:*"])
    assert network.check_bind(ip_address("127.0.0.1"), 8001).allowed
    assert network.check_listen(ip_address("127.0.0.1"), 8010).allowed
    assert network.check_listen(ip_address("::1"), 0).allowed
    assert not network.check_listen(ip_address("127.0.0.1"), 8011).allowed
    assert not network.check_listen(ip_address("0.0.0.0"), 8001).allowed
    assert network.check_bind(ip_address("0.0.0.0"), 0).allowed
    assert not network.check_bind(ip_address("0.0.0.0"), 8001).allowed
    assert Network(listen=["localhost:80"]).check_listen(ip_address("::1"), 80).allowed


def test_every_decision_is_audited_and_says_why() -> None:
    seen: list[Decision] = []
    network = Network(["example.com:443"], audit=seen.append)
    network.check_resolve("example.com")
    network.check_resolve("example.org")
    network.check_connect(ip_address("::ffff:127.0.0.1"), 22)
    assert [(d.action, d.allowed) for d in seen] == [("resolve", True), ("resolve", False), ("connect", False)]
    assert seen[0].rule == "example.com:443"
    error = seen[2].error()
    assert "127.0.0.1 port 22" in str(error)
    assert "loopback" in str(error)
    assert "allow" in str(error.hint)


def test_a_policy_may_refuse_what_rules_allow() -> None:
    asked: list[tuple[str, int]] = []

    def policy(host: str, port: int) -> bool:
        asked.append((host, port))
        return port == 443

    network = Network([f"{PUBLIC}:*", "example.com:*"], policy=policy)
    assert network.check_connect(ip_address(PUBLIC), 443).allowed
    assert not network.check_connect(ip_address(PUBLIC), 80).allowed
    network.resolved("example.com", [ip_address("93.184.216.40")])
    assert network.check_connect(ip_address("93.184.216.40"), 443).allowed
    assert not network.check_connect(ip_address("1.1.1.1"), 443).allowed
    assert asked == [(PUBLIC, 443), (PUBLIC, 80), ("example.com", 443)]


@pytest.mark.parametrize(
    "rule",
    ["", "example.com", "example.com:", "example.com:http", "example.com:70000", "example.com:5-4", "exa mple.com:1",
     "10.0.0.0/33:1", "1.2.3.4.5:80", "256.1.1.1:80", "*example.com:80", "a.*.com:80", "[::1:80", "[::1]80", "http://x:80",
     "a..b:80", "-:80", "x" * 300 + ":80", "*.:80", "a..:80", "[fe80::1%eth0]:80", "fe80::1%1", "[fe80::%1/64]:80"],
)  # fmt: skip
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(InvalidError, match="no rule for a network"):
        Network([rule])


def test_listen_rules_have_no_names() -> None:
    with pytest.raises(InvalidError, match="local address"):
        Network(listen=["example.com:80"])


@pytest.mark.parametrize(
    ("name", "normal"),
    [("Example.COM.", "example.com"), ("bücher.example", "xn--bcher-kva.example"), ("a_b.c", "a_b.c"), ("", None),
     (".", None), ("a..b", None), ("a b", None), ("a" * 64, None), ("x." * 200, None), ("-a", None), ("a\0b", None),
     ("ü" * 200, None)],
)  # fmt: skip
def test_normal_names(name: str, normal: str | None) -> None:
    assert normal_name(name) == normal


@settings(max_examples=100)
@given(st.ip_addresses())
def test_mapped_addresses_are_judged_as_what_they_map(address: object) -> None:
    text = str(address)
    mapped = parse_address(f"::ffff:{text}") if ":" not in text else parse_address(text)
    assert mapped is not None
    plain = parse_address(text)
    assert plain is not None
    assert special(mapped) == special(plain)


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        Network([text])
    except InvalidError:
        return
