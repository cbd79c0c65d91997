"""Damaged files: while nothing runs, a bit flips or a file is cut. What is read afterwards is what was acknowledged, or an error
that says what is damaged; damaged files are set aside and told by `doctor`."""
import pathlib
import random
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness.suite import PROGRAM, HttpError  # noqa: E402
from history import History, event  # noqa: E402
from suite_case import SuiteCase, eventually  # noqa: E402
from tokens import sql  # noqa: E402


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[:len(content) * 2 // 3])


class DamagedFiles(SuiteCase):
    settings = {"log.segment_bytes": 1 << 20, "aggregation.snapshot_interval": "0.2s", "aggregation.hot_age": "1s"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.history = History(cls.suite, "damage", partitions=1, allowedLateness="1s")
        # Twenty minutes of event time, so that closed windows are stored; values that no compression makes small, so
        # that the log has several files.
        begin = time.time() - 1200
        for second in range(0, 1200, 6):
            cls.history.send([event(f"h{n % 7}", random.randrange(1 << 40), begin + second) for n in range(1000)])
        cls.history.check()
        assert len(cls.log_files()) > 1, "a file of the log is behind another"
        eventually(lambda: cls.files("objects/segments", "*") and len(cls.files("objects/snapshots", "*.rms")) >= 3,
                   "segments and three snapshots")

    @classmethod
    def files(cls, folder, pattern):
        return sorted(path for path in (cls.suite.data / folder).rglob(pattern) if path.is_file())

    @classmethod
    def log_files(cls):
        """Those of the partition that has the events."""
        return max((sorted(folder.glob("*.log")) for folder in (cls.suite.data / "log/events").iterdir()), key=len)

    def newest_snapshot(self):
        """Of the partition that has the events: the log's folder has its number."""
        partition = int(self.log_files()[0].parent.name)
        return max(self.files(f"objects/snapshots/events/p{partition}", "*.rms"))

    def manifest(self):
        return sql(self.suite, "SELECT object FROM segments WHERE removed_version IS NULL").split()

    def doctor(self):
        return subprocess.run([str(PROGRAM), "doctor", "--data", str(self.suite.data)], capture_output=True,
                              text=True).stdout

    def assert_set_aside(self, path):
        aside = self.suite.data / "objects/damaged" / path.relative_to(self.suite.data / "objects")
        self.assertTrue(aside.exists(), aside)
        self.assertRegex(self.doctor(), rf"note +damage +.*{aside.name}.*\n +-> ")
        aside.unlink()  # as doctor advises

    def restarted_after(self, damage, path):
        self.assertEqual(self.suite.stop(), 0)
        damage(path)
        self.suite.start()

    def test_the_newest_snapshot(self):
        for damage in (flip_a_bit, cut):
            with self.subTest(damage.__name__):
                # Something to fold, so that the stop writes a snapshot of its own.
                self.history.send([event("more", 1)])
                self.assertEqual(self.suite.stop(), 0)
                path = self.newest_snapshot()
                damage(path)
                self.suite.start()
                self.history.check()
                self.assert_set_aside(path)

    def test_a_rollup_segment(self):
        for damage in (flip_a_bit, cut):
            with self.subTest(damage.__name__):
                named = random.choice(self.manifest())
                path = self.suite.data / "objects" / named
                self.restarted_after(damage, path)
                self.history.check()
                self.assert_set_aside(path)
                eventually(lambda: named not in self.manifest(), "another takes its place")
                self.history.check()

    def test_the_middle_of_the_log_behind_the_snapshots(self):
        path = self.log_files()[0]
        good = path.read_bytes()
        self.restarted_after(flip_a_bit, path)
        self.history.check()
        self.history.send([event("more", 1)])
        self.history.check()
        path.write_bytes(good)

    def test_the_middle_of_the_log_that_has_to_be_read(self):
        path = self.log_files()[0]
        good = path.read_bytes()

        def damage(path):
            flip_a_bit(path)
            for snapshot in self.files("objects/snapshots", "*.rms"):
                cut(snapshot)

        self.restarted_after(damage, path)

        def refusal():
            try:
                return self.history.sums() and ""
            except HttpError as error:
                return str(error)

        eventually(refusal, "the fold is at the damage")
        for _ in range(3):
            self.assertIn("its log is damaged there", refusal())
        self.assertIn(str(path), self.suite.tail(50))
        self.assertRegex(self.doctor(), r"bad +log +.*damaged.*\n +-> ")
        path.write_bytes(good)
        eventually(lambda: not refusal(), "with the file as it was all is folded")
        self.history.check()

    def test_the_end_of_the_log_cut_off(self):
        path = self.log_files()[-1]
        good = path.read_bytes()
        with self.assertRaises(RuntimeError) as refused:
            self.restarted_after(cut, path)
        self.assertIn(str(path), str(refused.exception))
        self.assertIn("restore", str(refused.exception))
        # Nor without the index, which told that the file was longer.
        path.with_suffix(".index").unlink()
        with self.assertRaises(RuntimeError) as refused:
            self.suite.start()
        self.assertIn("restore", str(refused.exception))
        path.write_bytes(good)
        self.suite.start()
        self.history.check()


if __name__ == "__main__":
    unittest.main()
