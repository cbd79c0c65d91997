"""docs/http-api.md is true: its commands run as they stand, and answer what it says."""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness.forms import make_suite  # noqa: E402


class HttpApiDocument(unittest.TestCase):
    def test_its_commands_answer_what_it_says(self):
        suite = make_suite()
        suite.start()
        try:
            key = suite.api("POST", "/v1/keys", {"name": "mine", "role": "ROLE_EDITOR"})["secret"]
            answers = []
            for command in re.findall(r"```sh\n(.*?)```", (ROOT / "docs/http-api.md").read_text(), re.S):
                ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60,
                                     env={"PATH": "/usr/bin:/bin", "URL": suite.state["url"], "KEY": key})
                self.assertEqual(ran.returncode, 0, (command, ran.stdout, ran.stderr))
                answers.append(ran.stdout)
        finally:
            suite.remove()
        sent, queried, watched, ledger, refused = answers
        self.assertRegex(sent, r'"accepted":2,"rejected":0')
        self.assertIn("21.5", queried)
        self.assertRegex(watched, r'^data: \{.*"snapshot":true')
        self.assertRegex(ledger, r'"balanced":true')
        self.assertRegex(refused, r'"status":404,"detail":".*no\.such\.stream.*"requestId":"[0-9a-f]{32}"')


if __name__ == "__main__":
    unittest.main()
