//! Counts what is allocated, on request, and reads what the system says of this process.
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counted. One thread only: plain loads and stores, so that timed cases don't pay for it.
struct Counting;

static ON: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    if ON.load(Relaxed) {
        let live = LIVE.load(Relaxed).wrapping_add(bytes);
        LIVE.store(live, Relaxed);
        if live as isize > PEAK.load(Relaxed) as isize {
            PEAK.store(live, Relaxed);
        }
    }
}

fn take(bytes: usize) {
    if ON.load(Relaxed) {
        LIVE.store(LIVE.load(Relaxed).wrapping_sub(bytes), Relaxed);
    }
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        System.alloc_zeroed(layout)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        take(layout.size());
        System.dealloc(at, layout)
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new exist side by side while they are copied.
        add(size);
        let moved = System.realloc(at, layout, size);
        take(layout.size());
        moved
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

pub fn start_counting() {
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    ON.store(true, Relaxed);
}

pub fn live_bytes() -> usize {
    LIVE.load(Relaxed)
}

pub fn peak_bytes() -> usize {
    PEAK.load(Relaxed)
}

/// A line of /proc/self/status in bytes, VmRSS or VmHWM.
pub fn status_bytes(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// From here on VmHWM is the largest VmRSS since now.
pub fn reset_resident_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
