"""The edge: what runs in CloudFront, tried in Node as CloudFront calls it, and the limits of its web ACL."""

import json
import re
import subprocess
import textwrap
import unittest
from typing import Any

from purser import ROOT

TEMPLATE = ROOT / "infra" / "cloud" / "edge.yaml"


def named_viewer(viewer: str, headers: dict[str, str]) -> dict[str, Any]:
    """The request's headers after the function, for a viewer at this address."""
    found = re.search(r"FunctionCode: \|\n((?: {8}.*\n)+)", TEMPLATE.read_text())
    assert found is not None
    event = {
        "version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": viewer},
        "request": {"method": "GET", "uri": "/v1/clients", "querystring": {}, "cookies": {},
                    "headers": {name: {"value": value} for name, value in headers.items()}},
    }
    script = f"{textwrap.dedent(found[1])}\nconsole.log(JSON.stringify(handler({json.dumps(event)})));"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    answered: dict[str, Any] = json.loads(done.stdout)
    if {**answered, "headers": None} != {**event["request"], "headers": None}:
        raise AssertionError(f"nothing but headers may change: {answered}")
    return {name: header["value"] for name, header in answered["headers"].items()}


class NameViewer(unittest.TestCase):
    """It names the viewer, whatever the viewer says."""

    def test_the_viewer_is_named(self) -> None:
        for viewer in ("192.0.2.7", "2001:db8::7"):
            self.assertEqual(named_viewer(viewer, {"host": "api.example.com"}),
                             {"host": "api.example.com", "purser-viewer-address": viewer})

    def test_what_a_viewer_says_of_itself_is_overwritten(self) -> None:
        said = {"purser-viewer-address": "203.0.113.1", "x-forwarded-for": "203.0.113.2"}
        self.assertEqual(named_viewer("192.0.2.7", said), {**said, "purser-viewer-address": "192.0.2.7"})


# A whole office's programs ask from one address. Purser charges wrong keys, and floods are bounded with the rest.
OF_PROGRAMS = {
    "/v1/activations",
    "/v1/activations/deactivate",
    "/v1/activations/heartbeat",
    "/v1/licences/validate",
}


class WebAcl(unittest.TestCase):
    """Its lower limits hold for all that strangers may ask for, and for nothing else."""

    def test_what_strangers_may_ask_is_bounded(self) -> None:
        patterns = [re.compile(text) for text in re.findall(r"RegexString: (\S+)", TEMPLATE.read_text())]
        document = json.loads((ROOT / "openapi.json").read_text())
        bounded, free = set(), set()
        for path, methods in document["paths"].items():
            public = "post" in methods and methods["post"].get("security") == [{}] and path not in OF_PROGRAMS
            (bounded if public else free).add(path.replace("{refid}", "CL-0"))
        self.assertGreaterEqual(len(bounded), 7)
        bounded |= {"/customer/confirm", "/customer/confirm-email", "/customer/reset-password"}
        for path in bounded | free:
            hits = sum(1 for pattern in patterns if pattern.search(path))
            self.assertEqual(hits, 1 if path in bounded else 0, path)


if __name__ == "__main__":
    unittest.main()
