"""What benchmarks read of a machine and its processes."""
import os
import pathlib
import platform
import re

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system seconds of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_bytes(pid):
    """Proportional set size: shared pages are counted by share."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) * 1024


def resident_bytes(pid):
    """The part of a process that is in memory."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_by_name(named_pids):
    """Seconds so far, added up by the processes' names: {pid: name}."""
    seconds = {}
    for pid, name in named_pids.items():
        try:
            seconds[name] = seconds.get(name, 0) + cpu_seconds(pid)
        except FileNotFoundError:
            pass
    return seconds


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores ({model[1] if model else platform.machine()})"


def histogram_quantile(metrics, name, share):
    """The upper bound of the bucket of a Prometheus histogram that holds the quantile; None without values."""
    buckets = {}
    for match in re.finditer(rf'^{name}_bucket{{([^}}]*)}} (\S+)$', metrics, re.M):
        bound = re.search(r'le="([^"]+)"', match[1])[1]
        buckets[float(bound)] = buckets.get(float(bound), 0) + float(match[2])
    total = max(buckets.values(), default=0)
    for bound in sorted(buckets):
        if total and buckets[bound] >= share * total:
            return bound
    return None


def metric(metrics, name):
    """The sum of a metric's values over its labels."""
    return sum(float(v) for v in re.findall(rf'^{name}(?:{{[^}}]*}})? (\S+)$', metrics, re.M))
