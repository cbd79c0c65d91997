"""What the tests of one running suite share: its start, its end, and the check after each of them."""
import time
import unittest

import wire
from harness.suite import Suite
from history import History


def eventually(true, what, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class SuiteCase(unittest.TestCase):
    """Tests of one suite, all services in one process."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.suite = Suite(arguments=[f"--set={name}={value}" for name, value in cls.settings.items()])
        cls.addClassCleanup(cls.suite.remove)
        cls.suite.start()


class HostileInputCase(SuiteCase):
    """Tests that send what no good client would; after each the process lives, has lost nothing and counts right."""

    stream, declaration = "hostile", {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.history = History(cls.suite, cls.stream, **cls.declaration)
        cls.rpc = wire.Rpc(cls.suite, wire.access_token(cls.suite))
        cls.addClassCleanup(cls.rpc.close)

    def tearDown(self):
        self.assertIsNone(self.suite.process.poll(), self.suite.tail())
        self.history.check()
