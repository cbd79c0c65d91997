//! Reads histories of yjs on standard input and writes them to standard output, each causal one of the kind "apply"
//! with a record before it of what yrs has: ../../stream.md. What is no such history passes as it is.
mod content;
mod history;
mod stream;

use history::{History, Root, Step};
use std::io::{self, BufReader, BufWriter, Write};
use std::panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe};
use stream::{put_bytes, put_uint};
use yrs::branch::{BranchID, BranchPtr};
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, ReadTxn, Transact, Update};

/// Besides the end, what it has is told after every so many steps.
const TOLD_EVERY: usize = 16;

/// yjs's numbers of the types that yrs has as roots.
fn type_root(doc: &Doc, root: &Root) {
    let name = root.name.as_str();
    match root.kind {
        0 => drop(doc.get_or_insert_array(name)),
        1 => drop(doc.get_or_insert_map(name)),
        2 => drop(doc.get_or_insert_text(name)),
        4 => drop(doc.get_or_insert_xml_fragment(name)),
        _ => {}
    }
}

fn apply(doc: &Doc, updates: &[(u8, &[u8])]) -> Result<(), String> {
    let mut txn = doc.transact_mut();
    for (format, bytes) in updates {
        let update = if *format == 1 { Update::decode_v1(bytes) } else { Update::decode_v2(bytes) };
        let update = update.map_err(|error| format!("decode: {error}"))?;
        txn.apply_update(update).map_err(|error| format!("apply: {error}"))?;
    }
    Ok(())
}

/// The state vector as yjs writes it, clients descending, and the content of each of `roots`.
fn put_state(doc: &Doc, roots: &[Root], out: &mut Vec<u8>) {
    let txn = doc.transact();
    let state = txn.state_vector();
    let mut clients: Vec<(u64, u32)> =
        state.iter().map(|(client, clock)| (client.get(), *clock)).filter(|(_, clock)| *clock > 0).collect();
    clients.sort_by(|a, b| b.cmp(a));
    let mut vector = Vec::new();
    put_uint(clients.len() as u64, &mut vector);
    for (client, clock) in clients {
        put_uint(client, &mut vector);
        put_uint(clock.into(), &mut vector);
    }
    put_bytes(&vector, out);
    let branch_of = |root: &Root| BranchID::get_root(&txn, root.name.as_str());
    let told: Vec<(&Root, BranchPtr)> = roots
        .iter()
        .filter_map(|root| Some((root, branch_of(root)?)))
        .filter(|(root, branch)| content::is_readable(branch, root.kind, &txn))
        .collect();
    put_uint(told.len() as u64, out);
    for (root, branch) in told {
        put_bytes(root.name.as_bytes(), out);
        out.push(root.kind);
        let mut content = String::new();
        content::put_type(&branch, root.kind, &txn, &mut content);
        put_bytes(content.as_bytes(), out);
    }
}

/// Does the step and adds what there is to tell of it to `answers`.
fn perform(
    doc: &Doc,
    history: &History,
    at: usize,
    typed: &mut Vec<Root>,
    answers: &mut Vec<Vec<u8>>,
) -> Result<(), String> {
    match &history.steps[at] {
        Step::Apply(updates) => apply(doc, updates)?,
        Step::Type(root) => {
            type_root(doc, root);
            typed.push(root.clone());
        }
    }
    let last = at + 1 == history.steps.len();
    if last {
        for root in &history.roots {
            if !typed.iter().any(|known| known.name == root.name) {
                type_root(doc, root);
                typed.push(root.clone());
            }
        }
    }
    if last || at % TOLD_EVERY == TOLD_EVERY - 1 {
        let mut answer = Vec::new();
        put_uint(at as u64, &mut answer);
        answer.push(0);
        put_state(doc, typed, &mut answer);
        answers.push(answer);
    }
    Ok(())
}

fn message_of(panic: Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    format!("panic: {}", text.or(panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default())
}

fn answer(history: &History) -> Vec<u8> {
    let doc = Doc::with_options(Options {
        client_id: yrs::block::ClientID::new(history.client),
        offset_kind: OffsetKind::Utf16,
        skip_gc: !history.gc,
        cleanup_formatting: false,
        ..Options::default()
    });
    let mut answers = Vec::new();
    let mut typed = Vec::new();
    for at in 0..history.steps.len() {
        let performed = catch_unwind(AssertUnwindSafe(|| perform(&doc, history, at, &mut typed, &mut answers)));
        if let Err(message) = performed.unwrap_or_else(|panic| Err(message_of(panic))) {
            let mut answer = Vec::new();
            put_uint(at as u64, &mut answer);
            answer.push(1);
            put_bytes(message.as_bytes(), &mut answer);
            answers.push(answer);
            // Its document may be broken: freeing it could be the next panic.
            std::mem::forget(doc);
            break;
        }
    }
    let mut record = history.seed.to_le_bytes().to_vec();
    put_uint(answers.len() as u64, &mut record);
    answers.iter().for_each(|answer| record.extend_from_slice(answer));
    record
}

fn run() -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 20, io::stdin().lock());
    let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    while let Some((magic, record)) = stream::read_record(&mut input)? {
        let history = if magic == stream::HISTORY { History::read(&record) } else { None };
        if let Some(history) = history {
            // What yrs panics about is told in the answer.
            let hook = take_hook();
            set_hook(Box::new(|_| {}));
            let answers = answer(&history);
            set_hook(hook);
            stream::write_record(&mut output, stream::ANSWERS, &answers)?;
        }
        stream::write_record(&mut output, magic, &record)?;
    }
    output.flush()
}

fn main() {
    if let Err(error) = run() {
        eprintln!("yrs-witness: {error}");
        std::process::exit(2);
    }
}
