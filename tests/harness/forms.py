"""Which form of Rivermeet a test runs on: all services in one process with the built-in log, or, with --kafka among its
arguments, the cluster form."""
import sys

from harness.suite import ClusterSuite, Suite

KAFKA = "--kafka" in sys.argv
if KAFKA:
    sys.argv.remove("--kafka")


def make_suite(*arguments, **options):
    return (ClusterSuite if KAFKA else Suite)(*arguments, **options)
