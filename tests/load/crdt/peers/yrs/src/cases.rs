//! What is measured besides the tables.
use crate::files::{read, read_edits, read_updates, Edit};
use crate::inputs::client_id;
use crate::measure::{ms_since, repeat, timed, Line, Sample};
use crate::memory;
use crate::readout::{readout, state_text, Kind};
use crate::Options;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;
use yrs::updates::decoder::Decode;
use yrs::{merge_updates_v1, Doc, OffsetKind, ReadTxn, StateVector, Text, TextRef, Transact, Update};

/// A document with its root text, counted in UTF-16 units as yjs does.
fn create(client: u64, root: &str) -> (Doc, TextRef) {
    let doc = Doc::with_options(yrs::Options {
        client_id: yrs::block::ClientID::new(client),
        offset_kind: OffsetKind::Utf16,
        ..yrs::Options::default()
    });
    let text = doc.get_or_insert_text(root);
    (doc, text)
}

fn apply(doc: &Doc, update: &[u8], v2: bool) {
    let update = if v2 { Update::decode_v2(update) } else { Update::decode_v1(update) }.unwrap();
    doc.transact_mut().apply_update(update).unwrap();
}

fn encode(doc: &Doc, v2: bool) -> Vec<u8> {
    let txn = doc.transact();
    let nothing = StateVector::default();
    if v2 {
        txn.encode_state_as_update_v2(&nothing)
    } else {
        txn.encode_state_as_update_v1(&nothing)
    }
}

/// Repeats `run`, which gives a document and what was timed, and prints the case's line.
fn print_case(options: &Options, items: usize, mut bytes: usize, mut run: impl FnMut() -> (Doc, usize, Sample)) {
    let mut state = String::new();
    let repeated = repeat(options.seconds, || {
        let (doc, made, sample) = run();
        state = state_text(&doc);
        bytes = bytes.max(made);
        sample
    });
    let line = Line::new(&options.case).times(&repeated).count("items", items).count("bytes", bytes);
    line.text("state_vector", &state).print();
}

/// A batch is merged, then applied in one transaction: faster with yrs than to apply its updates one after the other.
pub fn apply_updates(options: &Options, batch: usize) {
    let updates = read_updates(&options.updates);
    print_case(options, updates.len(), 0, || {
        let (doc, _) = create(client_id(1), "text");
        let ((), sample) = timed(
            || {
                for chunk in updates.chunks(batch) {
                    let mut decoded: Vec<Update> =
                        chunk.iter().map(|update| Update::decode_v1(update).unwrap()).collect();
                    let update = if batch == 1 { decoded.pop().unwrap() } else { Update::merge_updates(decoded) };
                    doc.transact_mut().apply_update(update).unwrap();
                }
            },
            |_| readout(&doc, Kind::Text, "text"),
        );
        (doc, 0, sample)
    });
}

fn replay(doc: &Doc, text: &TextRef, edits: &[Edit]) {
    for edit in edits {
        let mut txn = doc.transact_mut();
        match edit {
            Edit::Insert(index, inserted) => text.insert(&mut txn, *index, inserted),
            Edit::Delete(index, length) => text.remove_range(&mut txn, *index, *length),
        }
    }
}

/// Has every transaction's V1 update made; gives the sum of their sizes.
fn count_updates(doc: &Doc) -> Rc<Cell<usize>> {
    let bytes = Rc::new(Cell::new(0));
    let sum = bytes.clone();
    doc.observe_update_v1("bench", move |_, event| sum.set(sum.get() + event.update.len())).unwrap();
    bytes
}

pub fn local_replay(options: &Options) {
    let edits = read_edits(&options.data);
    print_case(options, edits.len(), 0, || {
        let (doc, text) = create(client_id(0), "text");
        let bytes = count_updates(&doc);
        let ((), sample) = timed(|| replay(&doc, &text, &edits), |_| readout(&doc, Kind::Text, "text"));
        (doc, bytes.get(), sample)
    });
}

pub fn load(options: &Options) {
    let update = read(Path::new(&options.data).join("yjs/b4-update.bin"));
    print_case(options, 1, update.len(), || {
        let (doc, _) = create(client_id(1), "text");
        let ((), sample) = timed(|| apply(&doc, &update, false), |_| readout(&doc, Kind::Text, "text"));
        (doc, 0, sample)
    });
}

