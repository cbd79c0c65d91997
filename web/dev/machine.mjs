// A made-up machine: events of host.metrics, seeded, so that a page can be worked on without the suite.

function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const PROCESSES = [
  ["rivermeet", 38, 148],
  ["postgres", 11, 212],
  ["chromium", 9, 611],
  ["node", 6, 184],
  ["ninja", 4, 21],
  ["cc1plus", 22, 402],
  ["sshd", 0.8, 9],
  ["systemd", 0.6, 14],
  ["journald", 0.4, 22],
  ["dbus-daemon", 0.1, 4],
];

/** Events a second of one host: `next(timeUs)` gives those of a moment as [{time, dimensions, measures}]. */
export class Machine {
  constructor(host, cores, seed) {
    this.host = host;
    this.random = randomOf(seed);
    this.cores = Array.from({ length: cores }, (_, i) => ({ level: 20 + 15 * i, target: 30 }));
    this.received = 2 * MIB;
    this.sent = MIB;
    this.read = 4 * MIB;
    this.written = 9 * MIB;
    this.memory = 6.8 * GIB;
    this.load = 1.2;
    this.processes = PROCESSES.map(([name, cpu, memory]) => ({ name, base: cpu, cpu, memory: memory * MIB }));
  }

  wander(value, low, high, swing) {
    const next = value + (this.random() - 0.5) * swing * (high - low);
    return Math.min(high, Math.max(low, next + ((low + high) / 2 - next) * 0.02));
  }

  next(time) {
    const host = this.host;
    const events = [];
    for (const core of this.cores) {
      if (this.random() < 0.03) core.target = this.random() * 85;
      core.level = Math.max(0, Math.min(100, core.level + (core.target - core.level) * 0.08 + (this.random() - 0.5) * 11));
    }
    this.cores.forEach((core, i) => events.push({ time, dimensions: { host, core: String(i) }, measures: { cpu_percent: core.level } }));
    const cpu = this.cores.reduce((sum, core) => sum + core.level, 0) / this.cores.length;
    this.memory = this.wander(this.memory, 6 * GIB, 8 * GIB, 0.01);
    this.load += (cpu / 25 - this.load) * 0.02;
    events.push({
      time,
      dimensions: { host },
      measures: {
        cpu_percent: cpu,
        memory_used_bytes: Math.round(this.memory),
        memory_total_bytes: 24 * GIB,
        memory_available_bytes: Math.round(24 * GIB - this.memory),
        swap_used_bytes: 0,
        load_1m: this.load + (this.random() - 0.5) * 0.1,
        load_5m: this.load * 0.8 + 0.3,
        load_15m: this.load * 0.6 + 0.5,
        pressure_cpu_percent: Math.max(0, cpu / 4 - 6 + this.random() * 3),
        pressure_memory_percent: this.random() < 0.05 ? this.random() : 0,
        pressure_io_percent: Math.max(0, this.random() * 6 - 2),
      },
    });
    this.read = this.random() < 0.05 ? this.random() * 60 * MIB : this.read * 0.7;
    this.written = this.wander(this.written, 0, 24 * MIB, 0.3);
    for (const [device, size, used] of [["nvme0n1", 480 * GIB, 0.62], ["sda", 2000 * GIB, 0.935]]) {
      events.push({
        time,
        dimensions: { host, device },
        measures: {
          disk_read_bytes_per_second: device === "sda" ? this.read * 0.1 : this.read,
          disk_written_bytes_per_second: device === "sda" ? this.written * 0.2 : this.written,
          filesystem_used_bytes: Math.round(size * used),
          filesystem_size_bytes: size,
        },
      });
    }
    this.received = this.wander(this.received, 0, 4.2 * MIB, 0.35);
    this.sent = this.wander(this.sent, 0, 2.2 * MIB, 0.3);
    events.push({
      time,
      dimensions: { host, interface: "eth0" },
      measures: { network_received_bytes_per_second: this.received, network_sent_bytes_per_second: this.sent },
    });
    for (const process of this.processes) {
      process.cpu = Math.max(0, process.cpu + (process.base - process.cpu) * 0.1 + (this.random() - 0.5) * process.base * 0.4);
      events.push({
        time,
        dimensions: { host, process: process.name },
        measures: { process_cpu_percent: process.cpu, process_memory_bytes: Math.round(process.memory) },
      });
    }
    return events;
  }
}

const INTEGERS = new Set(["memory_used_bytes", "memory_total_bytes", "memory_available_bytes", "swap_used_bytes", "filesystem_used_bytes", "filesystem_size_bytes", "process_memory_bytes"]);

export function fieldType(name) {
  return INTEGERS.has(name) ? "int64" : "float64";
}
