#include "agent/proc_text.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>

namespace rivermeet::agent {
namespace {

std::string ReadReal(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

// Captured on Debian 12, kernel 6.1, unless said otherwise.
constexpr char kStat[] =
    "cpu  110694 21580 49592 620752 1837 0 361 397 0 0\n"
    "cpu0 52084 11570 23360 315165 323 0 69 186 0 0\n"
    "cpu2 58610 10009 26231 305586 1514 0 291 211 0 0\n"
    "intr 2694223 0 0\nctxt 5642232\nbtime 1795253571\nsoftirq 1057096 0 111580\n";
constexpr char kMeminfo[] =
    "MemTotal:       24684084 kB\nMemFree:        21594348 kB\nMemAvailable:   23472132 kB\n"
    "Buffers:            9496 kB\nCached:          1948160 kB\nSwapCached:            0 kB\n"
    "SwapTotal:       1000000 kB\nSwapFree:         400000 kB\nHugePages_Total:       0\n";
constexpr char kDiskstats[] =
    "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    " 254       0 vda 248404 45578 25291666 215095 169314 83133 32275712 102757 0 37668 326631 57672 20 1 5909 68894 "
    "2\n"
    " 254       1 vda1 1 1 8 1 1 1 8 1 0 1 1 1 1 1 1 1 1\n"
    " 259       0 nvme0n1 10 0 16 5 20 0 32 5 0 5 10\n"
    " 259       1 nvme0n1p1 10 0 16 5 20 0 32 5 0 5 10\n"
    " 179       0 mmcblk0 10 0 2 5 20 0 4 5 0 5 10\n"
    " 179       1 mmcblk0p2 10 0 2 5 20 0 4 5 0 5 10\n"
    " 253       0 zram0 0 0 0 0 0 0 0 0 0 0 0\n"
    " 252       0 dm-0 9 0 9 9 9 0 9 9 0 9 9\n"
    "   8       0 sda 1 2 3\n";
constexpr char kNetDev[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo\n"
    "    lo: 48102322   50436    0    0    0     0          0         0 48102322   50436    0    0    0\n"
    "  eth0: 575122252   14562    0    0    0     0          0         0  1011543    8945    0    0    0\n"
    "wlan0:123 1 0 0 0 0 0 0 456 1 0 0 0 0 0 0\n"
    "eth0:1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n";
constexpr char kMounts[] =
    "proc /proc proc rw,relatime 0 0\n"
    "/dev/vda / ext4 rw,relatime 0 0\n"
    "/dev/vda /var/lib/docker ext4 rw,relatime 0 0\n"
    "/dev/mapper/vg-home /home\\040of\\040ada xfs rw 0 0\n"
    "/dev/loop3 /snap/core squashfs ro 0 0\n"
    "tmpfs /dev/shm tmpfs rw 0 0\n";

TEST_CASE("cpu times are read for all cores and each, with a gap for one that is off", "[proc]") {
  const auto stat = ParseStat(kStat);
  REQUIRE(stat);
  CHECK(stat->all.idle == 620752 + 1837);
  CHECK(stat->all.total == 110694 + 21580 + 49592 + 620752 + 1837 + 361 + 397);
  REQUIRE(stat->cores.size() == 3);
  CHECK(stat->cores[1].total == 0);
  CHECK(stat->cores[2].idle == 305586 + 1514);
}

TEST_CASE("memory is read in bytes, and free memory is estimated where the kernel does not say it", "[proc]") {
  const auto memory = ParseMeminfo(kMeminfo);
  REQUIRE(memory);
  CHECK(memory->total == 24684084ll * 1024);
  CHECK(memory->available == 23472132ll * 1024);
  CHECK(memory->swap_total - memory->swap_free == 600000ll * 1024);
  const auto old = ParseMeminfo("MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n");
  CHECK(old->available == 35 * 1024);
}

TEST_CASE("the load is read", "[proc]") {
  const auto load = ParseLoadavg("5.46 2.26 1.41 9/152 28052\n");
  REQUIRE(load);
  CHECK(load->one == 5.46);
  CHECK(load->fifteen == 1.41);
}

TEST_CASE("only whole disks are read, in bytes", "[proc]") {
  const auto disks = ParseDiskstats(kDiskstats);
  REQUIRE(disks.size() == 3);
  CHECK(disks[0].device == "vda");
  CHECK(disks[0].read_bytes == 25291666ull * 512);
  CHECK(disks[0].written_bytes == 32275712ull * 512);
  CHECK(disks[1].device == "nvme0n1");
  CHECK(disks[2].device == "mmcblk0");
}

TEST_CASE("interfaces are read without the loopback, with or without a blank after the colon", "[proc]") {
  const auto interfaces = ParseNetDev(kNetDev);
  REQUIRE(interfaces.size() == 3);
  CHECK(interfaces[0].name == "eth0");
  CHECK(interfaces[0].received_bytes == 575122252);
  CHECK(interfaces[0].sent_bytes == 1011543);
  CHECK(interfaces[1].name == "wlan0");
  CHECK(interfaces[1].sent_bytes == 456);
  CHECK(interfaces[2].name == "eth0:1");
}

TEST_CASE("file systems on devices are read once each, with blanks in their paths", "[proc]") {
  const auto mounts = ParseMounts(kMounts);
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].device == "vda");
  CHECK(mounts[0].path == "/");
  CHECK(mounts[1].device == "mapper/vg-home");
  CHECK(mounts[1].path == "/home of ada");
}

TEST_CASE("in a container the root counts whatever it is made of", "[proc]") {
  const auto mounts = ParseMounts("overlay / overlay rw,lowerdir=/a 0 0\n/dev/sda1 /etc/hosts ext4 rw 0 0\n");
  REQUIRE(mounts.size() == 1);
  CHECK(mounts[0].device == "overlay");
}

TEST_CASE("pressure is read from its line of some tasks", "[proc]") {
  CHECK(ParsePressure("some avg10=98.50 avg60=73.65 avg300=28.81 total=349767695\n"
                      "full avg10=0.00 avg60=0.00 avg300=0.00 total=12\n") == 349767695u);
  CHECK_FALSE(ParsePressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=12\n"));
  CHECK_FALSE(ParsePressure(""));
}

TEST_CASE("a process is read whatever it calls itself", "[proc]") {
  const std::string rest = " S 1 2 3 0 -1 4194560 10 0 1 0 700 300 5 6 20 0 1 0 12345 99999 4242 184467 1 1 0";
  for (const std::string name : {"bash", "a b", "a) S (b", "(sd-pam)", ")", ""}) {
    const auto stat = ParseProcessStat("17 (" + name + ")" + rest);
    INFO(name);
    REQUIRE(stat);
    CHECK(stat->name == name);
    CHECK(stat->cpu_ticks == 1000);
    CHECK(stat->start_ticks == 12345);
    CHECK(stat->resident_pages == 4242);
  }
  CHECK_FALSE(ParseProcessStat("17 (bash) S 1 2 3"));
  CHECK_FALSE(ParseProcessStat("17 bash S 1 2 3"));
}

TEST_CASE("this machine's own files are understood", "[proc]") {
  const auto stat = ParseStat(ReadReal("/proc/stat"));
  REQUIRE(stat);
  CHECK(stat->cores.size() >= 1);
  CHECK(stat->all.total > stat->all.idle);
  const auto memory = ParseMeminfo(ReadReal("/proc/meminfo"));
  REQUIRE(memory);
  CHECK(memory->available <= memory->total);
  CHECK(ParseLoadavg(ReadReal("/proc/loadavg")));
  CHECK_FALSE(ParseMounts(ReadReal("/proc/self/mounts")).empty());
  const auto self = ParseProcessStat(ReadReal("/proc/self/stat"));
  REQUIRE(self);
  CHECK(self->resident_pages > 0);
}

TEST_CASE("damaged text is never more than not understood", "[proc]") {
  const uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string process = "17 (a b) S 1 2 3 0 -1 4194560 10 0 1 0 700 300 5 6 20 0 1 0 12345 99999 4242 1";
  for (int round = 0; round < 2000; ++round) {
    for (std::string text : {std::string(kStat), std::string(kMeminfo), std::string(kDiskstats), std::string(kNetDev),
                             std::string(kMounts), process}) {
      text.resize(random() % (text.size() + 1));
      for (int i = 0; i < 3 && !text.empty(); ++i) text[random() % text.size()] = static_cast<char>(random());
      const auto stat = ParseStat(text);
      if (stat) CHECK(stat->cores.size() <= 4096);
      ParseMeminfo(text);
      ParseLoadavg(text);
      ParseDiskstats(text);
      ParseNetDev(text);
      ParseMounts(text);
      ParsePressure(text);
      ParseProcessStat(text);
    }
  }
}

}  // namespace
}  // namespace rivermeet::agent