pub fn encode_after_an_edit(options: &Options) {
    let update = read(Path::new(&options.data).join("yjs/b4-update.bin"));
    print_case(options, 1, 0, || {
        let (doc, text) = create(client_id(1), "text");
        apply(&doc, &update, false);
        let mut txn = doc.transact_mut();
        let middle = text.len(&txn) / 2;
        text.insert(&mut txn, middle, "!");
        drop(txn);
        let (encoded, sample) = timed(|| encode(&doc, false), |_| readout(&doc, Kind::Text, "text"));
        (doc, encoded.len(), sample)
    });
}

/// The first `count` updates; the document they give is read after what is timed.
pub fn merge(options: &Options, count: usize) {
    let mut updates = read_updates(&options.updates);
    updates.truncate(count);
    print_case(options, updates.len(), 0, || {
        let (merged, mut sample) = timed(|| merge_updates_v1(&updates).unwrap(), |_| String::new());
        let (doc, _) = create(client_id(1), "text");
        apply(&doc, &merged, false);
        sample.check = readout(&doc, Kind::Text, "text");
        (doc, merged.len(), sample)
    });
}

pub fn load_and_encode_trace(options: &Options) {
    let update = read(&options.trace);
    let v2 = options.format == "v2";
    print_case(options, 1, 0, || {
        let (doc, _) = create(client_id(1), &options.root);
        let mut load_ms = 0.0;
        let (encoded, mut sample) = timed(
            || {
                let begin = Instant::now();
                apply(&doc, &update, v2);
                load_ms = ms_since(begin);
                encode(&doc, v2)
            },
            |_| readout(&doc, Kind::Text, &options.root),
        );
        sample.load_ms = Some(load_ms);
        sample.encode_ms = Some(sample.core_ms - load_ms);
        (doc, encoded.len(), sample)
    });
}

/// Needs a process of its own. The peak is that of the load; yrs builds no index to read by.
pub fn trace_memory(options: &Options) {
    let update = read(&options.trace);
    memory::reset_resident_peak();
    let resident = memory::status_bytes("VmRSS") as i64;
    memory::start_counting();
    let (doc, _) = create(client_id(1), &options.root);
    apply(&doc, &update, options.format == "v2");
    let peak = memory::peak_bytes();
    let resident_peak = memory::status_bytes("VmHWM") as i64;
    let seen = readout(&doc, Kind::Text, &options.root);
    let line = Line::new(&options.case).count("live_bytes", memory::live_bytes() - seen.capacity());
    line.count("peak_bytes", peak)
        .signed("rss_growth_bytes", memory::status_bytes("VmRSS") as i64 - resident)
        .signed("rss_peak_growth_bytes", resident_peak - resident)
        .text("check", &seen)
        .text("state_vector", &state_text(&doc))
        .print();
}

/// B4 `times` times into one document by one client: replayed by index, its updates applied to a second document as
/// they come, the second document encoded, that loaded into a third.
pub fn b4_repeated(options: &Options, times: usize) {
    let edits = read_edits(&options.data);
    let (writer, text) = create(client_id(0), "text");
    let updates = Rc::new(std::cell::RefCell::new(Vec::new()));
    let made = updates.clone();
    writer.observe_update_v1("bench", move |_, event| made.borrow_mut().push(event.update.clone())).unwrap();
    let (reader, _) = create(client_id(1), "text");
    let (mut replay_ms, mut apply_ms) = (0.0, 0.0);
    for _ in 0..times {
        let begin = Instant::now();
        replay(&writer, &text, &edits);
        replay_ms += ms_since(begin);
        let begin = Instant::now();
        for update in updates.borrow().iter() {
            apply(&reader, update, false);
        }
        apply_ms += ms_since(begin);
        updates.borrow_mut().clear();
    }
    let begin = Instant::now();
    let encoded = encode(&reader, false);
    let encode_ms = ms_since(begin);
    drop((writer, text, reader));
    let mut state = String::new();
    let load = repeat(options.seconds, || {
        let (loaded, _) = create(client_id(2), "text");
        let ((), sample) = timed(|| apply(&loaded, &encoded, false), |_| readout(&loaded, Kind::Text, "text"));
        state = state_text(&loaded);
        sample
    });
    Line::new(&options.case)
        .count("items", times * edits.len())
        .ms("replay_ms", replay_ms)
        .ms("apply_ms", apply_ms)
        .ms("encode_ms", encode_ms)
        .ms("load_ms", load.best.ms)
        .count("bytes", encoded.len())
        .text("check", &load.best.check)
        .text("state_vector", &state)
        .print();
}
