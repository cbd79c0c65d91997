//! What of a history concerns yrs: the steps of the kind "apply", without their results.
use crate::stream::Fields;

const CAUSAL: u32 = 1;
const GC: u32 = 2;
/// In the byte of the kind.
const DISPUTED: u8 = 128;

#[derive(Clone)]
pub struct Root {
    pub name: String,
    pub kind: u8,
}

pub enum Step<'a> {
    /// In one transaction: (format, update).
    Apply(Vec<(u8, &'a [u8])>),
    Type(Root),
}

pub struct History<'a> {
    pub seed: u64,
    pub gc: bool,
    pub client: u64,
    pub steps: Vec<Step<'a>>,
    /// All that the writers use.
    pub roots: Vec<Root>,
}

fn read_root(fields: &mut Fields) -> Root {
    Root { name: fields.string().into(), kind: fields.byte() }
}

fn skip_results(fields: &mut Fields) {
    let asked = fields.uint();
    let has = |bit: u64| asked & bit != 0;
    if has(1) {
        fields.skip_digest();
    }
    if has(2) {
        fields.skip_digest();
    }
    if has(4) {
        fields.bytes();
    }
    if has(8) {
        fields.skip_digest();
        fields.skip_digest();
    }
    if has(32) {
        for _ in 0..2 * fields.uint() {
            fields.skip_digest();
        }
    }
    if has(64) {
        fields.bytes();
        fields.skip_digest();
        fields.skip_digest();
    }
    if has(128) {
        for _ in 0..fields.uint() {
            read_root(fields);
            fields.skip_digest();
        }
    }
    if has(4096) {
        fields.skip_digest();
    }
    if has(1024) {
        fields.bytes();
    }
}

impl<'a> History<'a> {
    /// Nothing when it isn't causal or not of the kind "apply".
    pub fn read(record: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(record);
        let seed = u64::from(fields.word()) | u64::from(fields.word()) << 32;
        let kind = fields.byte() & !DISPUTED;
        let flags = if kind == 1 { fields.word() } else { 0 };
        if flags & CAUSAL == 0 {
            return None;
        }
        let client = fields.uint();
        let mut steps = Vec::new();
        loop {
            let step = match fields.byte() {
                0 => break,
                format @ (1 | 2) => Step::Apply(vec![(format, fields.bytes())]),
                3 => Step::Apply((0..fields.uint()).map(|_| (fields.byte(), fields.bytes())).collect()),
                4 => Step::Type(read_root(&mut fields)),
                kind => panic!("seed {seed}: no step {kind} in a history of this kind"),
            };
            steps.push(step);
            skip_results(&mut fields);
        }
        let roots = (0..fields.uint()).map(|_| read_root(&mut fields)).collect();
        Some(History { seed, gc: flags & GC != 0, client, steps, roots })
    }
}
