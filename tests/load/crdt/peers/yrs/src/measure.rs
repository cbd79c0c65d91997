//! Times a case as ../../../README.md says: repeated in one process, the best counts.
use std::time::Instant;

#[derive(Default)]
pub struct Sample {
    pub ms: f64,
    pub core_ms: f64,
    pub check: String,
    /// Parts of core_ms, where a case has some.
    pub load_ms: Option<f64>,
    pub encode_ms: Option<f64>,
}

pub fn ms_since(begin: Instant) -> f64 {
    begin.elapsed().as_nanos() as f64 / 1e6
}

/// Runs `core`, then `readout` with its result, as one timed region.
pub fn timed<T>(core: impl FnOnce() -> T, readout: impl FnOnce(&T) -> String) -> (T, Sample) {
    let begin = Instant::now();
    let result = core();
    let core_ms = ms_since(begin);
    let check = readout(&result);
    let ms = ms_since(begin);
    (result, Sample { ms, core_ms, check, ..Default::default() })
}

pub struct Repeated {
    pub best: Sample,
    pub median_ms: f64,
    pub repeats: usize,
}

/// Repeats `run` for at least `seconds` and three times; once when that takes over 3 s.
pub fn repeat(seconds: f64, mut run: impl FnMut() -> Sample) -> Repeated {
    let begin = Instant::now();
    let mut best = run();
    let mut all = vec![best.ms];
    while best.ms <= 3_000.0 && (all.len() < 3 || begin.elapsed().as_secs_f64() < seconds) {
        let sample = run();
        all.push(sample.ms);
        if sample.ms < best.ms {
            best = sample;
        }
    }
    all.sort_by(f64::total_cmp);
    Repeated { best, median_ms: all[all.len() / 2], repeats: all.len() }
}

/// One JSON object, built field by field and printed as a line.
pub struct Line(String);

impl Line {
    pub fn new(case: &str) -> Self {
        Line(format!("{{\"case\":\"{case}\",\"engine\":\"yrs\""))
    }

    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.0.push_str(&format!(",\"{name}\":\"{value}\""));
        self
    }

    pub fn count(mut self, name: &str, value: usize) -> Self {
        self.0.push_str(&format!(",\"{name}\":{value}"));
        self
    }

    pub fn signed(mut self, name: &str, value: i64) -> Self {
        self.0.push_str(&format!(",\"{name}\":{value}"));
        self
    }

    pub fn ms(mut self, name: &str, value: f64) -> Self {
        self.0.push_str(&format!(",\"{name}\":{value:.4}"));
        self
    }

    pub fn times(mut self, repeated: &Repeated) -> Self {
        let best = &repeated.best;
        self = self.ms("ms", best.ms).ms("core_ms", best.core_ms).ms("median_ms", repeated.median_ms);
        if let Some(load_ms) = best.load_ms {
            self = self.ms("load_ms", load_ms);
        }
        if let Some(encode_ms) = best.encode_ms {
            self = self.ms("encode_ms", encode_ms);
        }
        self.count("repeats", repeated.repeats).text("check", &best.check)
    }

    pub fn print(self) {
        println!("{}}}", self.0);
    }
}
